/* Latency as a heatmap: across is time, up is how long it took, colour is how many.
 *
 *     10 s  |                        a cell: one slot x one bucket of the histogram that /metrics
 *    100 ms |      ░▒▒░     ░        exposes. Rows are as tall as their buckets on a logarithmic
 *      1 ms |░░▒▓▓▓▒░▒▓▓▓▓▒░▒▓       scale, and so are the steps of colour: one slow request among
 *    100 µs |▓▓███▓▓▓██████▓▓█       thousands is seen. */
{
  const { get, text, attribute } = page.dom;
  const { units } = page;
  const TICKS = [0.0001, 0.001, 0.01, 0.1, 1, 10];
  /* Below the first bound and above the last one there is no end: as much as this is shown. */
  const BEYOND = 2.5;

  /* The edges of the rows, from below. */
  const edges = (bounds) => [bounds[0] / BEYOND, ...bounds, bounds.at(-1) * BEYOND];

  function ladder(area, bounds) {
    const all = edges(bounds);
    const low = Math.log(all[0]);
    const high = Math.log(all.at(-1));
    return (seconds) => Math.round(area.bottom - ((Math.log(seconds) - low) / (high - low)) * area.height);
  }

  function rows(context, area, colours, bounds, y) {
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const tick of TICKS.filter((one) => one >= bounds[0] && one <= bounds.at(-1))) {
      context.fillStyle = colours.line;
      context.fillRect(area.left, y(tick), area.width, 1);
      context.fillStyle = colours.muted;
      context.fillText(units.duration(tick), area.left - 6, y(tick));
    }
  }

  /* What was seen has a ground; where there is none, the page was not there or heard nothing. */
  function ground(context, area, colours, slots) {
    context.fillStyle = colours.sunk;
    for (const slot of slots.filter((one) => area.x(one.slot) >= area.left)) {
      const x = area.x(slot.slot);
      context.fillRect(x, area.top, area.x(slot.slot + 1) - x, area.height);
    }
  }

  page.heatmap = function () {
    const canvas = get("heat");
    const scale = get("heat-scale");
    const readout = get("readout");
    const asking = readout.textContent;
    let most = 10;
    let area = null;
    let state = null;
    let scaled = null;

    function paint(context, where, colours, what) {
      const { bounds } = what.hello;
      const y = ladder(where, bounds);
      const all = edges(bounds);
      const counts = what.slots.flatMap((slot) => slot.buckets);
      most = units.ceiling(Math.max(10, ...counts));
      const steps = colours.heat.length - 1;
      const least = Math.log1p(0.4);
      const span = Math.log1p(most) - least;
      ground(context, where, colours, what.slots);
      rows(context, where, colours, bounds, y);
      for (const slot of what.slots) {
        const x = where.x(slot.slot);
        const width = where.x(slot.slot + 1) - x;
        if (x < where.left) {
          continue;
        }
        slot.buckets.forEach((count, i) => {
          if (count > 0) {
            const step = Math.max(0, (Math.log1p(count) - least) / span);
            context.fillStyle = colours.heat[Math.min(steps, Math.round(step * steps))];
            context.fillRect(x, y(all[i + 1]), width, Math.max(2, y(all[i]) - y(all[i + 1])));
          }
        });
        if (slot.faults) {
          context.fillStyle = colours["fault-edge"];
          context.fillRect(x, where.top - 4, width, 3);
        }
      }
    }

    /* The scale above the chart; only when its colours changed. */
    function legend() {
      text(get("heat-most"), units.count(most));
      const { heat } = page.colours();
      if (scaled !== heat) {
        scaled = heat;
        const context = scale.getContext("2d");
        heat.forEach((colour, i) => {
          context.fillStyle = colour;
          context.fillRect((i * scale.width) / heat.length, 0, scale.width / heat.length + 1, scale.height);
        });
      }
    }

    function read(event) {
      if (!area || !state?.hello) {
        return;
      }
      const y = ladder(area, state.hello.bounds);
      const number = area.slotAt(event.offsetX);
      const bucket = edges(state.hello.bounds).findLastIndex((edge) => y(edge) >= event.offsetY);
      const slot = state.slots.find((one) => one.slot === number);
      if (!slot || bucket < 0 || bucket > state.hello.bounds.length) {
        text(readout, asking);
        return;
      }
      text(readout, `${units.time(number * page.SLOT_MS)} UTC, ${units.range(state.hello.bounds, bucket)}: `
        + `${units.count(slot.buckets[bucket])} of ${units.count(slot.count)}`);
    }

    canvas.addEventListener("pointermove", read);
    canvas.addEventListener("pointerleave", () => text(readout, asking));
    const plot = page.plot(canvas, paint);
    return {
      draw(what) {
        state = what;
        area = plot.draw(what);
        legend();
      },
      describe(what) {
        const { buckets, count } = what.window(page.SLOTS * page.SLOT_MS);
        const at = (q) => units.within(what.hello.bounds, buckets, q);
        attribute(canvas, "aria-label", count > 0
          ? `Latency over the last two minutes as a heatmap: half of ${units.count(count)} requests within `
            + `${at(0.5)}, 90 % within ${at(0.9)}, 99 % within ${at(0.99)}.`
          : "Latency over the last two minutes as a heatmap: no requests.");
      },
    };
  };
}
