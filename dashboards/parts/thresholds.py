"""Where a figure turns from well to a ticket's or a page's worth: steps, drawn as colours or as lines."""

from grafana_foundation_sdk.builders import common, dashboard
from grafana_foundation_sdk.models.common import GraphThresholdsStyleMode
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, Threshold, ThresholdsMode

from . import colours
from .goals import loosest, tightest

Steps = list[tuple[float, str]]


def rising(warn: float | None = None, bad: float | None = None) -> Steps:
    """The more the worse."""
    return [(value, colour) for value, colour in ((warn, colours.WARN), (bad, colours.BAD))
            if value is not None]


def of_errors() -> Steps:
    """The lowest and the highest symptom of a route: below both all is well, above both one pages."""
    return rising(tightest(lambda goal: goal.symptom.error_ratio),
                  loosest(lambda goal: goal.symptom.error_ratio))


def of_latency() -> Steps:
    """The tightest objective and the loosest symptom, of which neither is worth more than a ticket."""
    return [(tightest(lambda goal: goal.latency.threshold), colours.WARN),
            (loosest(lambda goal: goal.symptom.p99), colours.WARN)]


def build(steps: Steps, base: str = colours.GOOD) -> dashboard.ThresholdsConfig:
    """Steps above `base`, which is the colour below all of them."""
    made = [Threshold(value=None, color=base)]
    made += [Threshold(value=value, color=colour) for value, colour in sorted(steps)]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(made)


def lines() -> common.GraphThresholdsStyleConfig:
    """Draws the steps across a graph, dashed."""
    return common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)


def override(steps: Steps, base: str = colours.GOOD) -> DynamicConfigValue:
    """The same for one series of several."""
    return DynamicConfigValue(id_val="thresholds", value=build(steps, base).build())
