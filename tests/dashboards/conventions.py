"""dashboard-linter's rules, by their names, and ours.

A rule yields what breaks it as (panel or "", text). What is broken on purpose stands in dashboards/.lint
with its reason, in that tool's own format; `series`, a regular expression, is an addition: the rule is
broken for these series only.
"""

import re
from pathlib import Path
from typing import Any, Callable, Iterator

import promql_parser as promql
import yaml

from reading import FOLDER, ROOT, Board, children, every_board, expressions, fill, nodes, parsed, selectors

Found = Iterator[tuple[str, str, str]]  # panel, series, what is wrong
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
AT_A_MOMENT = {"stat", "table"}
OVER_TIME = {"timeseries", "heatmap", "state-timeline"}
RATES = {"rate", "increase", "irate"}
REQUESTS = "http_server_request_duration_seconds_bucket"


def targets(board: Board) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each panel with each of its targets."""
    return ((panel, target) for panel in board.panels for target in panel["targets"])


# ---- dashboard-linter's -------------------------------------------------------------------------

def template_datasource_rule(board: Board) -> Found:
    """A data source can be chosen."""
    one = board.variables.get("datasource", {})
    if (one.get("type"), one.get("query"), one.get("label")) != (
            "datasource", "prometheus", "Data source"):
        yield "", "", f"variable datasource: {one}"


def template_label(board: Board, name: str, label: str, everything: str = ".+") -> Found:
    """A variable that chooses some of a label's values, or all."""
    one = board.variables.get(name)
    if one is None:
        yield "", "", f"no variable {name}"
    elif (one["label"], one["type"], one["multi"], one["allValue"], one["datasource"]) != (
            label, "query", True, everything, DATASOURCE):
        yield "", "", f"variable {name}: {one}"


def template_job_rule(board: Board) -> Found:
    """A job can be chosen."""
    return template_label(board, "job", "Job")


def template_instance_rule(board: Board) -> Found:
    """Instances can be chosen."""
    return template_label(board, "instance", "Instance")


def template_label_promql_rule(board: Board) -> Found:
    """What a variable asks is PromQL, and names a metric."""
    for name, one in board.variables.items():
        if one["type"] == "query":
            match = re.fullmatch(r"label_values\((.+), (\w+)\)", one["query"]["query"])
            if not match or not all(metric for metric, _ in selectors(match.group(1))):
                yield "", "", f"variable {name}: {one['query']['query']}"


def template_on_time_change_reload_rule(board: Board) -> Found:
    """What can be chosen follows the time that is shown."""
    for name, one in board.variables.items():
        if one["type"] == "query" and one["refresh"] != 2:
            yield "", "", f"variable {name}: refresh {one['refresh']}"


def uneditable_dashboard_rule(board: Board) -> Found:
    """Changes are made in the source."""
    if board.document["editable"] is not False:
        yield "", "", "editable"


def panel_datasource_rule(board: Board) -> Found:
    """A panel asks the data source that is chosen, and so does each of its targets."""
    for panel in board.panels:
        if panel["datasource"] != DATASOURCE:
            yield panel["title"], "", f"datasource {panel['datasource']}"
    for panel, target in targets(board):
        if target.get("datasource") != DATASOURCE:
            yield panel["title"], "", f"target {target['refId']}: {target.get('datasource')}"


def panel_title_description_rule(board: Board) -> Found:
    """A panel says what it is, and what to make of it."""
    for panel in board.panels:
        if not panel.get("title") or len(panel.get("description", "")) < 40:
            yield panel.get("title", ""), "", "no title, or no description worth the name"


def panel_units_rule(board: Board) -> Found:
    """A figure has a unit."""
    for panel in board.panels:
        if not panel["fieldConfig"]["defaults"].get("unit"):
            yield panel["title"], "", "no unit"


def panel_no_targets_rule(board: Board) -> Found:
    """A panel asks something."""
    for panel in board.panels:
        if not panel.get("targets"):
            yield panel["title"], "", "no targets"


def target_promql_rule(board: Board) -> Found:
    """A target is PromQL."""
    for panel, target in targets(board):
        try:
            parsed(fill(board, target["expr"]))
        except (ValueError, KeyError) as error:
            yield panel["title"], "", f"{target['expr']}: {error!r}"


def target_rate_interval_rule(board: Board) -> Found:
    """A rate is taken over what Grafana knows to be wide enough."""
    for panel, target in targets(board):
        ranges = re.findall(r"\b(?:rate|increase|irate)\([^\[]*\[([^\]]*)\]", target["expr"])
        for one in ranges:
            if one != "$__rate_interval":
                yield panel["title"], "", f"a rate over {one}"


def target_matcher(board: Board, label: str) -> Found:
    """A selector has what was chosen."""
    for panel, target in targets(board):
        for name, matchers in selectors(target["expr"]):
            if matchers.get(label) != f"${label}":
                yield panel["title"], name, f"{name} without {label}=~\"${label}\""


def target_job_rule(board: Board) -> Found:
    """A selector has the job that was chosen."""
    return target_matcher(board, "job")


