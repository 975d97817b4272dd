"""A dashboard: rows of panels, each with a width of 24 columns in all, one under another.

The first row answers the first question a person has and fits on a screen with the second. A row may
have a heading. Ids are a panel's place, so that they do not change with its neighbours' contents.
"""

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, GridPos

from . import annotations, links

WIDTH = 24


class Row:
    """Panels side by side: (width, panel) each."""

    def __init__(self, height: int, *panels: tuple, title: str = "") -> None:
        self.height, self.panels, self.title = height, panels, title
        used = sum(width for width, _ in panels)
        if used != WIDTH:
            raise ValueError(f"a row of {used} columns: {[p.build().title for _, p in panels]}")


class Board:
    """A whole dashboard; `build` gives what the SDK makes of it."""

    def __init__(self, name: str, title: str, description: str, variables: list, rows: list[Row],
                 since: str = "now-1h", refresh: str = "10s") -> None:
        self.uid, self.title, self.description = f"glassbox-{name}", title, description
        self.variables, self.rows, self.since, self.refresh = variables, rows, since, refresh

    def build(self) -> dashboard.Dashboard:
        """Everything in its place."""
        board = (dashboard.Dashboard(self.title).uid(self.uid).description(self.description)
                 .tags([links.TAG]).readonly().timezone("browser").refresh(self.refresh)
                 .time(self.since, "now").tooltip(DashboardCursorSync.CROSSHAIR)
                 .version(1).preload(False).links([links.dashboards(), links.runbooks()])
                 .variables(self.variables).annotations(annotations.all_of_them()))
        for variable in board.build().templating.list_val:
            # Of intervals alone: the SDK gives them to all, which Grafana 13's schema does not know.
            variable.auto = variable.auto_min = variable.auto_count = None
        top, place = 0, 1
        for row in self.rows:
            if row.title:
                heading = dashboard.Row(row.title).id(place)
                board.with_row(heading.grid_pos(GridPos(h=1, w=WIDTH, x=0, y=top)))
                top, place = top + 1, place + 1
            left = 0
            for width, panel in row.panels:
                board.with_panel(panel.id(place).grid_pos(
                    GridPos(h=row.height, w=width, x=left, y=top)))
                left, place = left + width, place + 1
            top += row.height
        return board
