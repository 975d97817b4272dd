"""Autoscaling: what the HPA sees, what it wants, what it got, and what a load test foretold.

In a cluster: series of kube-state-metrics and cAdvisor, beside the service's own.
"""

from parts import colours, links, thresholds, variables
from parts.goals import SERVICE, limit, percent
from parts.layout import Board, Row
from parts.panels import figure, graph, states
from parts.queries import NAMESPACE, TARGET, now, over_time, series

STATE = f'job="kube-state-metrics", {NAMESPACE}'
CONTAINER = f'{STATE}, container="{SERVICE}"'
OF = "namespace, horizontalpodautoscaler"
# Of all HPAs of a cluster: those that scale on the CPU of our container, which the chart calls so whatever the release
# is called, and those with our name, as an older kube-state-metrics does not say of which container a metric is.
OURS = (f'(kube_horizontalpodautoscaler_spec_target_metric{{{CONTAINER}}} or '
        f'kube_horizontalpodautoscaler_info{{{STATE}, horizontalpodautoscaler=~".*{SERVICE}.*"}})')
HPA = f'{STATE}, horizontalpodautoscaler=~"$hpa"'
CADVISOR = f'job="kubelet", metrics_path="/metrics/cadvisor", {NAMESPACE}, container="{SERVICE}"'
TRUE, IN_MEMORY, IN_CPU = 'status="true"', 'resource="memory"', 'resource="cpu"'
LOAD = f"instance:http_server_user_requests:rate1m{{{TARGET}}}"
PREDICTED = 'max(k6_hpa_predicted_replicas{testid=~"$testid"})'


def hpa(name: str, *matchers: str) -> str:
    """A series of the HPAs that are ours, as kube-state-metrics has it."""
    return f"{series(f'kube_horizontalpodautoscaler_{name}', *matchers, target=HPA)} and on ({OF}) {OURS}"


def metric(side: str, by: str, *matchers: str) -> str:
    """What the HPA reads (status) or wants (spec), of pods or of one container in each, as the chart's CPU is."""
    return f"max by ({by}) ({hpa(f'{side}_target_metric', *matchers)})"


def condition(name: str) -> str:
    """1 while the HPA has this condition."""
    return hpa("status_condition", f'condition="{name}"', TRUE)


def replicas(name: str) -> str:
    """A number of replicas, of all that are chosen."""
    return f"max by ({OF}) ({hpa(name)})"


CURRENT, DESIRED = replicas("status_current_replicas"), replicas("status_desired_replicas")
MOST, LEAST = replicas("spec_max_replicas"), replicas("spec_min_replicas")
METRIC = f"{OF}, metric_name, metric_target_type"
RATIO = f"({metric('status', METRIC)}) / ({metric('spec', METRIC)})"
CPU = f"sum by (pod) (rate(container_cpu_usage_seconds_total{{{CADVISOR}}}[$__rate_interval]))"
ASKED = series("kube_pod_container_resource_requests", IN_CPU, target=CONTAINER)
MEMORY_LIMIT = series("kube_pod_container_resource_limits", IN_MEMORY, target=CONTAINER)
THROTTLED, PERIODS = (
    f"sum by (pod) (rate(container_cpu_cfs_{what}periods_total{{{CADVISOR}}}[$__rate_interval]))"
    for what in ("throttled_", ""))

autoscaler = variables.choice(
    "hpa", "HPA", f"label_values(kube_horizontalpodautoscaler_spec_target_metric{{{CONTAINER}}}, "
    "horizontalpodautoscaler)", "The HorizontalPodAutoscalers that scale on the CPU of the service's container. "
    "All is also those with its name.")
testid = variables.choice(
    "testid", "Load test", "label_values(k6_hpa_predicted_replicas, testid)",
    "The load test whose prediction is shown.")

now_replicas = figure(
    "Replicas", "Had now, wanted by the HPA, and the bounds it keeps. Good: had is wanted. Wanted "
    "at the most for long: it would scale further, and may not.", "none",
    [now(CURRENT, "had"), now(DESIRED, "wanted"), now(LEAST, "least"), now(MOST, "most")],
    alert="GlassboxHpaAtMaximum")

at_most = figure(
    "Room to grow", "Replicas that the HPA may still add. 0: at its maximum. What to do: is the "
    "load real? Then raise maxReplicas.", "none", [now(f"min({MOST} - {DESIRED})", "room")],
    steps=[(1, colours.GOOD)], base=colours.WARN, alert="GlassboxHpaAtMaximum")

readable = figure(
    "Metrics readable", "Whether the HPA can compute (ScalingActive). No: its adapter, "
    "metrics-server, or the pods' requests are missing; it does not scale down then.", "none",
    [now(f"min({condition('ScalingActive')})", "active")], steps=[(1, colours.GOOD)],
    base=colours.WARN, words={"0": "no", "1": "yes"}, alert="GlassboxHpaMetricUnreadable")

