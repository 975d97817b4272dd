"""A panel of each kind that is used, with the conventions that all of them keep.

Each has a title, a description (what it shows, what is good, what to do) and a unit; the data source
is the one chosen at the top, for the panel and for each of its targets. A graph's zero is on it,
gaps are gaps, and its legend says the last and the largest value.
"""

from grafana_foundation_sdk.builders import common, dashboard, heatmap, stat, statetimeline, table
from grafana_foundation_sdk.builders import timeseries as graphs
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models.dashboard import (DataTransformerConfig, DynamicConfigValue,
                                                     FieldColorModeId, ValueMap,
                                                     ValueMappingResult)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode, HeatmapColorScale

from . import colours, links, thresholds
from .queries import DATASOURCE, Query
from .thresholds import Steps

Names = dict[str, str]
LAST = common.ReduceDataOptions().calcs(["lastNotNull"])


def dressed(panel, title: str, description: str, unit: str, queries: list[Query],
            alert: str = "", more: list | None = None):
    """What every panel has. `alert` is the one that watches what it shows; `more` are links."""
    to = list(more or []) + ([links.runbook(alert)] if alert else [])
    panel = (panel.title(title).description(description).unit(unit).datasource(DATASOURCE)
             .targets([_Built(query.build(place)) for place, query in enumerate(queries)]))
    return panel.links(to) if to else panel


class _Built:
    """A target whose making is over: the SDK asks for builders."""

    def __init__(self, builder) -> None:
        self.target = builder.build()

    def build(self):
        """The target."""
        return self.target


def fixed(colour: str) -> DynamicConfigValue:
    """A colour of one series of several."""
    return DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": colour})


def dashes() -> DynamicConfigValue:
    """A line that is a bound of others, not one of them."""
    return DynamicConfigValue(id_val="custom.lineStyle", value={"fill": "dash", "dash": [10, 10]})


def property_of(name: str, value: object) -> DynamicConfigValue:
    """Another setting of one series."""
    return DynamicConfigValue(id_val=name, value=value)


def legend() -> common.VizLegendOptions:
    """A table under the graph, so that a figure can be read off."""
    return (common.VizLegendOptions().show_legend(True).calcs(["lastNotNull", "max"])
            .display_mode(shapes.LegendDisplayMode.TABLE)
            .placement(shapes.LegendPlacement.BOTTOM))


def graph(title: str, description: str, unit: str, queries: list[Query], *, steps: Steps = (),
          named: Names | None = None, matched: Names | None = None, bounds: tuple[str, ...] = (),
          switches: tuple[str, ...] = (), stacked: bool = False, most: float | None = None,
          signed: bool = False, alert: str = "", more: list | None = None) -> graphs.Panel:
    """Values over time. `named` and `matched` colour series by name or by regular expression,
    `bounds` (a regular expression each) are limits: grey and dashed; `switches` are 0 or 1, and have
    the right axis, for beside thousands nobody saw them. What may be below zero is `signed`."""
    panel = dressed(graphs.Panel(), title, description, unit, queries, alert, more)
    panel = (panel.line_width(1).fill_opacity(60 if stacked else 8)
             .show_points(shapes.VisibilityMode.NEVER).span_nulls(False).legend(legend())
             .tooltip(common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI)
                      .sort(shapes.SortOrder.DESCENDING)))
    if not signed:
        panel = panel.min(0)
    if most is not None:
        panel = panel.max(most)
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL).group("A"))
    if steps:
        panel = (panel.thresholds(thresholds.build(list(steps), "transparent"))
                 .thresholds_style(thresholds.lines()))
    for name, colour in (named or {}).items():
        panel = panel.override_by_name(name, [fixed(colour)])
    for pattern, colour in (matched or {}).items():
        panel = panel.override_by_regexp(f"/^{pattern}$/", [fixed(colour)])
    for pattern in bounds:
        panel = panel.override_by_regexp(f"/^{pattern}$/", [
            fixed(colours.LIMIT), dashes(), property_of("custom.fillOpacity", 0)])
    for pattern in switches:
        panel = panel.override_by_regexp(f"/^{pattern}$/", [
            property_of("custom.axisPlacement", "right"), property_of("max", 1)])
    return panel


