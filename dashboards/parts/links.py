"""From one dashboard to the next, with the time and what was chosen; and to the runbooks."""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

from . import goals

TAG = "glassbox"


def dashboards() -> dashboard.DashboardLink:
    """All dashboards of ours, in a row."""
    return (dashboard.DashboardLink("Dashboards").type(DashboardLinkType.DASHBOARDS).tags([TAG])
            .as_dropdown(False).include_vars(True).keep_time(True))


def runbooks() -> dashboard.DashboardLink:
    """What to do about an alert."""
    return (dashboard.DashboardLink("Runbooks").type(DashboardLinkType.LINK)
            .url(goals.RUNBOOKS).icon("doc").tooltip("One page an alert").target_blank(True))


def runbook(alert: str) -> dashboard.DashboardLink:
    """Of a panel: the page of the alert that watches what it shows."""
    return (dashboard.DashboardLink(f"Runbook: {alert}").type(DashboardLinkType.LINK)
            .url(f"{goals.RUNBOOKS}/{alert}.md").target_blank(True))


def board(uid: str, title: str) -> dashboard.DashboardLink:
    """Of a panel: where there is more of it."""
    return (dashboard.DashboardLink(title).type(DashboardLinkType.LINK)
            .url(f"/d/{uid}?${{__url_time_range}}&${{datasource:queryparam}}&${{namespace:queryparam}}"
                 "&${job:queryparam}"))
