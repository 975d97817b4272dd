/* Figures as people read them. Seconds in, words out; three digits that count, no more. */
{
  const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
  const three = new Intl.NumberFormat("en-GB", { maximumSignificantDigits: 3 });

  const SIZES = ["B", "KiB", "MiB", "GiB", "TiB"];

  function duration(seconds) {
    if (seconds < 0.0009995) {
      return `${three.format(seconds * 1e6)} µs`;
    }
    if (seconds < 0.9995) {
      return `${three.format(seconds * 1e3)} ms`;
    }
    return `${three.format(seconds)} s`;
  }

  /* Time left: 0:09, 12:03, 1:02:03. A second that has begun counts. */
  function left(ms) {
    const seconds = Math.max(0, Math.ceil(ms / 1000));
    const pad = (value) => String(value).padStart(2, "0");
    const minutes = Math.floor(seconds / 60);
    return minutes < 60
      ? `${minutes}:${pad(seconds % 60)}`
      : `${Math.floor(minutes / 60)}:${pad(minutes % 60)}:${pad(seconds % 60)}`;
  }

  function share(part, all) {
    if (all <= 0) {
      return "–";
    }
    const percent = (100 * part) / all;
    if (part > 0 && percent < 0.1) {
      return "< 0.1 %";
    }
    return `${percent === 0 ? "0" : percent < 99.95 && percent > 0 ? percent.toFixed(1) : "100"} %`;
  }

  function bytes(count) {
    let unit = 0;
    while (count >= 1024 && unit + 1 < SIZES.length) {
      count /= 1024;
      unit++;
    }
    return `${three.format(count)} ${SIZES[unit]}`;
  }

  /* How long something has lasted, roughly: 42 s, 12 min, 3 h 5 min, 2 d 4 h. */
  function age(ms) {
    const minutes = Math.floor(ms / 60000);
    if (minutes < 1) {
      return `${Math.max(0, Math.floor(ms / 1000))} s`;
    }
    if (minutes < 60) {
      return `${minutes} min`;
    }
    const hours = Math.floor(minutes / 60);
    return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
  }

  /* The range of a bucket. */
  function range(bounds, index) {
    if (index === 0) {
      return `up to ${duration(bounds[0])}`;
    }
    return index === bounds.length
      ? `over ${duration(bounds[index - 1])}`
      : `${duration(bounds[index - 1])} – ${duration(bounds[index])}`;
  }

  /* The first of 1, 2, 5, 10, 20, 50, … that is not below. */
  function ceiling(value) {
    const power = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
    return [1, 2, 5, 10].find((step) => step * power >= value * 0.999999) * power;
  }

  /* What a share q of the requests stayed within, in words. */
  function within(bounds, buckets, q) {
    const seconds = page.quantile(bounds, buckets, q);
    if (seconds === null) {
      return "–";
    }
    return Number.isFinite(seconds) ? duration(seconds) : `over ${duration(bounds.at(-1))}`;
  }

  page.units = {
    within,
    count: (value) => whole.format(value),
    rate: (value) => (value < 10 && value % 1 !== 0 ? value.toFixed(1) : whole.format(value)),
    duration,
    left,
    share,
    bytes,
    age,
    range,
    ceiling,
    /* The log's clock, and so this page's, is UTC. */
    clock: (ms) => new Date(ms).toISOString().slice(11, 23),
    time: (ms) => new Date(ms).toISOString().slice(11, 19),
  };
}
