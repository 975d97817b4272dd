/* Requests a second, all and failed, and behind them the time in which a fault was in force. A point is
 * what its slot and the three before it held, or a rate of a few requests would be all teeth. */
{
  const { get } = page.dom;
  const { units } = page;
  const OVER = 4;

  /* [{slot, rate, failed}] in runs without a gap. */
  function runs(slots) {
    const result = [];
    slots.forEach((slot, i) => {
      const over = slots.slice(Math.max(0, i - OVER + 1), i + 1).filter((one) => one.slot > slot.slot - OVER);
      const seconds = over.reduce((total, one) => total + one.seconds, 0);
      if (seconds <= 0) {
        return;
      }
      if (i === 0 || slots[i - 1].slot !== slot.slot - 1 || result.length === 0) {
        result.push([]);
      }
      result.at(-1).push({
        slot: slot.slot,
        rate: over.reduce((total, one) => total + one.count, 0) / seconds,
        failed: over.reduce((total, one) => total + one.failed, 0) / seconds,
      });
    });
    return result;
  }

  function faultBands(context, area, colours, slots) {
    let from = 0;
    while (from < slots.length) {
      let to = from;
      while (to < slots.length && slots[to].faults === slots[from].faults) {
        to++;
      }
      if (slots[from].faults) {
        const left = Math.max(area.left, area.x(slots[from].slot));
        const right = area.x(slots[to - 1].slot + 1);
        context.fillStyle = colours.fault;
        context.fillRect(left, area.top, right - left, area.height);
        context.fillStyle = colours["fault-edge"];
        context.fillRect(left, area.top, right - left, 2);
        context.fillStyle = colours.ink;
        context.textAlign = "left";
        context.textBaseline = "top";
        if (context.measureText(slots[from].faults).width < right - left - 8) {
          context.fillText(slots[from].faults, left + 4, area.top + 5);
        }
      }
      from = to;
    }
  }

  function grid(context, area, colours, most) {
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const part of [0, 0.5, 1]) {
      const y = Math.round(area.bottom - part * area.height) + 0.5;
      context.strokeStyle = colours.line;
      context.beginPath();
      context.moveTo(area.left, y);
      context.lineTo(area.right, y);
      context.stroke();
      context.fillStyle = colours.muted;
      context.fillText(`${units.rate(part * most)}${part === 1 ? " /s" : ""}`, area.left - 6, y);
    }
  }

  function shape(context, area, run, y, colour, ground) {
    const middle = (point) => (area.x(point.slot) + area.x(point.slot + 1)) / 2;
    context.beginPath();
    run.forEach((point, i) => context[i === 0 ? "moveTo" : "lineTo"](middle(point), y(point)));
    context.strokeStyle = colour;
    context.lineWidth = 1.75;
    context.lineJoin = "round";
    context.stroke();
    context.lineWidth = 1;
    context.lineTo(middle(run.at(-1)), area.bottom);
    context.lineTo(middle(run[0]), area.bottom);
    context.globalAlpha = 0.55;
    context.fillStyle = ground;
    context.fill();
    context.globalAlpha = 1;
  }

  function paint(context, area, colours, state) {
    const found = runs(state.slots);
    const most = units.ceiling(Math.max(1, ...found.flat().map((point) => point.rate)));
    faultBands(context, area, colours, state.slots);
    grid(context, area, colours, most);
    const height = (value) => area.bottom - (value / most) * area.height;
    for (const run of found) {
      shape(context, area, run, (point) => height(point.rate), colours.rate, colours["rate-ground"]);
      if (run.some((point) => point.failed > 0)) {
        shape(context, area, run, (point) => height(point.failed), colours.failed, colours.failed);
      }
    }
  }

  page.rate = () => page.plot(get("rate"), paint);
}
