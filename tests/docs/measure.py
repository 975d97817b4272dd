"""What a reader sees of an SVG that d2 made, measured in a browser: where each text is, where each line goes.

Lengths are those of the picture at its own size, as its viewBox has it.
"""

from dataclasses import dataclass
from pathlib import Path

from chromium import Browser

# Every text by its lines, every connection by points along it, each with the group (a shape, a connection) it is of.
SCRIPT = """
const root = document.documentElement;
const scale = root.viewBox.baseVal.width / root.getBoundingClientRect().width;
const at = root.getBoundingClientRect();
const groups = [...document.querySelectorAll("g")];
const own = (element) => groups.indexOf(element.closest("g[class]:not(.shape)"));
const lines = (text) => text.querySelector("tspan") ? [...text.querySelectorAll("tspan")] : [text];
const shown = (element) => {
    for (let e = element; e instanceof Element; e = e.parentElement)
        if (getComputedStyle(e).opacity === "0") return false;
    return element.textContent.trim() !== "";
};
const texts = [...document.querySelectorAll("text")].filter(shown).flatMap((text) => lines(text).map((line) => {
    const box = line.getBoundingClientRect();
    return {group: own(text), text: line.textContent,
            left: (box.left - at.left) * scale, right: (box.right - at.left) * scale,
            top: (box.top - at.top) * scale, bottom: (box.bottom - at.top) * scale,
            size: parseFloat(getComputedStyle(text).fontSize)};
}));
const paths = [...document.querySelectorAll("path.connection")].map((path) => {
    const matrix = path.getScreenCTM(), points = [];
    for (let i = 0; i <= path.getTotalLength(); i += 2) {
        const p = path.getPointAtLength(i).matrixTransform(matrix);
        points.push([(p.x - at.left) * scale, (p.y - at.top) * scale]);
    }
    return {group: own(path), points};
});
return {width: root.viewBox.baseVal.width, height: root.viewBox.baseVal.height, texts, paths};
"""


@dataclass(frozen=True)
class Box:
    """A line of text, without the room above and below its letters."""

    group: int
    text: str
    left: float
    right: float
    top: float
    bottom: float
    size: float

    @staticmethod
    def of(row: dict) -> "Box":
        slack = (row["bottom"] - row["top"]) * 0.15
        return Box(**{**row, "top": row["top"] + slack, "bottom": row["bottom"] - slack})

    def meets(self, other: "Box") -> bool:
        return (self.left < other.right and other.left < self.right
                and self.top < other.bottom and other.top < self.bottom)

    def holds(self, x: float, y: float) -> bool:
        return self.left < x < self.right and self.top < y < self.bottom


@dataclass(frozen=True)
class Picture:
    """What was measured."""

    width: float
    height: float
    texts: list[Box]
    paths: list[dict]

    def overlaps(self) -> list[str]:
        """Labels that lie on another."""
        return [f"{a.text!r} over {b.text!r}" for i, a in enumerate(self.texts) for b in self.texts[i + 1:] if a.meets(b)]

    def struck(self) -> list[str]:
        """Labels that a line of something else goes through; its own line makes room for a label."""
        return sorted({f"a line through {box.text!r}" for box in self.texts for path in self.paths
                       if path["group"] != box.group and any(box.holds(x, y) for x, y in path["points"])})

    def smallest(self, width: float) -> float:
        """The size of the smallest text where the picture has so much room, and never more than its own."""
        return min(box.size for box in self.texts) * min(1, width / self.width)


def measure(browser: Browser, path: Path) -> Picture:
    """Opens a picture and measures it."""
    browser.driver.get(path.resolve().as_uri())
    browser.driver.execute_async_script("document.fonts.ready.then(() => arguments[0]())")
    found = browser.run(SCRIPT)
    return Picture(found["width"], found["height"], [Box.of(row) for row in found["texts"]], found["paths"])
