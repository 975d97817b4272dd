/* A span and its children on one scale of time: a row each with its piece of the scale and its events
 * as ticks, and below them all that the chosen one holds. */
{
  const { el, attribute, place, marked } = page.dom;
  const { units } = page;
  const QUARTERS = [0, 0.25, 0.5, 0.75, 1];

  /* Children under their parents, in the order in which they began. */
  function ordered(spans) {
    const known = new Set(spans.map((span) => span.span_id));
    const result = [];
    function add(parent, depth) {
      spans.filter((span) => (known.has(span.parent_id) ? span.parent_id : null) === parent)
        .sort((a, b) => a.start_ms - b.start_ms)
        .forEach((span) => {
          result.push([span, depth]);
          if (depth < 8) {
            add(span.span_id, depth + 1);
          }
        });
    }
    add(null, 0);
    return result;
  }

  function facts(rows, caption, id) {
    return el("table", { class: "facts" },
      el("caption", { class: "muted" }, caption),
      el("tbody", {}, ...rows.map(([name, value]) => el("tr", {},
        el("th", { scope: "row" }, name), el("td", {}, ...marked(value, id))))));
  }

  function track(span, scale) {
    const at = (ms) => `${(100 * scale(ms)).toFixed(3)}%`;
    const from = at(span.start_ms);
    const length = `${(100 * (scale(span.end_ms) - scale(span.start_ms))).toFixed(3)}%`;
    const took = units.duration((span.end_ms - span.start_ms) / 1000);
    /* Its figure stands behind the piece, or within it, or before it: where there is room. */
    const room = 0.22;
    const where = scale(span.end_ms) < 1 - room ? ""
      : scale(span.end_ms) - scale(span.start_ms) > room ? " is-inside" : " is-before";
    return el("span", { class: "track" },
      place(el("span", { class: span.status === "ERROR" ? "piece is-failed" : "piece" }), { from, length }),
      ...span.events.map((event) =>
        place(el("span", { class: "tick", title: event.name }), { from: at(event.at_ms) })),
      place(el("span", { class: `took${where}` }, took), { from, length }));
  }

  function bar(span, depth, scale) {
    return el("button", { class: "span", type: "button", "aria-pressed": "false" },
      place(el("span", { class: "name" }, el("code", {}, span.name), " ", el("small", {}, span.kind)), { depth }),
      track(span, scale));
  }

  /* All there is to know of one span. Moments are told since the first one began. */
  function contents(span, begin, trace) {
    const since = (ms) => `+${units.duration(Math.max(0, ms - begin) / 1000)}`;
    const itself = [["trace_id", trace], ["span_id", span.span_id], ["parent_id", span.parent_id ?? "none"],
      ["start", since(span.start_ms)], ["end", since(span.end_ms)], ["status", span.status]];
    const events = span.events.map((event) => [since(event.at_ms),
      [event.name, ...event.attributes.map(([name, value]) => `${name}=${value}`)].join(" ")]);
    return [facts(itself, "the span", trace), facts(span.attributes, "its attributes"),
      ...(events.length > 0 ? [facts(events, "its events")] : [])];
  }

  /* The nodes that show a request's spans: the first of them is chosen. */
  page.waterfall = function (request) {
    const begin = Math.min(...request.spans.map((span) => span.start_ms));
    const length = Math.max(1e-6, Math.max(...request.spans.map((span) => span.end_ms)) - begin);
    const scale = (ms) => Math.min(1, Math.max(0, (ms - begin) / length));
    const rows = ordered(request.spans).map(([span, depth]) => [span, bar(span, depth, scale)]);
    const inside = el("div", { class: "inside" });
    function choose(chosen) {
      rows.forEach(([span, button]) => attribute(button, "aria-pressed", String(span === chosen)));
      inside.replaceChildren(...contents(chosen, begin, request.trace_id));
    }
    rows.forEach(([span, button]) => button.addEventListener("click", () => choose(span)));
    choose(rows[0][0]);
    return [
      el("p", { class: "scale", "aria-hidden": "true" }, ...QUARTERS.map((part) =>
        el("span", {}, part === 0 ? "0" : units.duration((part * length) / 1000)))),
      ...rows.map(([, button]) => button),
      inside,
    ];
  };
  page.facts = facts;
}
