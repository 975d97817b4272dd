/* Latency as a heatmap: across is time, up is how long it took, colour is how many. A cell is one slot by
 * one bucket of the histogram. Rows are as tall as their buckets on a logarithmic scale, and so are the
 * steps of colour: one slow request among thousands is seen. */
{
  const { get, text } = page.dom;
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
    for (const slot of slots) {
      const x = area.x(slot.slot);
      context.fillRect(x, area.top, area.x(slot.slot + 1) - x, area.height);
    }
  }

  /* How a count is coloured, when `most` is the most. A fraction of a request is one: frames were lost,
   * and what ended meanwhile is spread. */
  function colouring(heat, most) {
    const least = Math.log1p(0.4);
    const last = heat.length - 1;
    return (count) =>
      heat[Math.max(0, Math.min(last, Math.round((last * (Math.log1p(count) - least)) / (Math.log1p(most) - least))))];
  }

  /* The count of the strongest colour. */
  const mostOf = (slots) => units.ceiling(Math.max(10, ...slots.flatMap((slot) => slot.buckets)));

  function paint(context, area, colours, state) {
    const { bounds } = state.hello;
    const y = ladder(area, bounds);
    const all = edges(bounds);
    const colour = colouring(colours.heat, mostOf(state.slots));
    const seen = state.slots.filter((slot) => area.x(slot.slot) >= area.left);
    ground(context, area, colours, seen);
    rows(context, area, colours, bounds, y);
    for (const slot of seen) {
      const x = area.x(slot.slot);
      const width = area.x(slot.slot + 1) - x;
      slot.buckets.forEach((count, i) => {
        if (count > 0) {
          context.fillStyle = colour(count);
          context.fillRect(x, y(all[i + 1]), width, Math.max(2, y(all[i]) - y(all[i + 1])));
        }
      });
      if (slot.faults) {
        context.fillStyle = colours["fault-edge"];
        context.fillRect(x, area.top - 4, width, 3);
      }
    }
  }

  /* What the pointer is at, in words; null where nothing is. */
  function cellAt(area, state, x, y) {
    const { bounds } = state.hello;
    const height = ladder(area, bounds);
    const number = area.slotAt(x);
    const bucket = edges(bounds).findLastIndex((edge) => height(edge) >= y);
    const slot = state.slots.find((one) => one.slot === number);
    return slot?.buckets[bucket] === undefined ? null
      : `${units.time(number * page.SLOT_MS)} UTC, ${units.range(bounds, bucket)}: `
        + `${units.count(slot.buckets[bucket])} of ${units.count(slot.count)}`;
  }

  /* The scale above the chart. */
  function legend(canvas, heat) {
    const context = canvas.getContext("2d");
    heat.forEach((colour, i) => {
      context.fillStyle = colour;
      context.fillRect((i * canvas.width) / heat.length, 0, canvas.width / heat.length + 1, canvas.height);
    });
  }

  page.heatmap = function () {
    const canvas = get("heat");
    const readout = get("readout");
    const plot = page.plot(canvas, paint);
    const asking = readout.textContent;
    let shown = null; /* [area, state] */

    canvas.addEventListener("pointermove", (event) =>
      text(readout, (shown && cellAt(...shown, event.offsetX, event.offsetY)) ?? asking));
    canvas.addEventListener("pointerleave", () => text(readout, asking));
    return {
      draw(state) {
        shown = [plot.draw(state), state];
        legend(get("heat-scale"), page.colours().heat);
        text(get("heat-most"), units.count(mostOf(state.slots)));
      },
    };
  };
}
