/* The two charts as a table, for those who would rather read: what a heatmap tells at a glance, a row
 * a bucket. It is written anew every two seconds, and only while it is open. */
{
  const { el, get, text, render } = page.dom;
  const { units } = page;

  page.figures = function () {
    return {
      draw(state) {
        if (!get("figures").open) {
          return;
        }
        const { bounds } = state.hello;
        const { buckets, count, failed, seconds } = state.window(page.SLOTS * page.SLOT_MS);
        const within = (q) => units.within(bounds, buckets, q);
        text(get("figures-caption"), `Last two minutes: ${units.count(count)} requests, `
          + `${seconds > 0 ? units.rate(count / seconds) : 0} a second, ${units.count(failed)} failed; `
          + `p50 ${within(0.5)}, p90 ${within(0.9)}, p99 ${within(0.99)}.`);
        const edge = (index) => (bounds[index] === undefined ? "–" : units.duration(bounds[index]));
        render(get("figures-body"), ...buckets.flatMap((value, i) => (value < 0.5 ? [] : [el("tr", {},
          el("td", {}, i === 0 ? "0" : edge(i - 1)), el("td", {}, edge(i)),
          el("td", { class: "number" }, units.count(value)),
          el("td", { class: "number" }, units.share(value, count)))])));
      },
    };
  };
}
