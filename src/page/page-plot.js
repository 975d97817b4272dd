/* What the two charts share: a sharp canvas, the colours of the style sheet, and an axis of time. It
 * stands still; what is drawn moves by whole slots, so that nothing shimmers. */
{
  const LEFT = 58;
  const RIGHT = 10;
  const TOP = 8;
  const BOTTOM = 20;
  /* Seconds ago, and what is written there; on a narrow chart every other one. */
  const TICKS = [[120, "2 min ago"], [90, "90 s"], [60, "1 min"], [30, "30 s"], [0, "now"]];
  const NARROW = 420;

  let colours = {};

  /* Sixty-four colours through the points that the style sheet gives as "L C H, …" of OKLCH. */
  function palette(points) {
    const stops = points.split(",").map((point) => point.trim().split(/\s+/).map(Number));
    return Array.from({ length: 64 }, (_, i) => {
      const at = (i / 63) * (stops.length - 1);
      const low = Math.min(Math.floor(at), stops.length - 2);
      return `oklch(${stops[low].map((value, k) => value + (stops[low + 1][k] - value) * (at - low)).join(" ")})`;
    });
  }

  function readColours() {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(`--${name}`).trim();
    colours = Object.fromEntries(["panel", "sunk", "line", "ink", "muted", "rate", "rate-ground", "failed",
      "fault", "fault-edge", "sans"].map((name) => [name, of(name)]));
    colours.heat = palette(of("heat"));
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (colours = {}));

  function timeAxis(context, area) {
    context.fillStyle = colours.muted;
    context.textBaseline = "top";
    const ticks = TICKS.filter((_, i) => area.width > NARROW || i % 2 === 0);
    for (const [seconds, words] of ticks) {
      const part = 1 - seconds / TICKS[0][0];
      context.textAlign = part === 0 ? "left" : part === 1 ? "right" : "center";
      context.fillText(words, area.left + area.width * part, area.bottom + 5);
    }
  }

  /* Makes a chart of a canvas: paint(context, area, colours, state) draws into the area. `x(slot)` of
   * the area is where a slot begins, in whole pixels of the screen. */
  page.plot = function (canvas, paint) {
    const context = canvas.getContext("2d");
    let last = null;

    function draw(state) {
      last = state;
      if (!colours.ink) {
        readColours();
      }
      const ratio = devicePixelRatio || 1;
      const width = canvas.clientWidth;
      const height = canvas.clientHeight;
      if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(height * ratio);
      }
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, height);
      context.font = `11px ${colours.sans}`;
      const area = {
        left: LEFT, right: width - RIGHT, top: TOP, bottom: height - BOTTOM,
        width: width - LEFT - RIGHT, height: height - TOP - BOTTOM,
      };
      const first = state.now() - page.SLOTS + 1;
      area.x = (slot) => area.left + Math.round(((slot - first) / page.SLOTS) * area.width * ratio) / ratio;
      area.slotAt = (x) => first + Math.floor(((x - area.left) / area.width) * page.SLOTS);
      paint(context, area, colours, state);
      timeAxis(context, area);
      return area;
    }

    new ResizeObserver(() => last && draw(last)).observe(canvas);
    return { draw };
  };

  page.colours = function () {
    if (!colours.ink) {
      readColours();
    }
    return colours;
  };
}
