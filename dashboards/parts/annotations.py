"""What happened, drawn over every panel: faults that were in force, starts of a process, and alerts but
those of severity info, which say of a fault in force what is marked already.

A query of an annotation has fields that only Prometheus's datasource knows, for its texts. The schema
that the SDK is made of leaves them out, so they are added to its model here; `.ci/tools/dashboards`
knows them by name and type.
"""

from grafana_foundation_sdk.models.dashboard import AnnotationQuery

from . import colours
from .goals import SERVICE
from .queries import DATASOURCE, JOB, NAMESPACE, highest, series


class PrometheusAnnotation(AnnotationQuery):
    """An annotation with its texts; `{{label}}` is of the series that made it."""

    def __init__(self, name: str, expression: str, title: str, text: str, tags: str,
                 colour: str) -> None:
        super().__init__(name=name, datasource=DATASOURCE, enable=True, icon_color=colour,
                         expr=expression)
        self.texts = {"titleFormat": title, "textFormat": text, "tagKeys": tags, "step": "15s",
                      "useValueForTime": False}

    def to_json(self) -> dict[str, object]:
        """The model's fields and the texts."""
        return super().to_json() | self.texts

    def build(self) -> AnnotationQuery:
        """What builders are asked for."""
        return self


def all_of_them() -> list[PrometheusAnnotation]:
    """The three, in the order of the toggles. Of all processes: a drill of one explains what is seen of
    all, and an objective has no instances."""
    force = highest("fault, http_route", series("glassbox_fault_in_force", target=JOB))
    young = f"(time() - {series('process_start_time_seconds', target=JOB)} < 60)"
    alerts = series("ALERTS", 'alertstate="firing"', f'service="{SERVICE}"',
                    'severity=~"page|ticket"', target=NAMESPACE)
    return [
        PrometheusAnnotation("Drills", f"{force} == 1", "Fault in force: {{fault}}",
                             "{{fault}} {{http_route}}", "fault,http_route", colours.TRUTH),
        PrometheusAnnotation(
            "Starts and deploys",
            f"{young} * on (job, instance) group_left (version, revision) "
            f"{series('glassbox_build_info', target=JOB)}",
            "Started {{version}}", "{{instance}} {{version}} {{revision}}", "instance,version",
            colours.OBSERVED),
        PrometheusAnnotation(
            "Alerts", highest("alertname, severity, http_route, instance", alerts),
            "{{alertname}}", "{{severity}} {{http_route}} {{instance}}", "severity",
            colours.BAD)]