def figure(title: str, description: str, unit: str, queries: list[Query], *, steps: Steps = (),
           base: str = "", single: dict[str, Steps] | None = None, words: Names | None = None,
           decimals: int | None = None, nothing: str = "", alert: str = "",
           more: list | None = None) -> stat.Panel:
    """Figures of this moment, coloured by their steps: `single` for series that have their own.
    Without any a figure is no verdict. `words` takes the place of values: {"0": "no"}; `nothing` that
    of no data, where there may be none."""
    judged = bool(steps or single)
    base = base or (colours.GOOD if judged else colours.QUIET)
    panel = dressed(stat.Panel(), title, description, unit, queries, alert, more)
    panel = (panel.reduce_options(LAST).graph_mode(shapes.BigValueGraphMode.NONE)
             .color_mode(shapes.BigValueColorMode.BACKGROUND if judged
                         else shapes.BigValueColorMode.NONE)
             .thresholds(thresholds.build(list(steps), base)))
    if nothing:
        panel = panel.no_value(nothing)
    if decimals is not None:
        panel = panel.decimals(decimals)
    if words:
        panel = panel.mappings([ValueMap({value: ValueMappingResult(text=text)
                                          for value, text in words.items()})])
    for name, own in (single or {}).items():
        panel = panel.override_by_name(name, [thresholds.override(own)])
    return panel


def sheet(title: str, description: str, unit: str, queries: list[Query], columns: Names,
          hidden: tuple[str, ...] = (),
          judged: dict[str, tuple[str, Steps, str]] | None = None, nothing: str = "",
          alert: str = "") -> table.Panel:
    """Figures of this moment, a row for each label set. `columns` names what the queries answer
    (`Value #A`, or a label); `judged` gives a column a unit, steps and the colour below them."""
    panel = dressed(table.Panel(), title, description, unit, queries, alert)
    panel = panel.no_value(nothing) if nothing else panel
    drop = {name: True for name in ("Time", *hidden)}
    ordered = {name: place for place, name in enumerate(columns)}
    panel = panel.transformations([
        DataTransformerConfig(id_val="merge", options={}),
        DataTransformerConfig(id_val="organize", options={
            "excludeByName": drop, "indexByName": ordered, "renameByName": columns})])
    for name, (own_unit, steps, base) in (judged or {}).items():
        properties = [property_of("unit", own_unit)]
        if steps:
            properties += [thresholds.override(steps, base), property_of(
                "custom.cellOptions", {"type": "color-background", "mode": "basic"})]
        panel = panel.override_by_name(name, properties)
    return panel.show_header(True)


def heat(title: str, description: str, query: Query, more: list | None = None) -> heatmap.Panel:
    """How many requests took how long; a point is a trace that can be opened."""
    panel = dressed(heatmap.Panel(), title, description, "s", [query], more=more)
    return (panel.calculate(False).y_axis(heatmap.YAxisConfig().unit("s").decimals(1))
            .cell_values(heatmap.CellValues().unit("reqps"))
            .rows_frame(heatmap.RowsHeatmapOptions().layout(shapes.HeatmapCellLayout.AUTO))
            .color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Blues")
                   .scale(HeatmapColorScale.EXPONENTIAL).exponent(0.5).steps(64).fill("blue")
                   .reverse(False))
            .exemplars_color(colours.WARN).show_legend().show_y_histogram()
            .mode(shapes.TooltipDisplayMode.SINGLE))


def states(title: str, description: str, queries: list[Query], words: dict[str, tuple[str, str]],
           nothing: str = "", alert: str = "") -> statetimeline.Panel:
    """What was the case from when to when; `words` are (text, colour) for each value."""
    panel = dressed(statetimeline.Panel(), title, description, "none", queries, alert)
    panel = panel.no_value(nothing) if nothing else panel
    return (panel.mappings([ValueMap({value: ValueMappingResult(text=text, color=colour)
                                      for value, (text, colour) in words.items()})])
            .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.FIXED)
                          .fixed_color(colours.LIMIT))
            .show_value(shapes.VisibilityMode.NEVER).merge_values(True).row_height(0.8)
            .fill_opacity(70).line_width(0)
            .legend(common.VizLegendOptions().show_legend(True)
                    .display_mode(shapes.LegendDisplayMode.LIST)
                    .placement(shapes.LegendPlacement.BOTTOM)))
