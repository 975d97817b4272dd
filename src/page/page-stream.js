/* The event stream, and what is known of the connection.
 *
 *     connecting -> live -> waiting (why, until when) | resting (why) -> connecting -> …
 *
 * It is read by fetch() and not by EventSource, which says nothing of a refusal. A stream that is silent
 * for as long as twenty frames take counts as lost. A page that is not seen rests after a moment: the
 * service has few places for viewers. */
{
  const SILENCE_MS = 5000;
  const RETRY_MS = [1000, 2000, 3000, 5000];
  const AFTER_BYE_MS = 3000;
  const HIDDEN_MS = 5000;
  const REST_MS = 1e9;
  const HIDDEN = new Error("hidden");

  /* A reader of text/event-stream: takes pieces as they come, calls hear(name, data) for each event. */
  function parser(hear) {
    let rest = "";
    let name = "";
    let data = [];
    function line(value) {
      if (value === "") {
        if (data.length > 0) {
          hear(name || "message", data.join("\n"));
        }
        name = "";
        data = [];
      } else if (value.startsWith("event:")) {
        name = value.slice(6).trimStart();
      } else if (value.startsWith("data:")) {
        data.push(value.slice(value[5] === " " ? 6 : 5));
      }
    }
    return function (piece) {
      const lines = (rest + piece).split("\n");
      rest = lines.pop();
      lines.forEach(line);
    };
  }

  /* Why an answer is no stream, in the service's own words where it has some. */
  async function refusal(response) {
    const problem = await response.json().catch(() => ({}));
    const seconds = Number(response.headers.get("Retry-After"));
    const error = new Error(`${response.status}: ${problem.detail ?? problem.title ?? response.statusText}`);
    error.retryMs = Math.min(Math.max(seconds, 2), 60) * 1000 || RETRY_MS.at(-1);
    return error;
  }

  /* Until the stream ends; throws when it fails or is ended by `control`. */
  async function follow(url, hear, control) {
    let heard = Date.now();
    const watch = setInterval(() => {
      if (Date.now() - heard > SILENCE_MS) {
        control.abort(new Error("nothing heard for five seconds"));
      }
    }, 1000);
    try {
      const response = await fetch(url, {
        headers: { Accept: "text/event-stream" }, cache: "no-store", signal: control.signal,
      });
      if (!response.ok) {
        throw await refusal(response);
      }
      const reader = response.body.getReader();
      const decoder = new TextDecoder();
      const take = parser(hear);
      for (;;) {
        const { done, value } = await reader.read();
        if (done) {
          return;
        }
        heard = Date.now();
        take(decoder.decode(value, { stream: true }));
      }
    } finally {
      clearInterval(watch);
    }
  }

  /* A TypeError is fetch()'s word for no answer at all. */
  function whyOf(error, ended) {
    return !(error instanceof TypeError) ? error.message : ended ? "the service has ended" : "no connection";
  }

  /* Tells when the page is seen, and when it was not for a while. */
  function watchSight(tell) {
    let timer = 0;
    function look() {
      clearTimeout(timer);
      if (document.hidden) {
        timer = setTimeout(tell, HIDDEN_MS, false);
      } else {
        tell(true);
      }
    }
    document.addEventListener("visibilitychange", look);
    look();
  }

  /* Follows a stream for as long as the page lives. on.event(name, data) hears what comes,
   * on.link({state, why, until}) how the connection is. Returns again(): ask at once. */
  page.stream = function (url, on) {
    let hurry = () => {};
    let failures = 0;
    let ended = false;
    let isResting = false;
    let control = new AbortController();

    function hear(name, data) {
      if (name === "hello") {
        failures = 0;
        ended = false;
        on.link({ state: "live" });
      }
      ended ||= name === "bye";
      on.event(name, JSON.parse(data));
    }

    function wait(state, why, ms) {
      on.link({ state, why, until: Date.now() + ms });
      return new Promise((resolve) => {
        hurry = resolve;
        setTimeout(resolve, ms);
      });
    }

    async function turn() {
      on.link({ state: "connecting" });
      control = new AbortController();
      try {
        await follow(url, hear, control);
        await wait("waiting", ended ? "the service is ending" : "the stream ended", AFTER_BYE_MS);
      } catch (error) {
        if (error === HIDDEN) {
          return;
        }
        const ms = error.retryMs ?? RETRY_MS[Math.min(failures, RETRY_MS.length - 1)];
        failures++;
        await wait("waiting", whyOf(error, ended), ms);
      }
    }

    watchSight((isSeen) => {
      const wasResting = isResting;
      isResting = !isSeen;
      if (isResting) {
        control.abort(HIDDEN);
      } else if (wasResting) {
        hurry();
      }
    });
    (async function () {
      for (;;) {
        await (isResting ? wait("resting", "it rests while it is hidden", REST_MS) : turn());
      }
    })();
    return { again: () => hurry() };
  };
}
