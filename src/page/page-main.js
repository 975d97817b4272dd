/* Puts the parts to work: what comes on the stream goes into the state, and the state is drawn, at
 * most once a picture and only while the page is seen.
 *
 * Who asked for less motion gets new pictures of the charts every two seconds, not with each frame. */
{
  const { get, text, attribute } = page.dom;
  const { units } = page;
  const CALM_MS = 2000;
  const DESCRIBE_MS = 10000;
  const TONES = { live: "good", connecting: "idle", waiting: "bad" };

  /* A clock of its own for what need not be done with each frame. */
  function every(ms) {
    let last = -Infinity;
    return () => {
      const isDue = performance.now() - last >= ms;
      last = isDue ? performance.now() : last;
      return isDue;
    };
  }

  function showLink(state) {
    const { link } = state;
    const words = {
      live: () => "Live",
      connecting: () => "Connecting",
      waiting: () => `Not connected: ${link.why}; again in ${Math.max(0, Math.ceil((link.until - Date.now()) / 1000))} s`,
    };
    attribute(get("link"), "data-tone", TONES[link.state]);
    text(get("link"), words[link.state]());
    get("link-again").hidden = link.state !== "waiting";
  }

  function showProcess(state) {
    const { hello, frame } = state;
    if (!hello) {
      return;
    }
    const up = frame ? `, up ${units.age(frame.now_ms - hello.started_ms)}` : "";
    text(get("process"), `${hello.version} on ${hello.instance}, process ${hello.pid}, `
      + `${hello.workers} ${hello.workers === 1 ? "worker" : "workers"}${up}`);
    const notes = [
      frame ? `${frame.viewers} ${frame.viewers === 1 ? "viewer" : "viewers"} of this page` : null,
      state.lostFrames > 0 ? `this one was too slow for ${units.count(state.lostFrames)} frames` : null,
      state.restarts > 0 ? `the service was started anew ${state.restarts === 1 ? "once" : `${state.restarts} times`}: its counts began at 0` : null,
      hello.revision ? `revision ${hello.revision}` : null,
    ];
    text(get("footnote"), notes.filter(Boolean).join(" · "));
  }

  function start() {
    const state = new page.State();
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    const parts = { rate: page.rate(), heatmap: page.heatmap(), overview: page.overview(), equation: page.equation(),
      faults: page.faults.panel(), arm: page.arm(), burst: page.burst(), figures: page.figures() };
    const list = page.requests((request, isReached) => detail.open(request, state, isReached));
    const detail = page.detail(list);
    const isChartDue = every(CALM_MS);
    const isFiguresDue = every(CALM_MS);
    const isTextDue = every(DESCRIBE_MS);
    let isAsked = false;

    function draw() {
      isAsked = false;
      showLink(state);
      showProcess(state);
      parts.overview.draw(state);
      if (!state.frame) {
        return;
      }
      if (!calm.matches || isChartDue()) {
        parts.rate.draw(state);
        parts.heatmap.draw(state);
      }
      if (isTextDue()) {
        parts.rate.describe(state);
        parts.heatmap.describe(state);
      }
      if (isFiguresDue()) {
        parts.figures.draw(state);
      }
      parts.equation.draw(state);
      parts.faults.draw(state);
      list.draw(state);
    }

    /* A page that is not seen is not drawn; it catches up with the next picture. */
    function ask() {
      if (!isAsked) {
        isAsked = true;
        requestAnimationFrame(draw);
      }
    }

    const hear = {
      hello(hello) {
        const { restarts } = state;
        state.greet(hello);
        if (state.restarts !== restarts) {
          detail.close();
          list.forget();
          parts.equation.forget();
        }
        parts.arm.greet(hello);
        parts.burst.greet(hello);
      },
      frame(frame) {
        state.take(frame);
        parts.equation.judge(state);
      },
      lost: (lost) => (state.lostFrames += lost.frames),
      bye: () => {},
    };

    const stream = page.stream("/page/events", {
      event(name, data) {
        hear[name]?.(data);
        ask();
      },
      link(link) {
        state.link = link;
        ask();
      },
    });
    get("link-again").addEventListener("click", () => stream.again());
    get("figures").addEventListener("toggle", () => state.frame && parts.figures.draw(state));
    setInterval(ask, 1000);
  }

  start();
}
