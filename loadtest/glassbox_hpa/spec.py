"""What an autoscaler is told: the `spec` of an autoscaling/v2 HorizontalPodAutoscaler, with the API's defaults.

The API server fills in what is left out, and so is it here: a spec may come from a cluster or from a chart. What
cannot be foretold, because what feeds it is unknown, is refused by its name.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Collection, Mapping, Optional, Sequence

PODS, RESOURCE, CONTAINER = "Pods", "Resource", "ContainerResource"
FIELDS = {PODS: "pods", RESOURCE: "resource", CONTAINER: "containerResource"}
TARGETS = {PODS: "AverageValue", RESOURCE: "Utilization", CONTAINER: "Utilization"}
SELECT = ("Max", "Min", "Disabled")
POLICIES = ("Pods", "Percent")
LONGEST_PERIOD, LONGEST_WINDOW = 1800, 3600  # seconds, as the API allows
TOLERANCE = 0.1  # the controller's own, both ways
SUFFIXES = {"n": Fraction(1, 10**9), "u": Fraction(1, 10**6), "m": Fraction(1, 1000), "": Fraction(1),
            "k": Fraction(10**3), "M": Fraction(10**6), "G": Fraction(10**9)}


@dataclass(frozen=True)
class Metric:
    """One of those it scales on. The target is in thousandths (Pods) or in per cent of what is requested."""

    kind: str
    name: str
    target: int
    container: str = ""

    @property
    def failed(self) -> str:
        """The reason of ScalingActive while it cannot be read."""
        return f"FailedGet{self.kind}Metric"


@dataclass(frozen=True)
class Policy:
    """So many pods, or per cent of them, in a period."""

    kind: str
    value: int
    period_seconds: int


@dataclass(frozen=True)
class Rules:
    """One direction."""

    window_seconds: int
    select: str
    policies: tuple[Policy, ...]
    tolerance: float = TOLERANCE


@dataclass(frozen=True)
class Behavior:
    """Both."""

    up: Rules
    down: Rules


UP = Rules(0, "Max", (Policy("Pods", 4, 15), Policy("Percent", 100, 15)))
DOWN = Rules(300, "Max", (Policy("Percent", 100, 15),))  # its window is an option of the controller: by default, this
DEFAULT_METRIC = {"type": RESOURCE, "resource": {"name": "cpu", "target": {
    "type": "Utilization", "averageUtilization": 80}}}


@dataclass(frozen=True)
class Spec:
    """All of it. Without a behaviour the controller goes by older rules, which are not the behaviour's defaults."""

    least: int
    most: int
    metrics: tuple[Metric, ...]
    behavior: Optional[Behavior] = None


def one_of(where: str, value: Any, allowed: Collection[str]) -> Any:
    """`value`, or a refusal that says what is allowed."""
    if value not in allowed:
        raise ValueError(f"{where}: {value!r} cannot be foretold; allowed: {', '.join(allowed)}")
    return value


def whole(where: str, value: Any, least: int, most: Optional[int] = None) -> int:
    """A whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least or (most is not None and value > most):
        bounds = f"at least {least}" if most is None else f"{least} to {most}"
        raise ValueError(f"{where}: {value!r} is not a whole number, {bounds}")
    return value


def part(where: str, found: Mapping[str, Any], key: str) -> Any:
    """What must be there."""
    if not isinstance(found, Mapping) or key not in found:
        raise ValueError(f"{where}: has no {key}")
    return found[key]


def exact(where: str, value: Any) -> Fraction:
    """A quantity of Kubernetes: 12500m is 12.5."""
    text = str(value)
    number = text.rstrip("".join(SUFFIXES))
    try:
        if not number or not number[-1].isdigit():
            raise ValueError(text)
        return Fraction(number) * SUFFIXES[text[len(number):]]
    except (ValueError, KeyError, ZeroDivisionError):
        raise ValueError(f"{where}: {value!r} is no quantity: a number, with one of "
                         f"{' '.join(filter(None, SUFFIXES))} or nothing behind it") from None


def milli(where: str, value: Any) -> int:
    """A quantity above zero in thousandths, rounded up as the API does."""
    thousandths = math.ceil(exact(where, value) * 1000)
    if thousandths <= 0:
        raise ValueError(f"{where}: {value!r} is not above 0")
    return thousandths


def metric_of(where: str, found: Mapping[str, Any]) -> Metric:
    """One entry of `metrics`."""
    kind = one_of(f"{where}.type", part(where, found, "type"), FIELDS)
    where = f"{where}.{FIELDS[kind]}"
    source = part(where.rpartition(".")[0], found, FIELDS[kind])
    target = part(where, source, "target")
    one_of(f"{where}.target.type", part(f"{where}.target", target, "type"), (TARGETS[kind],))
    if kind == PODS:
        metric = part(where, source, "metric")
        if metric.get("selector"):
            raise ValueError(f"{where}.metric.selector: cannot be foretold; allowed: none")
        value = milli(f"{where}.target.averageValue", part(f"{where}.target", target, "averageValue"))
        return Metric(kind, part(f"{where}.metric", metric, "name"), value)
    percent = whole(f"{where}.target.averageUtilization", part(f"{where}.target", target, "averageUtilization"), 1)
    name = one_of(f"{where}.name", part(where, source, "name"), ("cpu",))
    return Metric(kind, name, percent, part(where, source, "container") if kind == CONTAINER else "")


def policy_of(where: str, found: Mapping[str, Any]) -> Policy:
    """One entry of `policies`."""
    return Policy(one_of(f"{where}.type", part(where, found, "type"), POLICIES),
                  whole(f"{where}.value", part(where, found, "value"), 1),
                  whole(f"{where}.periodSeconds", part(where, found, "periodSeconds"), 1, LONGEST_PERIOD))


def rules_of(where: str, found: Optional[Mapping[str, Any]], default: Rules) -> Rules:
    """One direction, what is left out from the default."""
    given = {key: value for key, value in (found or {}).items() if value is not None}
    policies: Optional[Sequence[Any]] = given.get("policies")
    if policies is not None and not policies:
        raise ValueError(f"{where}.policies: is empty; allowed: left out, or at least one")
    tolerance = float(exact(f"{where}.tolerance", given.get("tolerance", default.tolerance)))
    if tolerance < 0:
        raise ValueError(f"{where}.tolerance: {tolerance} is below 0")
    return Rules(
        whole(f"{where}.stabilizationWindowSeconds",
              given.get("stabilizationWindowSeconds", default.window_seconds), 0, LONGEST_WINDOW),
        one_of(f"{where}.selectPolicy", given.get("selectPolicy", default.select), SELECT),
        default.policies if policies is None else
        tuple(policy_of(f"{where}.policies[{at}]", one) for at, one in enumerate(policies)),
        tolerance)


def spec_of(found: Mapping[str, Any]) -> Spec:
    """The `spec` of an autoscaler."""
    most = whole("spec.maxReplicas", part("spec", found, "maxReplicas"), 1)
    least = whole("spec.minReplicas", found.get("minReplicas", 1), 1, most)
    behavior = found.get("behavior")
    return Spec(
        least, most,
        tuple(metric_of(f"spec.metrics[{at}]", one)
              for at, one in enumerate(found.get("metrics") or [DEFAULT_METRIC])),
        None if behavior is None else Behavior(
            rules_of("spec.behavior.scaleUp", behavior.get("scaleUp"), UP),
            rules_of("spec.behavior.scaleDown", behavior.get("scaleDown"), DOWN)))
