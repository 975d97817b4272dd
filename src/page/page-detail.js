/* One request, three signals side by side: its span, its bucket with the exemplar, its log line. The
 * trace id is what they share, and it is marked wherever it stands. */
{
  const { el, get, text, marked } = page.dom;
  const { units } = page;

  function span(request, hello) {
    const why = !hello.tracing ? "Spans are not exported" : request.sampled ? null : "Not sampled";
    const note = why && el("p", { class: "muted" }, `${why}: only its name, times and status are known.`);
    return [...(note ? [note] : []), ...page.waterfall(request)];
  }

  function metric(request, state) {
    const { bounds } = state.hello;
    const buckets = state.frame?.buckets ?? new Array(bounds.length + 1).fill(0);
    return [
      ...page.bucket(bounds, buckets, request),
      el("pre", {}, `${request.series} ${request.bucket.count ?? ""}`.trim()),
      request.exemplar
        ? el("pre", { id: "detail-exemplar" }, ...marked(request.exemplar, request.trace_id))
        : el("p", { class: "muted" }, request.sampled
          ? "The histogram keeps the latest exemplar of each bucket; this one was replaced, or not kept."
          : "Without a sampled trace there is no exemplar."),
    ];
  }

  function log(request, hello) {
    if (request.log === null) {
      const why = hello.log_fields === null ? "The access log is off." : "Too long to be shown here.";
      return [el("p", { class: "muted" }, why)];
    }
    const values = request.log.split(hello.log_separator ?? "\t");
    const rows = hello.log_fields.split(/[\t ]/).map((name, i) => [name, values[i] ?? ""]);
    return [
      page.facts(rows, "under the names of #Fields", request.trace_id),
      el("pre", { id: "detail-line" }, ...marked(request.log, request.trace_id)),
    ];
  }

  /* Where the id stands, as the panels have it: not each request has an exemplar, nor each log the id. */
  function shared(id) {
    const where = [["detail-span", "span"], ["detail-exemplar", "exemplar"], ["detail-log", "log line"]]
      .filter(([panel]) => get(panel)?.textContent.includes(id)).map(([, words]) => words);
    const last = where.pop();
    return where.length > 0 ? `the same in its ${where.join(", ")} and ${last}` : last ? `in its ${last}` : "";
  }

  async function copy(id, told) {
    try {
      await navigator.clipboard.writeText(id);
      text(told, "copied");
    } catch {
      getSelection().selectAllChildren(get("detail-trace"));
      text(told, "selected: this page may not copy by itself here");
    }
  }

  function outcomeWords(request) {
    const status = request.status === null ? "no status was sent" : `status ${request.status}`;
    return [
      `ended ${units.clock(request.end_ms)} UTC`,
      `took ${units.duration(request.duration_ms / 1000)}`,
      status,
      request.error && request.error !== String(request.status) ? `error ${request.error}` : null,
      `route ${request.route ?? "none"}`,
      request.fault ? `struck by a fault: ${request.fault}` : null,
      request.cut ? "too long to be shown in full" : null,
    ].filter(Boolean).join(" · ");
  }

  /* `list` is where it was opened: it stands still meanwhile, and gets the focus back. */
  page.detail = function (list) {
    const panel = get("detail");
    let request = null;

    function close() {
      if (!panel.hidden) {
        panel.hidden = true;
        request = null;
        list.release();
      }
    }

    get("detail-close").addEventListener("click", close);
    get("detail-newer").addEventListener("click", () => list.step(-1));
    get("detail-older").addEventListener("click", () => list.step(1));
    get("detail-copy").addEventListener("click", () => copy(request.trace_id, get("detail-told")));
    panel.addEventListener("keydown", (event) => event.key === "Escape" && close());
    return {
      close,
      /* `isReached`: the reader went to it, and so does the focus. */
      open(chosen, state, isReached) {
        request = chosen;
        text(get("detail-title"), `${request.method} ${request.path} → ${page.outcome(request)}`);
        text(get("detail-trace"), request.trace_id);
        text(get("detail-facts"), outcomeWords(request));
        get("detail-span").replaceChildren(...span(request, state.hello));
        get("detail-metric").replaceChildren(...metric(request, state));
        get("detail-log").replaceChildren(...log(request, state.hello));
        text(get("detail-told"), shared(request.trace_id));
        panel.hidden = false;
        list.hold("open", true);
        if (isReached) {
          get("detail-title").focus({ preventScroll: true });
          panel.scrollIntoView({ block: "nearest" });
        }
      },
    };
  };
}
