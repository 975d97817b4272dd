/* The last requests, a line each, newest first.
 *
 * A line under the pointer or the keyboard's focus must not run away: while either is in the list, a
 * request is open, or Pause is pressed, the list stands still and says how many wait. It is a listbox:
 * one stop of the Tab key, arrows within, Enter opens. */
{
  const { el, get, text, attribute } = page.dom;
  const { units } = page;
  const SHOWN = 100;
  const REASONS = { button: "paused", open: "paused while a request is open", focus: "paused while in use",
    pointer: "paused under the pointer" };

  /* What there was in place of a status is what went wrong. */
  const outcome = (request) => (request.status === null ? request.error ?? "–" : String(request.status));

  /* The request of each line. */
  const requests = new WeakMap();

  function line(request) {
    const tone = request.failed ? "bad" : request.status >= 400 ? "doubt" : "good";
    const node = el("li", { role: "option", tabindex: "-1", "data-tone": tone, "aria-selected": "false" },
      el("span", { class: "when" }, units.clock(request.end_ms)),
      el("span", { class: "status" }, request.status === null ? "–" : String(request.status)),
      el("span", { class: "what" }, `${request.method} ${request.path}`,
        request.fault ? el("span", { class: "tag" }, request.fault) : null,
        request.error && request.error !== String(request.status)
          ? el("span", { class: "tag" }, request.error) : null),
      el("span", { class: "took number" }, units.duration(request.duration_ms / 1000)),
      el("span", { class: "trace" }, request.trace_id));
    requests.set(node, request);
    return node;
  }

  class List {
    constructor(open) {
      this.node = get("lines");
      this.open = open;
      this.failures = get("requests-failures");
      this.forget();
      this.state = null;
      this.listen();
    }

    listen() {
      const mouse = (is) => (event) => event.pointerType === "mouse" && this.hold("pointer", is);
      this.node.addEventListener("pointerenter", mouse(true));
      this.node.addEventListener("pointerleave", mouse(false));
      /* A mouse leaves the focus behind where it clicked, and that holds nothing. */
      this.node.addEventListener("focusin", (event) =>
        this.hold("focus", event.target.matches(":focus-visible")));
      this.node.addEventListener("focusout", (event) => /* from line to line it stays */
        this.why.focus && this.hold("focus", this.node.contains(event.relatedTarget)));
      this.node.addEventListener("keydown", (event) => this.key(event));
      this.node.addEventListener("click", (event) => {
        const target = event.target.closest("li");
        if (target) {
          this.reach(target);
          this.choose(target, true);
        }
      });
      get("requests-pause").addEventListener("click", () => {
        this.hold("button", !this.why.button);
      });
      this.failures.addEventListener("change", () => {
        this.node.replaceChildren();
        this.last = 0;
        this.fill();
      });
    }

    hold(reason, is) {
      this.why[reason] = is;
      attribute(get("requests-pause"), "aria-pressed", String(this.why.button));
      this.draw(this.state);
    }

    isHeld() {
      return Object.values(this.why).includes(true);
    }

    waiting() {
      return this.state.requests.filter((request) => request.sequence > this.last
        && (!this.failures.checked || request.failed));
    }

    fill() {
      const fresh = this.waiting().slice(-SHOWN).map(line).reverse();
      this.last = this.state.requests.at(-1)?.sequence ?? this.last;
      this.node.prepend(...fresh);
      while (this.node.childElementCount > SHOWN) {
        this.node.lastElementChild.remove();
      }
      this.mark(this.node.firstElementChild);
    }

    draw(state) {
      if (!state) {
        return;
      }
      this.state = state;
      if (!this.isHeld()) {
        this.fill();
      }
      const waiting = this.isHeld() ? this.waiting().length : 0;
      const reason = Object.keys(REASONS).find((name) => this.why[name]);
      const skipped = state.frame?.requests_skipped ?? 0;
      text(get("requests-told"), (reason ? `${REASONS[reason]}, ${units.count(waiting)} newer` : "newest first")
        + (skipped > 0 ? `; ${units.count(skipped)} came too fast to be shown` : ""));
      this.node.hidden = this.node.childElementCount === 0;
      get("lines-empty").hidden = !this.node.hidden;
      text(get("lines-empty"), this.failures.checked ? "No failed request." : "No request yet.");
    }

    /* Another process: what was held is gone. */
    forget() {
      this.why = { pointer: false, focus: false, open: false, button: false };
      this.node.replaceChildren();
      this.last = 0;
      attribute(get("requests-pause"), "aria-pressed", "false");
    }

    /* Where the Tab key leads: the newest, unless the reader went to another. */
    mark(target) {
      this.node.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
      target?.setAttribute("tabindex", "0");
    }

    reach(target) {
      this.mark(target);
      target.focus();
    }

    key(event) {
      const here = event.target.closest("li");
      const to = {
        ArrowDown: here?.nextElementSibling,
        ArrowUp: here?.previousElementSibling,
        Home: this.node.firstElementChild,
        End: this.node.lastElementChild,
      };
      if (event.key in to) {
        event.preventDefault();
        if (to[event.key]) {
          this.reach(to[event.key]);
        }
      } else if (here && (event.key === "Enter" || event.key === " ")) {
        event.preventDefault();
        this.choose(here, true);
      }
    }

    choose(target, isReached) {
      this.select(target);
      this.open(requests.get(target), isReached);
    }

    select(target) {
      this.node.querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
      target?.setAttribute("aria-selected", "true");
    }

    selected() {
      return this.node.querySelector('[aria-selected="true"]');
    }

    /* Opens what stands above or below the open one. */
    step(by) {
      const here = this.selected();
      const to = by < 0 ? here?.previousElementSibling : here?.nextElementSibling;
      if (to) {
        to.scrollIntoView({ block: "nearest" });
        this.choose(to, false);
      }
    }

    /* After a request was closed: back to where it was opened. */
    release() {
      const here = this.selected();
      this.select(null);
      this.why.open = false;
      if (here) {
        this.reach(here);
      }
    }
  }

  page.requests = (open) => new List(open);
  page.outcome = outcome;
}
