/* What the page knows: the last frame, two minutes of history, the last requests.
 *
 * The stream brings totals; what is shown are differences of them, kept in slots of half a second:
 *
 *     frame  frame   frame   frame  frame        a slot: { slot, seconds, count, failed,
 *     --+------+---|---+-------+---|--+-->               buckets[], routes[], faults }
 *          slot n  |    slot n+1   |
 *
 * A difference belongs to the slot in its middle; one that is longer than two slots is spread over all
 * it lasted. `seconds` is how much of the slot was seen: where it is 0 the charts show a gap. */
{
  const SLOT_MS = 500;
  const SLOTS = 240;
  const REQUESTS = 300;

  const sum = (list, of) => list.reduce((total, item) => total + of(item), 0);

  class State {
    constructor() {
      this.hello = null;
      this.restarts = 0;
      this.link = { state: "connecting" };
      this.begin();
    }

    begin() {
      this.frame = null;
      this.slots = [];
      this.requests = [];
      this.sequence = 0;
      this.lostFrames = 0;
    }

    /* A stream begins. Returns true when it is another process: that starts from nothing. */
    greet(hello) {
      const known = this.hello;
      const isNew = known?.pid !== hello.pid || known.started_ms !== hello.started_ms;
      if (isNew) {
        this.restarts += known ? 1 : 0;
        this.begin();
      }
      this.hello = hello;
      this.frame = null;
      return isNew;
    }

    take(frame) {
      const before = this.frame;
      this.frame = frame;
      if (before && frame.now_ms < before.now_ms) {
        this.slots = [];
      } else if (before) {
        this.record(before, frame);
      }
      for (const request of frame.requests) {
        request.sequence = ++this.sequence;
        this.requests.push(request);
      }
      this.requests.splice(0, this.requests.length - REQUESTS);
    }

    slot(number) {
      let index = this.slots.length;
      while (index > 0 && this.slots[index - 1].slot > number) {
        index--;
      }
      if (index > 0 && this.slots[index - 1].slot === number) {
        return this.slots[index - 1];
      }
      const fresh = {
        slot: number, seconds: 0, count: 0, failed: 0, faults: "",
        buckets: new Array(this.hello.bounds.length + 1).fill(0),
        routes: this.hello.routes.map(() => [0, 0]),
      };
      this.slots.splice(index, 0, fresh);
      return fresh;
    }

    record(before, frame) {
      const lasted = frame.now_ms - before.now_ms;
      const faults = page.faults.kinds(frame);
      for (const [number, part] of parts(before.now_ms, frame.now_ms)) {
        const slot = this.slot(number);
        slot.seconds += (lasted * part) / 1000;
        slot.faults = faults;
        frame.buckets.forEach((total, i) => (slot.buckets[i] += part * (total - before.buckets[i])));
        frame.by_route.forEach((row, i) => {
          const was = before.by_route[i];
          slot.routes[i][0] += part * (row.count - was.count);
          slot.routes[i][1] += part * (row.failed - was.failed);
        });
        slot.count = sum(slot.routes, (route) => route[0]);
        slot.failed = sum(slot.routes, (route) => route[1]);
      }
      const oldest = this.now() - SLOTS;
      while (this.slots.length > 0 && this.slots[0].slot <= oldest) {
        this.slots.shift();
      }
    }

    /* The slot of the last frame. */
    now() {
      return this.frame ? Math.floor(this.frame.now_ms / SLOT_MS) : 0;
    }

    /* What the last `ms` add up to. */
    window(ms) {
      const first = this.now() - ms / SLOT_MS;
      const slots = this.slots.filter((slot) => slot.slot > first);
      return {
        seconds: sum(slots, (slot) => slot.seconds),
        count: sum(slots, (slot) => slot.count),
        failed: sum(slots, (slot) => slot.failed),
        buckets: (this.hello?.bounds ?? []).concat(0)
          .map((_, i) => sum(slots, (slot) => slot.buckets[i])),
        routes: (this.hello?.routes ?? []).map((route, i) => ({
          route,
          count: sum(slots, (slot) => slot.routes[i][0]),
          failed: sum(slots, (slot) => slot.routes[i][1]),
        })),
      };
    }
  }

  /* The slots that a difference belongs to, and how much of it to each. */
  function parts(from, to) {
    if (to - from <= 2 * SLOT_MS) {
      return [[Math.floor((from + to) / 2 / SLOT_MS), 1]];
    }
    const result = [];
    for (let slot = Math.floor(from / SLOT_MS); slot * SLOT_MS < to && result.length < SLOTS; slot++) {
      const overlap = Math.min(to, (slot + 1) * SLOT_MS) - Math.max(from, slot * SLOT_MS);
      result.push([slot, overlap / (to - from)]);
    }
    return result;
  }

  /* The duration below which a share q of the requests stayed, taken as evenly spread within a
   * bucket; null without any, Infinity beyond the last bound. */
  function quantile(bounds, buckets, q) {
    const all = sum(buckets, (count) => count);
    if (all <= 0) {
      return null;
    }
    let below = 0;
    for (let i = 0; i < bounds.length; i++) {
      if (buckets[i] > 0 && below + buckets[i] >= q * all) {
        const lower = i === 0 ? 0 : bounds[i - 1];
        return lower + ((bounds[i] - lower) * (q * all - below)) / buckets[i];
      }
      below += buckets[i];
    }
    return Infinity;
  }

  page.State = State;
  page.quantile = quantile;
  page.SLOTS = SLOTS;
  page.SLOT_MS = SLOT_MS;
}
