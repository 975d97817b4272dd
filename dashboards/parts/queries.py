"""PromQL, made of few pieces, and a target of a panel made of it.

Every selector has the namespace, the job and the instance that are chosen at the top, unless it says why
not: without the first, installations of one cluster would mix. Rates are taken over `$__rate_interval`;
quantiles from classic buckets, which any Prometheus has.
"""

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

DATASOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
NAMESPACE = 'namespace=~"$namespace"'
JOB = f'{NAMESPACE}, job=~"$job"'  # all of its processes
TARGET = f'{JOB}, instance=~"$instance"'
DURATION = "http_server_request_duration_seconds"
COUNT = f"{DURATION}_count"
FAILED = 'error_type!=""'  # of requests, and of what the exporters do
PUBLIC = 'listener="public"'


def series(name: str, *matchers: str, target: str = TARGET) -> str:
    """A selector."""
    return f"{name}{{{', '.join(part for part in (target, *matchers) if part)}}}"


def rate(name: str, *matchers: str, target: str = TARGET) -> str:
    """How much a counter grows in a second."""
    return f"rate({series(name, *matchers, target=target)}[$__rate_interval])"


def total(by: str, expression: str) -> str:
    """The sum over all labels but these; over all of them without any."""
    return f"sum by ({by}) ({expression})" if by else f"sum({expression})"


def highest(by: str, expression: str) -> str:
    """The largest of each group."""
    return f"max by ({by}) ({expression})" if by else f"max({expression})"


def quantile(q: float, by: str, name: str, *matchers: str) -> str:
    """A quantile of a histogram, for each group: of none that was observed it would be NaN, which a
    figure shows as such, and is left out."""
    buckets = total(f"{by}, le" if by else "le", rate(f"{name}_bucket", *matchers))
    return f"histogram_quantile({q}, {buckets}) > 0"


def some(by: str, part: str, whole: str) -> str:
    """The sum of a part of what another counts. Without any it is 0 and not nothing: a label set that
    has not occurred has no series, and where all is well a figure must say so."""
    return f"({total(by, part)} or 0 * {total(by, whole)})"


def share(by: str, part: str, whole: str) -> str:
    """A part of the whole, group by group, but not of nothing: 0 / 0 is NaN."""
    return f"{some(by, part, whole)} / ({total(by, whole)} > 0)"


class Query:
    """A target: what is asked, how its series are called, and over what time."""

    def __init__(self, expression: str, legend: str = "", *, instant: bool = False,
                 exemplars: bool = False, kind: str = "time_series") -> None:
        self.expression, self.legend = expression, legend
        self.instant, self.exemplars, self.kind = instant, exemplars, kind

    def build(self, place: int) -> prometheus.Dataquery:
        """The target of that place in its panel. It names its datasource itself: a strict reader
        takes its fields for Prometheus's then."""
        target = (prometheus.Dataquery().datasource(DATASOURCE).ref_id(chr(ord("A") + place))
                  .expr(self.expression).editor_mode(QueryEditorMode.CODE)
                  .legend_format(self.legend or "__auto").format(PromQueryFormat(self.kind)))
        target = target.instant() if self.instant else target.range()
        return target.exemplar(True) if self.exemplars else target


def now(expression: str, legend: str = "") -> Query:
    """The value of this moment."""
    return Query(expression, legend, instant=True)


def cells(expression: str) -> Query:
    """The values of this moment as rows of a table."""
    return Query(expression, instant=True, kind="table")


def over_time(expression: str, legend: str = "", exemplars: bool = False) -> Query:
    """The values of the time that is shown."""
    return Query(expression, legend, exemplars=exemplars)


def buckets(expression: str) -> Query:
    """A heatmap's: a row for each bucket, with the traces behind them."""
    return Query(expression, "{{le}}", exemplars=True, kind="heatmap")
