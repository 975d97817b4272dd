"""What may be chosen at the top of a dashboard.

Names, labels and `All` are those that people know from other dashboards: All is `.+`, a regular
expression, and not a list of what happened to be there when the page was opened. Of namespaces
it is `.*`, which also matches that there is none.
"""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import VariableOption, VariableRefresh, VariableSort

from .goals import OBJECTIVES
from .queries import DATASOURCE, JOB, NAMESPACE

ALL = VariableOption(selected=True, text="All", value="$__all")
REF_ID = "PrometheusVariableQueryEditor-VariableQuery"


def datasource() -> dashboard.DatasourceVariable:
    """Which Prometheus."""
    return (dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
            .current(VariableOption(text="default", value="default"))
            .description("The Prometheus that scrapes the service."))


def choice(name: str, label: str, query: str, description: str, everything: str = ".+",
           regex: str = "") -> dashboard.QueryVariable:
    """Some of a label's values, or all of them."""
    return (dashboard.QueryVariable(name).label(label).description(description)
            .datasource(DATASOURCE).query({"qryType": 1, "query": query, "refId": REF_ID})
            .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)
            .multi(True).include_all(True).all_value(everything).regex(regex).current(ALL))


def namespace() -> dashboard.QueryVariable:
    """The installations of a cluster, and outside of one nothing to choose."""
    return choice("namespace", "Namespace", "label_values(glassbox_build_info, namespace)",
                  "Where the service is installed; nothing to choose where there is no cluster.",
                  everything=".*")


def job() -> dashboard.QueryVariable:
    """The scrape job of the service. All of them is not offered: `up` and `process_*` are of every
    program that is scraped, and would be mixed with ours."""
    return (choice("job", "Job", f"label_values(glassbox_build_info{{{NAMESPACE}}}, job)",
                   "The scrape job of the service.").include_all(False)
            .current(VariableOption(selected=True, text=[OBJECTIVES.job], value=[OBJECTIVES.job])))


def instance() -> dashboard.QueryVariable:
    """The processes."""
    return choice("instance", "Instance", f"label_values(glassbox_build_info{{{JOB}}}, instance)",
                  "The processes that are shown.")


def usual() -> list:
    """Of every dashboard about the service."""
    return [datasource(), namespace(), job(), instance()]
