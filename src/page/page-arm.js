/* Starting and stopping faults over the service's own API: PUT /faults, POST /incidents/{name},
 * DELETE /faults, with a token that is typed here and kept nowhere. What the API refuses is shown in
 * its own words. */
{
  const { el, option, get, text } = page.dom;
  const { units } = page;
  const DURATIONS = [["10s", "10 seconds"], ["30s", "30 seconds"], ["1m", "1 minute"], ["5m", "5 minutes"],
    ["15m", "15 minutes"]];

  /* The values of a kind as the plan names them: label, what stands there at first, how it is read. */
  const number = Number;
  const VALUES = {
    error: { ratio: ["Share, 0 to 1", "0.3", number], status: ["Status", "503", number] },
    latency: { p50: ["Half within", "50ms"], p90: ["90 % within", "200ms"], p99: ["99 % within", "1s"] },
    cpu: { per_request: ["A request", "20ms"] },
    reset: { ratio: ["Share, 0 to 1", "0.2", number] },
    truncate: { ratio: ["Share, 0 to 1", "0.2", number] },
    not_ready: null,
    slow_start: { ready_after: ["Ready after", "30s"] },
    memory: { bytes: ["Bytes", "64MiB"] },
    background_cpu: { cpus: ["CPUs", "0.5", number] },
  };

  const inputId = (name) => `arm-value-${name}`;

  function fields(kind) {
    return Object.entries(VALUES[kind] ?? {}).map(([name, [label, value]]) => el("p", { class: "field" },
      el("label", { for: inputId(name) }, label),
      el("input", { id: inputId(name), value, autocomplete: "off", spellcheck: "false" })));
  }

  /* What is no number goes as it was typed: the service says what is wrong with it. */
  function read(kind) {
    if (!VALUES[kind]) {
      return true;
    }
    return Object.fromEntries(Object.entries(VALUES[kind]).map(([name, [, , as]]) => {
      const typed = get(inputId(name)).value.trim();
      const value = as && typed !== "" ? as(typed) : typed;
      return [name, Number.isNaN(value) ? typed : value];
    }));
  }

  function document_(hello) {
    const kind = get("arm-kind").value;
    const isOfRoute = hello.kinds.find((row) => row.fault === kind).scope === "route";
    return { faults: [{
      ...(isOfRoute ? { route: get("arm-route").value } : {}),
      duration: get("arm-duration").value,
      [kind]: read(kind),
    }] };
  }

  /* Asks the API; told(words) what became of it, or refused(words). */
  async function ask(method, path, body, told, refused) {
    const token = get("arm-token").value;
    if (token === "") {
      refused("Type the token first: it is in the file of --fault-token-file.");
      get("arm-token").focus();
      return;
    }
    try {
      const response = await fetch(path, {
        method,
        headers: { Authorization: `Bearer ${token}`, ...(body ? { "Content-Type": "application/json" } : {}) },
        body: body ? JSON.stringify(body) : undefined,
      });
      const answer = await response.json().catch(() => ({}));
      if (response.ok) {
        told(answer);
      } else {
        refused(`${response.status} ${answer.title ?? response.statusText}: ${answer.detail ?? "without a reason"}`);
      }
    } catch (error) {
      refused(`Not answered: ${error.message}`);
    }
  }

  function ends(answer) {
    return answer.plan ? `in force until ${units.time(Date.parse(answer.plan.end))} UTC` : "in force";
  }

  page.arm = function () {
    let hello = null;

    function told(words) {
      text(get("arm-told"), words);
      text(get("arm-refused"), "");
    }

    function refused(words) {
      text(get("arm-told"), "");
      text(get("arm-refused"), words);
    }

    function showKind() {
      const row = hello.kinds.find((one) => one.fault === get("arm-kind").value);
      text(get("arm-help"), row.help);
      get("arm-route-field").hidden = row.scope !== "route";
      get("arm-values").replaceChildren(...fields(row.fault));
    }

    get("arm-kind").addEventListener("change", showKind);
    get("arm-token-form").addEventListener("submit", (event) => event.preventDefault());
    get("arm-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const kind = get("arm-kind").value;
      ask("PUT", "/faults", document_(hello), (answer) => told(`Started: ${kind}, ${ends(answer)}.`), refused);
    });
    get("arm-incident-form").addEventListener("submit", (event) => {
      event.preventDefault();
      const name = get("arm-incident").value;
      ask("POST", `/incidents/${encodeURIComponent(name)}`, null,
        (answer) => told(`Playing ${name}, ${ends(answer)}.`), refused);
    });
    get("arm-stop").addEventListener("click", () => ask("DELETE", "/faults", null,
      (answer) => told(answer.source === "file" ? "Stopped; the file's plan is in force again." : "Stopped."),
      refused));

    return {
      greet(greeting) {
        hello = greeting;
        get("arm").hidden = !hello.fault_api;
        get("arm-off").hidden = hello.fault_api;
        const routes = hello.routes.some((route) => route.startsWith("/demo/"))
          ? ["/demo/*", ...hello.routes] : hello.routes;
        get("arm-kind").replaceChildren(...hello.kinds.map((row) => option(row.fault)));
        get("arm-route").replaceChildren(...routes.map((route) => option(route)));
        get("arm-duration").replaceChildren(...DURATIONS.map(([value, words]) => option(value, words)));
        get("arm-duration").value = "1m";
        get("arm-incident").replaceChildren(...hello.incidents.map((name) => option(name)));
        get("arm-incident-form").hidden = hello.incidents.length === 0;
        showKind();
      },
    };
  };
}
