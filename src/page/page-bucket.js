/* Where a request fell among those of all users since the start: a bar for each bucket, its own marked,
 * as tall as the logarithm of its count, so that a bucket with one request is there beside one with a
 * million. A request whose route is no user's is in none of them. */
{
  const { el, svg } = page.dom;
  const { units } = page;
  const WIDTH = 440;
  const HEIGHT = 132;
  const FLOOR = HEIGHT - 16;

  page.bucket = function (bounds, buckets, request) {
    const own = request.user === false ? -1 : request.bucket.index;
    const step = WIDTH / buckets.length;
    const most = Math.log1p(Math.max(1, ...buckets));
    const all = buckets.reduce((total, count) => total + count, 0);
    const label = (index) => (index === bounds.length ? "+Inf" : units.duration(bounds[index]));
    const words = `The bars: all users' requests since the start, ${units.count(all)}. `
      + (own < 0 ? "This one is no user's, and not among them: only its own series has it."
        : `This one fell into ${units.range(bounds, own)}, with ${units.count(buckets[own])} of them.`);
    const bars = buckets.map((count, i) => {
      const height = Math.max(i === own ? 3 : count > 0 ? 2 : 1, (FLOOR - 14) * (Math.log1p(count) / most));
      return svg("rect", {
        x: (i * step + 1).toFixed(1), y: (FLOOR - height).toFixed(1), width: (step - 2).toFixed(1),
        height: height.toFixed(1), class: i === own ? "is-own" : null,
      }, svg("title", {}, `${units.range(bounds, i)}: ${units.count(count)}`));
    });
    const middle = (own + 0.5) * step;
    const anchor = own < 2 ? "start" : own > buckets.length - 3 ? "end" : "middle";
    const mark = own < 0 ? [] : [svg("text", { class: "is-own", x: middle.toFixed(1), y: HEIGHT - 3,
      "text-anchor": anchor }, `≤ ${label(own)}`)];
    const ends = [[0, "start", 0], [buckets.length - 1, "end", WIDTH]]
      .filter(([index]) => own < 0 || Math.abs(index - own) > 3)
      .map(([index, side, x]) => svg("text", { x, y: HEIGHT - 3, "text-anchor": side }, label(index)));
    return [
      svg("svg", { class: "bars", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words },
        ...bars, ...mark, ...ends),
      el("p", {}, words),
    ];
  };
}
