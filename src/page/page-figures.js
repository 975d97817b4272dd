/* What the two charts show, in words and as a table: a row a bucket. The words are the charts' text,
 * too; the table is written only while it is open. */
{
  const { el, get, text, attribute, render } = page.dom;
  const { units } = page;

  function row(bounds, i, count, all) {
    const edge = (index) => (bounds[index] === undefined ? "–" : units.duration(bounds[index]));
    return el("tr", {}, el("td", {}, i === 0 ? "0" : edge(i - 1)), el("td", {}, edge(i)),
      el("td", { class: "number" }, units.count(count)),
      el("td", { class: "number" }, units.share(count, all)));
  }

  page.figures = {
    draw(state) {
      const { bounds } = state.hello;
      const { buckets, count, failed, seconds } = state.window(page.SLOTS * page.SLOT_MS);
      const within = (q) => units.within(bounds, buckets, q);
      const words = `last two minutes: ${units.count(count)} requests, `
        + `${seconds > 0 ? units.rate(count / seconds) : 0} a second, ${units.count(failed)} failed; `
        + `half within ${within(0.5)}, 90 % within ${within(0.9)}, 99 % within ${within(0.99)}`;
      attribute(get("rate"), "aria-label", `Chart of requests a second, ${words}`);
      attribute(get("heat"), "aria-label", `Heatmap of latency, ${words}`);
      if (get("figures").open) {
        text(get("figures-caption"), `In the ${words}.`);
        render(get("figures-body"), ...buckets.flatMap((value, i) =>
          (value < 0.5 ? [] : [row(bounds, i, value, count)])));
      }
    },
  };
}
