/* The reconciliation with all its terms, and the losses.
 *
 * The service reads the terms while requests go on ending, and says of each line whether its sum lies
 * between two readings; then it is balanced although its own figures may differ by what ended in
 * between. A line that is off for two seconds is red: until then it may be a moment's. */
{
  const { el, get, text, render, attribute } = page.dom;
  const { units } = page;
  const PATIENCE_MS = 2000;
  const LOSSES = new Set(["dropped", "failed"]);

  /* A line each: whose, its colour, its left side, its terms of the right side. */
  const LINES = [
    { of: "metrics", words: "metrics", left: (all) => [["finished", all.finished]],
      right: (all) => [["observations", all.metrics]] },
    { of: "log", words: "log", part: "log", left: (all) => [["finished", all.finished]],
      right: ({ log }) => [["written", log.written], ["waiting", log.waiting], ["dropped", log.dropped]] },
    { of: "spans", words: "spans", part: "spans",
      left: ({ spans }) => [["server", spans.server], ["internal", spans.internal]],
      right: ({ spans }) => [["acknowledged", spans.acknowledged], ["waiting", spans.waiting],
        ["in flight", spans.inflight], ["unsampled", spans.unsampled], ["dropped", spans.dropped],
        ["failed", spans.failed]] },
    { of: "log", words: "OTLP logs", part: "records", left: (all) => [["finished", all.finished]],
      right: ({ records }) => [["acknowledged", records.acknowledged], ["waiting", records.waiting],
        ["in flight", records.inflight], ["dropped", records.dropped], ["failed", records.failed]] },
  ];

  const sum = (terms) => terms.reduce((total, term) => total + term[1], 0);

  const isIdle = (line, all) => Boolean(line.part) && all[line.part] === null;

  /* How far the shown figures are apart: of the spans, the SERVER ones from the requests, too. */
  function difference(line, all) {
    return sum(line.right(all)) - sum(line.left(all))
      || (line.of === "spans" ? all.spans.server - all.finished : 0);
  }

  /* By the line's own flag. */
  function isBalanced(line, all) {
    const { balanced } = all;
    return typeof balanced === "boolean" ? balanced || difference(line, all) === 0
      : balanced[line.part ?? "metrics"] !== false;
  }

  /* Between two readings the shown figures may happen to agree. */
  function wordsOf(off) {
    return off === 0 ? "does not add up" : `off by ${off > 0 ? "+" : "−"}${units.count(Math.abs(off))}`;
  }

  function shown([name, value]) {
    const kind = value === 0 ? "term is-zero" : LOSSES.has(name) ? "term is-loss" : "term";
    return el("span", { class: kind }, el("b", {}, units.count(value)), " ", el("small", {}, name));
  }

  const joined = (terms, operator) => terms.flatMap((one, i) => (i === 0 ? [shown(one)]
    : [el("span", { class: "muted" }, operator), shown(one)]));

  function row(line, all, tone, words) {
    return el("div", { class: `balance of-${line.of}`, "data-line": line.part ?? "metrics" },
      el("span", { class: "whose" }, line.words),
      isIdle(line, all)
        ? el("span", { class: "terms muted" }, "off, and not judged")
        : el("span", { class: "terms" }, ...joined(line.left(all), "+"),
          el("span", { class: "muted" }, "="), ...joined(line.right(all), "+")),
      el("span", { class: "chip", "data-tone": tone }, words));
  }

  function losses(state) {
    const rows = state.frame.losses.map((loss) => el("li", {},
      el("span", {}, `${loss.signal}: ${loss.reason.replaceAll("_", " ")}`),
      el("b", {}, units.count(loss.count))));
    return rows.length > 0 ? rows : [el("li", { class: "muted" }, "none")];
  }

  page.equation = function () {
    const since = new Map(); /* line -> when it was first seen off */

    function judge(line, all, now) {
      if (isIdle(line, all) || isBalanced(line, all)) {
        since.delete(line);
        return isIdle(line, all) ? ["idle", "off"] : ["good", "adds up"];
      }
      if (!since.has(line)) {
        since.set(line, now);
      }
      return now - since.get(line) >= PATIENCE_MS
        ? ["bad", wordsOf(difference(line, all))] : ["good", "adds up"];
    }

    return {
      /* Before it is drawn: state.offBalance is for the verdict, too. */
      judge(state) {
        const all = state.frame.equation;
        state.verdicts = LINES.map((line) => judge(line, all, state.frame.now_ms));
        state.offBalance = state.verdicts.some(([tone]) => tone === "bad");
      },
      draw(state) {
        const all = state.frame.equation;
        render(get("equation"), ...LINES.map((line, i) => row(line, all, ...state.verdicts[i])));
        attribute(get("equation-verdict"), "data-tone", state.offBalance ? "bad" : "good");
        text(get("equation-verdict"), state.offBalance ? "no" : "yes");
        render(get("losses"), ...losses(state));
      },
      forget: () => since.clear(),
    };
  };
}
