"""One picture: each metric over its target, and replicas, foretold and real."""

from glassbox_hpa.model import Moment
from glassbox_hpa.spec import PODS, Spec

from ..plot import Line, Panel, Picture
from .watch import Look, ratios

SEEN, FORETOLD, LIMIT = "#2b6cb0", "#d69e2e", "#9b2c2c"


def picture(spec: Spec, predicted: list[Moment], looks: list[Look], testid: str) -> str:
    """As SVG, on the load's clock."""
    end = predicted[-1].t
    panels = []
    for metric in spec.metrics:
        words = "requests a second and pod" if metric.kind == PODS else "CPU, of what a pod asks for"
        panels.append(Panel(words, "of the target", [
            Line("as read", SEEN, [(one.t, ratios(spec, one.metrics)[metric.name]) for one in looks
                                   if one.metrics[metric.name] is not None and one.t <= end]),
            Line("foretold", FORETOLD, [(one.t, ratios(spec, one.metrics)[metric.name]) for one in predicted
                                        if one.metrics[metric.name] is not None], dashed=True),
            Line("target", LIMIT, [(0, 1), (end, 1)], dashed=True)]))
    panels.append(Panel("replicas", "", [
        Line("had", SEEN, stairs([(one.t, one.current) for one in looks if one.t <= end])),
        Line("foretold", FORETOLD, stairs([(one.t, one.current) for one in predicted]), dashed=True)]))
    return Picture("What the autoscaler would do, and what it did",
                   f"loadtest/run hpa, test {testid}", end, panels).svg()


def stairs(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """A number of replicas goes at once from one to the other."""
    return [corner for before, now in zip([*points[:1], *points], points) for corner in ((now[0], before[1]), now)]
