/* A burst of requests from this page: a few at a time, a fixed number, and no faster than they can be
 * shown, 32 with each frame. */
{
  const { option, get, text, say } = page.dom;
  const AT_ONCE = 4;
  const PACE_MS = 12; /* 20 with each frame, and room for one that is late */

  /* What can be sent, a row each: a name, how many, and the targets in turn. */
  const BURSTS = [
    ["200 of everything", 200, ["/demo/hello", "/demo/hello?delay=5", "/demo/random-error", "/demo/work?cpu_ms=2",
      "/demo/hello", "/demo/hello?delay=40", "/demo/hello", "/demo/random-error"]],
    ["500 greetings", 500, ["/demo/hello"]],
    ["100 that wait", 100, ["/demo/hello?delay=20", "/demo/hello?delay=80", "/demo/hello?delay=300"]],
    ["50 that burn CPU", 50, ["/demo/work?cpu_ms=20"]],
    ["100 that may fail", 100, ["/demo/random-error"]],
  ];

  /* Sends them; tell(sent, failed) after each. */
  async function send(count, targets, tell) {
    let next = 0;
    let sent = 0;
    let failed = 0;
    let due = performance.now();
    async function sender() {
      while (next < count) {
        const target = targets[next++ % targets.length];
        const now = performance.now();
        due = Math.max(due + PACE_MS, now);
        await new Promise((resolve) => setTimeout(resolve, due - now));
        const isFine = await fetch(target, { cache: "no-store" })
          .then(async (response) => (await response.text(), response.status < 500), () => false);
        sent++;
        failed += isFine ? 0 : 1;
        tell(sent, failed);
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, sender));
  }

  page.burst = function () {
    const button = get("burst-send");
    get("burst-what").replaceChildren(...BURSTS.map(([name], i) => option(String(i), name)));
    get("burst").addEventListener("submit", async (event) => {
      event.preventDefault();
      const [, count, targets] = BURSTS[Number(get("burst-what").value)];
      button.disabled = true;
      const told = get("burst-told");
      await send(count, targets, (sent, failed) => {
        if (sent % 25 === 0 || sent === count) {
          text(told, `${sent} of ${count} sent${failed > 0 ? `, ${failed} failed` : ""}`);
        }
      });
      say(told.textContent);
      button.disabled = false;
    });
    return { greet: (hello) => (get("burst").hidden = !hello.burst) };
  };
}