def target_instance_rule(board: Board) -> Found:
    """A selector has the instances that were chosen."""
    return target_matcher(board, "instance")


def raw_counters(node: Any, growing: bool = False) -> Iterator[str]:
    """Counters of a tree that are in no rate."""
    if isinstance(node, promql.VectorSelector) and not growing and node.name.endswith("_total"):
        yield node.name
    growing = growing or isinstance(node, promql.Call) and node.func.name in RATES
    for child in children(node):
        yield from raw_counters(child, growing)


def target_counter_agg_rule(board: Board) -> Found:
    """A counter is looked at by how fast it grows."""
    for panel, target in targets(board):
        for name in raw_counters(parsed(target["expr"])):
            yield panel["title"], name, f"{name} outside a rate"


# ---- ours ---------------------------------------------------------------------------------------

def template_namespace_rule(board: Board) -> Found:
    """An installation can be chosen, before what is of it alone; where there is no namespace, nothing is."""
    yield from template_label(board, "namespace", "Namespace", ".*")
    if list(board.variables)[:3] != ["datasource", "namespace", "job"]:
        yield "", "", f"variables in the order {list(board.variables)}"
    if not board.variables.get("namespace", {}).get("includeAll"):
        yield "", "", "not all namespaces can be chosen"


def namespace_rule(board: Board) -> Found:
    """Whatever is asked, for panels, marks and variables, is asked of the namespaces that were chosen: two
    installations do not mix."""
    for one in expressions(board):
        for node in nodes(parsed(one.text)):
            if isinstance(node, promql.VectorSelector) and one.where != "variable namespace" and [
                    matcher.value for matcher in node.matchers.matchers
                    if matcher.name == "namespace" and matcher.op == promql.MatchOp.Re] != ["$namespace"]:
                yield one.where, node.name, f"{node.name} without namespace=~\"$namespace\""


def namespace_links_rule(board: Board) -> Found:
    """A link to another dashboard takes the choice along."""
    for panel in board.panels:
        for link in panel.get("links", ()):
            if link["url"].startswith("/d/") and "&${namespace:queryparam}" not in link["url"]:
                yield panel["title"], "", f"a link without the namespace: {link['url']}"
    for link in board.document["links"]:
        if link["type"] == "dashboards" and not link["includeVars"]:
            yield "", "", "the dashboards' links leave what was chosen behind"


def size_rule(board: Board) -> Found:
    """It fits into a ConfigMap."""
    if board.path.stat().st_size > 200_000:
        yield "", "", f"{board.path.stat().st_size} bytes"


def schema_rule(board: Board) -> Found:
    """Classic schema, which Grafana 11 to 13 import, as a file has it that was not exported."""
    if board.document["schemaVersion"] != 41 or {"apiVersion", "spec", "__inputs", "id"} & set(
            board.document):
        yield "", "", f"schema {board.document['schemaVersion']}"


def name_rule(board: Board) -> Found:
    """The address is the file's name."""
    if board.document["uid"] != f"glassbox-{board.name}" or board.document["tags"] != ["glassbox"]:
        yield "", "", f"uid {board.document['uid']}, tags {board.document['tags']}"


def ids_rule(board: Board) -> Found:
    """Ids, titles and, in a panel, references are each there once."""
    for what in ("id", "title"):
        every = [panel[what] for panel in board.panels]
        for one in {one for one in every if every.count(one) > 1}:
            yield "", "", f"{what} {one} is there {every.count(one)} times"
    for panel in board.panels:
        references = [target["refId"] for target in panel["targets"]]
        if len(set(references)) < len(references):
            yield panel["title"], "", f"targets {references}"


