"""The samples as a picture: panels over a common axis of time, written as SVG by hand.

A `Panel` has a title, a unit and lines; a line is a name, a colour and points. Periods are shaded
through all panels (what the collector did), instants are ticks on top (a rotated log). Nothing here
knows what a soak is.
"""

import math
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT = 1120, 78, 236
TOP, HEIGHT, GAP, BOTTOM = 104, 128, 46, 46
INK, FAINT, GRID = "#1f2933", "#616e7c", "#e4e7eb"
FONT = "font-family=\"'DejaVu Sans', 'Segoe UI', Helvetica, Arial, sans-serif\""


@dataclass
class Line:
    name: str
    colour: str
    points: list             # (x, y)
    dashed: bool = False


@dataclass
class Panel:
    title: str
    unit: str
    lines: list = field(default_factory=list)
    logarithmic: bool = False  # from 1 up: for what spans several powers of ten


@dataclass
class Period:
    name: str
    colour: str
    start: float
    end: float


def nice_steps(highest, most=4):
    """Ticks from 0 to at least `highest`: steps of 1, 2 or 5 times a power of ten."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / most
    power = 10 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return [step * i for i in range(math.ceil(highest / step - 1e-9) + 1)]


def powers(highest):
    """Ticks of a logarithmic axis: the powers of ten from 1 to at least `highest`."""
    return [10.0 ** power for power in range(max(1, math.ceil(math.log10(max(highest, 1)))) + 1)]


def number(value):
    """Three digits, with k and M beyond ten thousand and a million."""
    for size, letter in ((1_000_000, "M"), (1000, "k")):
        if value >= size and value >= 10_000:
            return f"{float(f'{value / size:.3g}'):g} {letter}"
    return f"{float(f'{value:.4g}'):g}"


class Axis:
    """A panel's vertical one: values to pixels above the bottom."""

    def __init__(self, panel):
        highest = max((y for line in panel.lines for _, y in line.points), default=1)
        self.logarithmic = panel.logarithmic
        self.steps = powers(highest) if self.logarithmic else nice_steps(highest)

    def height(self, value):
        if self.logarithmic:
            return HEIGHT * math.log10(max(value, 1.0)) / math.log10(self.steps[-1])
        return HEIGHT * value / self.steps[-1]


def time_axis(seconds):
    """(seconds a unit, its name, ticks in the unit)."""
    unit, name = (3600, "hours") if seconds > 3 * 3600 else (60, "minutes")
    return unit, name, [tick for tick in nice_steps(seconds / unit, 10) if tick <= seconds / unit]


class Picture:
    def __init__(self, title, subtitle, seconds, panels, periods=(), instants=(), instant_name=""):
        self.title, self.subtitle = title, subtitle
        self.seconds = max(seconds, 1.0)
        self.panels, self.periods = panels, list(periods)
        self.instants, self.instant_name = list(instants), instant_name
        self.out = []

    def x(self, seconds):
        return LEFT + (WIDTH - LEFT - RIGHT) * min(max(seconds / self.seconds, 0), 1)

    def text(self, x, y, words, size=12, colour=INK, anchor="start", weight="normal"):
        self.out.append(f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" '
                        f'text-anchor="{anchor}" font-weight="{weight}">{escape(words)}</text>')

    def rule(self, x1, y1, x2, y2, colour=GRID, width=1.0):
        self.out.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                        f'stroke="{colour}" stroke-width="{width}"/>')

    def svg(self):
        height = TOP + len(self.panels) * (HEIGHT + GAP) + BOTTOM
        self.out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
                    f'width="{WIDTH}" height="{height}" role="img" {FONT}>',
                    f"<title>{escape(self.title)}</title>",
                    f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>']
        self.text(LEFT, 30, self.title, 19, weight="bold")
        self.text(LEFT, 52, self.subtitle, 12, FAINT)
        self._ticks_on_top()
        for index, panel in enumerate(self.panels):
            self._panel(panel, TOP + index * (HEIGHT + GAP))
        self._time(TOP + len(self.panels) * (HEIGHT + GAP) - GAP)
        self._legend(height - 20)
        self.out.append("</svg>")
        return "\n".join(self.out) + "\n"

    def _ticks_on_top(self):
        for instant in self.instants:
            x = self.x(instant)
            self.out.append(f'<path d="M{x - 3:.1f},{TOP - 38} h6 l-3,7 z" fill="{FAINT}"/>')

    def _panel(self, panel, top):
        bottom = top + HEIGHT
        for period in self.periods:
            start, end = self.x(period.start), self.x(period.end)
            self.out.append(f'<rect x="{start:.1f}" y="{top}" width="{max(end - start, 0.5):.1f}" '
                            f'height="{HEIGHT}" fill="{period.colour}"/>')
        axis = Axis(panel)
        for step in axis.steps:
            y = bottom - axis.height(step)
            self.rule(LEFT, y, WIDTH - RIGHT, y)
            self.text(LEFT - 8, y + 4, number(step), 11, FAINT, "end")
        self.rule(LEFT, bottom, WIDTH - RIGHT, bottom, FAINT)
        self.text(LEFT, top - 8, panel.title, 13, weight="bold")
        self.text(WIDTH - RIGHT, top - 8, panel.unit, 11, FAINT, "end")
        for line in panel.lines:
            self._line(line, bottom, axis)
        self._names(panel, top)

    def _line(self, line, bottom, axis):
        points = " ".join(f"{self.x(x):.1f},{bottom - axis.height(y):.1f}"
                          for x, y in line.points)
        dashes = ' stroke-dasharray="7 4"' if line.dashed else ""
        self.out.append(f'<polyline points="{points}" fill="none" stroke="{line.colour}" '
                        f'stroke-width="1.6" stroke-linejoin="round"{dashes}/>')

    def _names(self, panel, top):
        for index, line in enumerate(panel.lines):
            y = top + 14 + index * 19
            x = WIDTH - RIGHT + 14
            dashes = ' stroke-dasharray="5 3"' if line.dashed else ""
            self.out.append(f'<line x1="{x}" y1="{y - 4}" x2="{x + 18}" y2="{y - 4}" '
                            f'stroke="{line.colour}" stroke-width="2.4"{dashes}/>')
            highest = max((y for _, y in line.points), default=0)
            self.text(x + 24, y, line.name if line.dashed
                      else f"{line.name}, up to {number(highest)}", 11.5)

    def _time(self, bottom):
        unit, name, ticks = time_axis(self.seconds)
        for tick in ticks:
            x = self.x(tick * unit)
            self.rule(x, bottom, x, bottom + 5, FAINT)
            self.text(x, bottom + 19, f"{tick:g}", 11, FAINT, "middle")
        self.text(WIDTH - RIGHT, bottom + 34, name, 11, FAINT, "end")

    def _legend(self, y):
        x = LEFT
        for name, colour in dict((period.name, period.colour) for period in self.periods).items():
            self.out.append(f'<rect x="{x}" y="{y - 11}" width="16" height="13" fill="{colour}" '
                            f'stroke="{GRID}"/>')
            self.text(x + 22, y, name, 11.5, FAINT)
            x += 34 + 7 * len(name)
        if self.instants:
            self.out.append(f'<path d="M{x + 2},{y - 9} h8 l-4,9 z" fill="{FAINT}"/>')
            self.text(x + 18, y, self.instant_name, 11.5, FAINT)
