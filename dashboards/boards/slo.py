"""SLO: what was promised, how much of it is left, and how fast it goes. From sloth's series."""

from parts import colours, links, variables
from parts.goals import OBJECTIVES, SERVICE, Burn, burns
from parts.layout import Board, Row
from parts.panels import figure, graph, sheet
from parts.queries import JOB, NAMESPACE, cells, now, over_time, series

OURS = f'{NAMESPACE}, sloth_service="{SERVICE}"'
CHOSEN = f'{OURS}, sloth_slo=~"$slo"'
# Two installations have the same objectives, and each its own budget.
ON = "on (namespace, sloth_id, sloth_service, sloth_slo) group_left ()"

BURNS = burns()
FAST = {window[1] for one in BURNS for window in (one.long, one.short)}
TICKET = min(one.factor for one in BURNS if one.severity == "ticket")
PAGE = max(one.factor for one in BURNS if one.severity == "page")


def recorded(name: str, *matchers: str) -> str:
    """A series of sloth's; it has no job: an objective is the service's, whatever scrapes it."""
    return series(name, *matchers, target=CHOSEN)


def burn(real: str, fast: str) -> str:
    """How many times faster than allowed the budget went, over that window: of the profile that is
    loaded. Some windows of one are in the other, too, and must not stand in for what is not there: no
    other window is worth what this one's line says."""
    bad = [recorded(f"slo:sli_error:ratio_rate{real}", *['profile=""'] * (real in FAST)),
           recorded(f"slo:sli_error:ratio_rate{fast}", 'profile="fast"')]
    return f"({' or '.join(bad)}) / {ON} {recorded('slo:error_budget:ratio')}"


slo = variables.choice(
    "slo", "Objective", f"label_values(slo:objective:ratio{{{OURS}}}, sloth_slo)",
    "The objectives that are shown.")

left = figure(
    "Budget left", f"What is left of the error budget of {OBJECTIVES.period}, by objective. Good: "
    "above a quarter. Below zero the promise is broken: no risky deploys until it is back.",
    "percentunit", [now(recorded("slo:period_error_budget_remaining:ratio"), "{{sloth_slo}}")],
    steps=[(0, colours.WARN), (0.25, colours.GOOD)], base=colours.BAD, decimals=1,
    alert="GlassboxErrorBudgetBurn")

fastest = figure(
    "Burning now", "How many times faster than allowed the budget goes, over the last five "
    f"minutes. 1: exactly used up at the end of the period. Red: above {PAGE:g}, and a page is near.",
    "none", [now(recorded("slo:current_burn_rate:ratio"), "{{sloth_slo}}")],
    steps=[(TICKET, colours.WARN), (PAGE, colours.BAD)], decimals=1,
    alert="GlassboxErrorBudgetBurn")

budget = graph(
    "Budget left over time", "What is left of the budget, over time. A slope is a burn; a step is an "
    "incident. Zero is the end of it.", "percentunit",
    [over_time(recorded("slo:period_error_budget_remaining:ratio"), "{{sloth_slo}}")],
    steps=[(0, colours.BAD)], signed=True, alert="GlassboxErrorBudgetBurn")


def burning(one: Burn):
    """The burn in both windows of an alert, and the line that it must be over."""
    colour = colours.BAD if one.severity == "page" else colours.WARN
    return graph(
        f"Burn, {one.long[0]} and {one.short[0]}: a {one.severity} above {one.factor:g}",
        f"Both windows above the line is a {one.severity}: the long one says that it matters, the "
        f"short one that it goes on. With the rules for demonstrations they are {one.long[1]} and "
        f"{one.short[1]}. A window shows nothing until it has seen {OBJECTIVES.floor:g} requests a second "
        "on average. What to do: the runbook.", "none",
        [over_time(burn(*window), "{{sloth_slo}} {{sloth_window}}")
         for window in (one.long, one.short)],
        steps=[(one.factor, colour)], alert="GlassboxErrorBudgetBurn",
        more=[links.runbook("GlassboxLatencyBudgetBurn")])


pages = [burning(one) for one in BURNS]

table = sheet(
    "Objectives", "What is promised and how it stands, a row an objective: the objective, the share "
    "of bad requests over the period and over five minutes, the budget left, and the burn.",
    "percentunit",
    [cells(f"max by (namespace, sloth_slo, http_route, sli) ({recorded(name)})") for name in (
        "slo:objective:ratio", f"slo:sli_error:ratio_rate{OBJECTIVES.period}",
        "slo:sli_error:ratio_rate5m",
        "slo:period_error_budget_remaining:ratio", "slo:current_burn_rate:ratio")],
    {"namespace": "Namespace", "sloth_slo": "Objective", "http_route": "Route", "sli": "Of",
     "Value #A": "Promised", "Value #B": "Bad, period", "Value #C": "Bad, 5 minutes", "Value #D": "Budget left",
     "Value #E": "Burn"},
    judged={"Budget left": ("percentunit", [(0, colours.WARN), (0.25, colours.GOOD)], colours.BAD),
            "Burn": ("none", [(TICKET, colours.WARN), (PAGE, colours.BAD)], colours.GOOD)})

traffic = graph(
    "Traffic that counts", "Requests a second by route, over five minutes. Below the line nothing "
    "is recorded, because a burn says little then; GlassboxLowTrafficBurn watches instead.",
    "reqps",
    [over_time(series("job_route:http_server_requests:rate5m", target=JOB), "{{http_route}}")],
    steps=[(OBJECTIVES.floor, colours.LIMIT)], alert="GlassboxLowTrafficBurn",
    more=[links.board("glassbox-service", "Service")])

bad = graph(
    "Bad requests", "Share of bad requests over five minutes, by objective: errors for "
    "availability, slow ones for latency.", "percentunit",
    [over_time(recorded("slo:sli_error:ratio_rate5m"), "{{sloth_slo}}")],
    more=[links.board("glassbox-service", "Service")])

alerts = sheet(
    "Alerts of objectives", "Pending or firing, by objective. Good: the dead man's switch alone, which "
    "always fires, to show that alerts are judged at all. What to do: the runbook.", "none",
    [cells("max by (alertname, alertstate, severity, namespace, http_route, sloth_slo) "
           f'(ALERTS{{{NAMESPACE}, service="{SERVICE}", alertname=~"Glassbox(ErrorBudgetBurn|LatencyBudgetBurn|'
           'LowTrafficBurn|DeadMansSwitch)"})')],
    {"alertname": "Alert", "alertstate": "State", "severity": "Severity", "namespace": "Namespace",
     "http_route": "Route", "sloth_slo": "Objective"}, hidden=("Value",),
    alert="GlassboxErrorBudgetBurn")

board = Board(
    "slo", "Glassbox / Objectives",
    "Do we keep what we promised? Budget and burn of each objective in alerts/slo.yaml.",
    [variables.datasource(), variables.namespace(), variables.job(), slo],
    [Row(5, (12, left), (12, fastest)),
     Row(9, (12, table), (12, budget)),
     Row(9, (12, pages[0]), (12, pages[1])),
     Row(9, (12, pages[2]), (12, pages[3])),
     Row(8, (8, bad), (8, traffic), (8, alerts))],
    since="now-6h", refresh="30s")