def grid_rule(board: Board) -> Found:
    """Panels lie within 24 columns, on nothing, and without a gap."""
    taken: dict[tuple[int, int], str] = {}
    for panel in board.document["panels"]:
        place = panel["gridPos"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                if (x, y) in taken or x >= 24:
                    yield panel["title"], "", f"on {taken.get((x, y), 'the edge')} at {x}, {y}"
                    return
                taken[x, y] = panel["title"]
    if len(taken) != 24 * (1 + max(y for _, y in taken)):
        yield "", "", "gaps between panels"


def first_row_rule(board: Board) -> Found:
    """The first row are figures, and the second still fits on a screen of 1080 lines, which shows
    some 24 units."""
    first = [panel for panel in board.panels if panel["gridPos"]["y"] == 0]
    if {panel["type"] for panel in first} != {"stat"}:
        yield "", "", f"first row: {[panel['type'] for panel in first]}"
    top = first[0]["gridPos"]["h"]
    second = max((top + panel["gridPos"]["h"] for panel in board.panels
                  if panel["gridPos"]["y"] == top), default=top)
    if second > 16:
        yield "", "", f"two rows are {second} units high"


def moment_rule(board: Board) -> Found:
    """A figure or a table asks for a moment, a graph for a range: never more than is shown."""
    for panel, target in targets(board):
        wanted = panel["type"] in AT_A_MOMENT
        if panel["type"] not in AT_A_MOMENT | OVER_TIME:
            yield panel["title"], "", f"a panel of type {panel['type']}"
        elif (target["instant"], target["range"]) != (wanted, not wanted):
            yield panel["title"], "", f"{panel['type']}: instant {target['instant']}"


def variables_rule(board: Board) -> Found:
    """What is put in anywhere is a variable that the dashboard has."""
    texts = [("", one["expr"]) for one in board.annotations]
    texts += [("", one["query"]["query"]) for one in board.variables.values()
              if one["type"] == "query"]
    texts += [(panel["title"], target["expr"]) for panel, target in targets(board)]
    texts += [(panel["title"], link["url"]) for panel in board.panels
              for link in panel.get("links", ())]
    for title, text in texts:
        try:
            fill(board, text)
        except KeyError as error:
            yield title, "", f"no variable {error}: {text}"


def le_rule(board: Board) -> Found:
    """No bucket is selected by a whole number, which Prometheus 3 writes anew."""
    for panel, target in targets(board):
        for name, matchers in selectors(target["expr"]):
            if re.fullmatch(r"\d+", matchers.get("le", "")):
                yield panel["title"], name, f"le=\"{matchers['le']}\""


def exemplars_rule(board: Board) -> Found:
    """Only ranges over buckets ask for traces; and those of requests do, as a heatmap, and as the p95
    that stands for all requests."""
    for panel, target in targets(board):
        names = {name for name, _ in selectors(target["expr"])}
        buckets = any(name.endswith("_bucket") for name in names)
        if target.get("exemplar") and not (buckets and target["range"]):
            yield panel["title"], "", f"exemplars of {target['expr']}"
        wanted = REQUESTS in names and target["range"] and (
            panel["type"] == "heatmap" or target["legendFormat"] == "p95")
        if wanted and not target.get("exemplar"):
            yield panel["title"], "", f"no exemplars of {target['expr']}"


def links_rule(board: Board) -> Found:
    """A link leads to a dashboard that is there, or to the runbook of an alert that is."""
    boards = {one.document["uid"] for one in every_board()}
    links = [("", link) for link in board.document["links"]]
    links += [(panel["title"], link) for panel in board.panels for link in panel.get("links", ())]
    for title, link in links:
        if link["type"] == "dashboards":
            if link["tags"] != ["glassbox"]:
                yield title, "", f"tags {link['tags']}"
        elif match := re.fullmatch(r"/d/([\w-]+)\?.*", link["url"]):
            if match.group(1) not in boards:
                yield title, "", f"no dashboard {match.group(1)}"
        elif match := re.fullmatch(r".*/alerts/runbooks(?:/(\w+\.md))?", link["url"]):
            if not (ROOT / "alerts/runbooks" / (match.group(1) or "")).exists():
                yield title, "", f"no runbook {match.group(1)}"
        else:
            yield title, "", f"a link to {link['url']}"


RULES: dict[str, Callable[[Board], Found]] = {
    rule.__name__.replace("_", "-"): rule for rule in (
        template_datasource_rule, template_job_rule, template_instance_rule,
        template_label_promql_rule, template_on_time_change_reload_rule, uneditable_dashboard_rule,
        panel_datasource_rule, panel_title_description_rule, panel_units_rule,
        panel_no_targets_rule, target_promql_rule, target_rate_interval_rule, target_job_rule,
        target_instance_rule, target_counter_agg_rule, template_namespace_rule, namespace_rule,
        namespace_links_rule, size_rule, schema_rule, name_rule, ids_rule,
        grid_rule, first_row_rule, moment_rule, variables_rule, le_rule, exemplars_rule, links_rule)}


# ---- exceptions ---------------------------------------------------------------------------------

def exclusions(path: Path = FOLDER / ".lint") -> dict[str, list[dict[str, str]]]:
    """{rule: entries} of the file; a rule without a reason, or one that is none, is an error."""
    rules = yaml.safe_load(path.read_text(encoding="utf-8"))["exclusions"]
    for name, one in rules.items():
        if name not in RULES or len(one.get("reason", "")) < 20 or not one.get("entries"):
            raise ValueError(f"{path.name}: {name}: no such rule, no reason, or nothing left out")
    return {name: one["entries"] for name, one in rules.items()}


def covers(entry: dict[str, str], board: Board, panel: str, series: str) -> bool:
    """Whether an entry speaks of this."""
    return (entry["dashboard"] == board.document["title"]
            and entry.get("panel", panel) == panel
            and bool(re.fullmatch(entry.get("series", ".*"), series)))


def broken(board: Board, rule: str, entries: list[dict[str, str]]) -> list[str]:
    """What breaks a rule and is in no entry."""
    return [f"{rule}: {panel or board.name}: {text}" for panel, series, text in RULES[rule](board)
            if not any(covers(entry, board, panel, series) for entry in entries)]


def idle(rule: str, entries: list[dict[str, str]]) -> list[dict[str, str]]:
    """Entries that cover nothing any more."""
    found = [(board, panel, series) for board in every_board()
             for panel, series, _ in RULES[rule](board)]
    return [entry for entry in entries
            if not any(covers(entry, *one) for one in found)]
