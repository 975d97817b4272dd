/* The first look: is it healthy, how fast is it, what is failing. One sentence, five figures, and a
 * row for each route.
 *
 * The verdict is the first row of the table below that holds. It is spoken when it changes its tone,
 * and not again for the figures in it. */
{
  const { el, get, text, render, attribute, say } = page.dom;
  const { units } = page;
  const OVER_MS = 10000;
  const DOUBT = 0.002; /* a share of failing requests that is worth a word */
  const BAD = 0.05;    /* and one that is worth a colour */
  const SIGNS = { good: "✓", doubt: "!", bad: "✕", idle: "…" };

  const toneOf = (failed, count) =>
    count <= 0 || failed / count < DOUBT ? "good" : failed / count < BAD ? "doubt" : "bad";

  /* Whether a fault makes requests to a route fail. */
  const fails = (fault, route) => fault.state === "in_force" && fault.routes?.includes(route)
    && ["error", "reset", "truncate"].includes(fault.fault);

  function worst(routes) {
    return routes.filter((row) => row.failed > 0).sort((a, b) => b.failed - a.failed)[0];
  }

  function failing(state, last) {
    const row = worst(last.routes);
    if (!row) {
      return "";
    }
    const cause = (state.frame.faults?.faults ?? []).some((fault) => fails(fault, row.route))
      ? ", where a fault is in force" : "";
    return `${row.route}: ${units.share(row.failed, row.count)} of the last ten seconds${cause}`;
  }

  function unready(state) {
    const cause = (state.frame.faults?.faults ?? []).find((fault) =>
      fault.state === "in_force" && ["not_ready", "slow_start"].includes(fault.fault));
    return cause ? `/readyz answers 503, as the fault ${cause.fault} has it` : "/readyz answers 503";
  }

  function speed(state, last) {
    return `${units.rate(last.count / last.seconds)} a second, 99 % within `
      + units.within(state.hello.bounds, last.buckets, 0.99);
  }

  /* [holds, tone, title, detail] */
  const VERDICTS = [
    [(state) => state.link.state === "connecting" && !state.frame, "idle", () => "Connecting",
      () => "The first figures come with the stream."],
    [(state) => state.link.state !== "live", "idle", () => "Not connected",
      (state) => `${state.frame ? "What is shown is old" : "It is asked again"}: ${state.link.why ?? "connecting"}.`],
    [(state) => !state.frame, "idle", () => "Connected", () => "The first figures are on their way."],
    [(state) => ["draining", "stopping", "stopped"].includes(state.frame.state), "doubt", () => "Ending",
      () => "It drains: no longer ready, and ends when what is in flight is done."],
    [(state) => state.frame.state === "starting", "doubt", () => "Starting", unready],
    [(state) => !state.frame.ready, "bad", () => "Not ready", unready],
    [(state) => state.offBalance, "bad", () => "The signals do not add up",
      () => "Something was lost and not counted: see the equation."],
    [(state, last) => toneOf(last.failed, last.count) === "bad", "bad", () => "Failing", failing],
    [(state, last) => toneOf(last.failed, last.count) === "doubt", "doubt", () => "Some requests fail", failing],
    [(state, last) => last.count <= 0, "good", () => "Healthy, and idle",
      (state) => `No request in the last ten seconds. Try curl ${location.origin}${state.hello.routes[1] ?? "/"}`],
    [() => true, "good", () => "Healthy", speed],
  ];

  function routeRow(row, seconds, total) {
    const cell = (words, tone) => el("td", { class: "number", "data-tone": tone }, words);
    return el("tr", {},
      el("th", { scope: "row" }, el("code", {}, row.route)),
      cell(seconds > 0 ? units.rate(row.count / seconds) : "–"),
      cell(row.count > 0 ? units.share(row.failed, row.count) : "–",
        toneOf(row.failed, row.count)),
      cell(units.count(total)));
  }

  function figures(state, last) {
    const within = (q) => units.within(state.hello.bounds, last.buckets, q);
    text(get("stat-rate"), last.seconds > 0 ? units.rate(last.count / last.seconds) : "–");
    text(get("stat-failing"), last.count > 0 ? units.share(last.failed, last.count) : "–");
    text(get("stat-failing-count"), `${units.count(last.failed)} in 10 s`);
    attribute(get("stat-failing-tile"), "data-tone", toneOf(last.failed, last.count));
    text(get("stat-p50"), within(0.5));
    text(get("stat-p99"), within(0.99));
    text(get("stat-active"), units.count(state.frame.active));
    text(get("stat-connections"), `on ${units.count(state.frame.connections)} connections`);
    render(get("routes"), ...last.routes.map((row, i) =>
      routeRow(row, last.seconds, state.frame.by_route[i].count)));
  }

  page.overview = function () {
    let tone = "idle";
    return {
      draw(state) {
        const last = state.window(OVER_MS);
        const found = VERDICTS.find((row) => row[0](state, last));
        const title = found[2](state, last);
        attribute(get("verdict"), "data-tone", found[1]);
        text(get("verdict-sign"), SIGNS[found[1]]);
        text(get("verdict-title"), title);
        text(get("verdict-detail"), found[3](state, last));
        document.title = found[1] === "good" ? "glassbox" : `${title} · glassbox`;
        if (tone !== found[1]) {
          tone = found[1];
          say(`${title}. ${found[3](state, last)}`);
        }
        if (state.frame) {
          figures(state, last);
        }
      },
    };
  };
}
