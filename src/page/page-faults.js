/* The faults that the service says are armed: what, where, how strong, and for how long yet. */
{
  const { el, get, text, render, place, say } = page.dom;
  const { units } = page;
  const percent = (ratio) => `${+(100 * ratio).toFixed(2)} %`;
  const ms = (value) => units.duration(value / 1000);

  /* In words, a row a kind. */
  const STRENGTH = {
    error: (fault) => `${percent(fault.ratio)} answered ${fault.status}`,
    latency: (fault) => `p50 ${ms(fault.p50_ms)}, p90 ${ms(fault.p90_ms)}, p99 ${ms(fault.p99_ms)}`,
    cpu: (fault) => `${ms(fault.cpu_ms)} of CPU a request`,
    reset: (fault) => `${percent(fault.ratio)} of connections reset`,
    truncate: (fault) => `${percent(fault.ratio)} of answers cut short`,
    not_ready: () => "/readyz answers 503",
    slow_start: (fault) => `ready ${ms(fault.ready_after_ms)} after the start`,
    memory: (fault) => `${units.bytes(fault.bytes)} held`,
    background_cpu: (fault) => `${fault.cpus} CPUs burnt`,
  };
  const NEXT = 3; /* of those that are scheduled */

  function until(fault, now) {
    if (fault.state === "scheduled") {
      return `in ${units.left(Date.parse(fault.start) - now)}`;
    }
    return `${units.left(fault.remaining_ms)} left`;
  }

  function item(fault, now) {
    const lasts = Date.parse(fault.end) - Date.parse(fault.start);
    const part = fault.state === "in_force" ? Math.min(1, fault.remaining_ms / lasts) : 1;
    const routes = fault.routes && fault.route.endsWith("*") ? `: ${fault.routes.join(", ")}` : "";
    return el("li", { class: `is-${fault.state}`, "data-fault": fault.fault },
      el("div", { class: "fault" },
        el("span", {}, el("span", { class: "tag" }, fault.fault), el("code", {}, fault.route ?? "the process")),
        el("b", {}, until(fault, now)),
        el("span", { class: "what muted" }, `${STRENGTH[fault.fault]?.(fault) ?? ""}; `
          + `${fault.state === "scheduled" ? "from" : "until"} `
          + `${units.time(Date.parse(fault.state === "scheduled" ? fault.start : fault.end))} UTC${routes}`)),
      fault.state === "in_force"
        ? el("div", { class: "remains", "aria-hidden": "true" },
          place(el("span", {}), { length: `${(100 * part).toFixed(1)}%` })) : null);
  }

  const SOURCES = { none: "none armed", file: "from the file", api: "started over the API", incident: "incident" };

  function source(faults) {
    return [SOURCES[faults.source] ?? faults.source, faults.plan?.name].filter(Boolean).join(" ");
  }

  page.faults = {
    /* "error, latency": what is in force, each kind once. */
    kinds(frame) {
      const found = (frame.faults?.faults ?? []).filter((fault) => fault.state === "in_force");
      return [...new Set(found.map((fault) => fault.fault))].join(", ");
    },

    panel() {
      let spoken = "";
      return {
        draw(state) {
          const { faults } = state.frame;
          const of = (which) => faults.faults.filter((fault) => fault.state === which);
          const scheduled = of("scheduled").sort((a, b) => Date.parse(a.start) - Date.parse(b.start));
          const items = [...of("in_force"), ...scheduled.slice(0, NEXT)]
            .map((fault) => item(fault, state.frame.now_ms));
          const rest = [items.length === 0 ? "No fault is in force, and none is scheduled" : "",
            scheduled.length > NEXT ? `${scheduled.length - NEXT} more scheduled` : "",
            of("over").length > 0 ? `${of("over").length} over` : ""].filter(Boolean).join("; ");
          render(get("faults"), ...items, ...(rest ? [el("li", { class: "muted" }, rest)] : []));
          text(get("faults-source"), source(faults));
          get("faults-file").hidden = !faults.file?.error;
          text(get("faults-file"), faults.file?.error
            ? `${faults.file.path} was refused, and the plan before it stays: ${faults.file.error}` : "");
          const kinds = page.faults.kinds(state.frame);
          if (kinds !== spoken) {
            spoken = kinds;
            say(kinds ? `Faults in force: ${kinds}.` : "No fault is in force any more.");
          }
        },
      };
    },
  };
}
