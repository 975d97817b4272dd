/* Puts the parts to work: what comes on the stream goes into the state, and the state is drawn, at most
 * once a picture and only while the page is seen. Who asked for less motion gets new charts every two
 * seconds. */
{
  const { get, text, attribute } = page.dom;
  const { units } = page;
  const CALM_MS = 2000;
  const TONES = { live: "good", connecting: "idle", waiting: "bad", resting: "idle" };

  function showLink(state) {
    const { link } = state;
    const missed = state.lostFrames > 0 ? `, ${units.count(state.lostFrames)} updates missed` : "";
    const words = {
      live: () => `Live${missed}`,
      connecting: () => "Connecting",
      resting: () => "Resting while this page is hidden",
      waiting: () => `Not connected: ${link.why}; again in ${units.left(link.until - Date.now())}`,
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
      frame ? `${units.count(frame.failed)} requests failed since the start` : null,
      frame ? `${frame.viewers} ${frame.viewers === 1 ? "viewer" : "viewers"} of this page` : null,
      state.restarts > 0 ? `started anew since this page was opened: ${state.restarts}` : null,
      hello.revision ? `revision ${hello.revision}` : null,
    ];
    text(get("footnote"), notes.filter(Boolean).join(" · "));
  }

  const state = new page.State();
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const parts = { rate: page.rate(), heatmap: page.heatmap(), overview: page.overview(), equation: page.equation(),
    faults: page.faults.panel(), arm: page.arm(), burst: page.burst() };
  const list = page.requests((request, isReached) => detail.open(request, state, isReached));
  const detail = page.detail(list);
  let isAsked = false;
  let calmly = -Infinity; /* when the charts were last put into words */

  function drawCharts() {
    const isDue = performance.now() - calmly >= CALM_MS;
    if (isDue) {
      calmly = performance.now();
      page.figures.draw(state);
    }
    if (isDue || !calm.matches) {
      parts.rate.draw(state);
      parts.heatmap.draw(state);
    }
  }

  function draw() {
    isAsked = false;
    showLink(state);
    showProcess(state);
    parts.overview.draw(state);
    if (state.frame) {
      drawCharts();
      parts.equation.draw(state);
      parts.faults.draw(state);
      list.draw(state);
    }
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
      if (state.greet(hello)) {
        detail.close();
        list.forget();
        parts.equation.forget();
        parts.arm.greet(hello);
        parts.burst.greet(hello);
      }
    },
    frame(frame) {
      state.take(frame);
      parts.equation.judge(state);
    },
    lost(lost) {
      state.lostFrames += lost.frames;
    },
  };

  const stream = page.stream("/page/events", {
    event(name, data) {
      hear[name]?.(data);
      ask();
    },
    link(link) {
      state.link = link;
      showLink(state); /* also while it is not drawn */
      ask();
    },
  });
  get("link-again").addEventListener("click", () => stream.again());
  get("figures").addEventListener("toggle", () => state.frame && page.figures.draw(state));
  setInterval(ask, 1000);
}