pressure = figure(
    "Metric, of its target", "Each metric of the HPA, of its target. 1 is on target; within a tenth "
    "it does nothing; the highest decides.", "percentunit", [now(RATIO, "{{metric_name}}")],
    steps=thresholds.rising(warn=1.1), decimals=0, alert="GlassboxHpaAtMaximum")

counts = graph(
    "Replicas: had, wanted, ready, predicted", "Wanted leads, had follows within seconds, ready "
    "when the probes say so. Yellow is what a load test foretold: where they part, the model or the "
    "cluster is wrong.", "none",
    [over_time(CURRENT, "had"), over_time(DESIRED, "wanted"),
     over_time(f"sum({series('glassbox_ready')})", "ready"),
     over_time(PREDICTED, "predicted"), over_time(MOST, "most"), over_time(LEAST, "least")],
    named={"predicted": colours.PREDICTED, "had": colours.OBSERVED, "wanted": "dark-blue",
           "ready": colours.GOOD}, bounds=("most", "least"), alert="GlassboxHpaAtMaximum")


def against(title: str, kind: str, unit: str, what: str):
    """A metric of the HPA, as it reads it, and its target: of one kind, as their units differ."""
    of_kind = f'metric_target_type="{kind}"'
    by = f"{OF}, metric_name"
    targets = metric("spec", by, of_kind)
    read = f"({metric('status', by, of_kind)}) and ({targets})"
    return graph(title, f"{what}, as the HPA reads it, and the target it wants each pod at. It adds pods "
                 "while the first is more than a tenth above the second.", unit,
                 [over_time(read, "{{metric_name}}"), over_time(targets, "{{metric_name}} target")],
                 bounds=(".* target",), alert="GlassboxHpaMetricUnreadable")


requests_target = against("Requests against target", "average", "none", "The load of a pod")
cpu_target = against("CPU against target", "utilization", "percent", "CPU, of what pods ask for")

own_load = graph(
    "Load a replica: the service's own", "User requests a second of each process over a minute, "
    "and their mean: what the HPA should be reading. Apart from it: the adapter or its window.",
    "reqps", [over_time(LOAD, "{{instance}}"), over_time(f"avg({LOAD})", "mean")],
    named={"mean": colours.OBSERVED}, more=[links.board("glassbox-service", "Service")])

cpu = graph(
    "CPU a pod", "CPUs used, and asked for. The HPA's CPU target is a share of what is asked for.",
    "none", [over_time(CPU, "{{pod}}"),
             over_time(f"max({ASKED})", "asked for")], bounds=("asked for",))

share_of_cpu = graph(
    "CPU, of what is asked for", "Use of each pod, of its request. Above the HPA's target for long, "
    "and no new pods: see the conditions.", "percentunit",
    [over_time(f"{CPU} / on (pod) max by (pod) ({ASKED})", "{{pod}}")])

throttled = graph(
    "CPU throttled", "Share of periods in which a pod had to wait for its CPU limit; without one, as "
    f"the chart has it, there are no periods. Above {percent('GlassboxCpuThrottled')} users feel it. What to "
    "do: raise the limit, or take it away.", "percentunit",
    [over_time(f"{THROTTLED} / {PERIODS}", "{{pod}}")],
    steps=thresholds.rising(warn=limit("GlassboxCpuThrottled")), alert="GlassboxCpuThrottled").no_value(
        "no CPU limit")

memory = graph(
    "Memory, of the limit", "Working set of each pod, of its limit. At 1 the kernel kills it.",
    "percentunit",
    [over_time(f"max by (pod) (container_memory_working_set_bytes{{{CADVISOR}}}) / on (pod) "
               f"max by (pod) ({MEMORY_LIMIT})", "{{pod}}")],
    steps=thresholds.rising(warn=limit("GlassboxMemoryNearLimit")), alert="GlassboxMemoryNearLimit")

conditions = states(
    "Conditions", "What the HPA says of itself: AbleToScale, ScalingActive (it can read its "
    "metrics), ScalingLimited (a bound holds it).",
    [over_time(f"max by (condition) ({hpa('status_condition', TRUE)})",
               "{{condition}}")],
    {"0": ("no", colours.LIMIT), "1": ("yes", colours.OBSERVED)},
    alert="GlassboxHpaMetricUnreadable")

board = Board(
    "autoscaling", "Glassbox / Autoscaling",
    "Does it scale as it should? Metric against target, replicas wanted, had, ready and predicted.",
    [*variables.usual(), autoscaler, testid],
    [Row(4, (9, now_replicas), (4, at_most), (4, readable), (7, pressure)),
     Row(10, (12, counts), (6, requests_target), (6, cpu_target)),
     Row(8, (8, own_load), (8, cpu), (8, share_of_cpu)),
     Row(8, (8, conditions), (8, throttled), (8, memory))])
