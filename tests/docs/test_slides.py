"""The slides as a room sees them: as many pages as slides, nothing over an edge, nothing too small, every font in the
file, nothing from the network, notes for who speaks.
"""

import re
import subprocess
from pathlib import Path

import pytest

import figures
from chromium import Browser
from conftest import ROOT

SOURCE = ROOT / "docs/presentation.md"
HTML = ROOT / "build/docs/slides/presentation.html"
PDF = ROOT / "build/docs/presentation.pdf"
WORDS = 90
SMALLEST = 18.0  # of text, on a slide that is 1280 wide
SMALLEST_IN_PICTURES = 11.0

# Of each slide: how far anything is over the edge of where content may be, its smallest text, its pictures.
SCRIPT = """
return [...document.querySelectorAll("section")].map((section) => {
    const scale = section.clientWidth / section.getBoundingClientRect().width;
    const area = section.getBoundingClientRect(), style = getComputedStyle(section);
    const bottom = area.bottom - parseFloat(style.paddingBottom) / scale;
    const right = area.right - parseFloat(style.paddingRight) / scale;
    const inside = [...section.querySelectorAll("*")].filter((e) => !e.closest("header, footer, .crop") && !e.matches("style, script"));
    const texts = inside.filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()));
    const boxes = inside.map((e) => e.getBoundingClientRect()).filter((box) => box.width && box.height);
    return {
        over: Math.max(0, ...boxes.map((b) => Math.max(b.bottom - bottom, b.right - right, area.left - b.left, area.top - b.top))) * scale,
        scrolls: section.scrollHeight > section.clientHeight || section.scrollWidth > section.clientWidth,
        title: section.querySelector("h1").getClientRects().length && section.querySelector("h1").offsetHeight / parseFloat(getComputedStyle(section.querySelector("h1")).fontSize),
        smallest: Math.min(...texts.map((e) => parseFloat(getComputedStyle(e).fontSize))),
        broken: inside.filter((e) => e.matches("p") && e.querySelector("br")).map((e) => e.innerText),
        words: inside.length ? section.innerText.trim().split(/\\s+/).length : 0,
        pictures: [...section.querySelectorAll("img")].map((image) =>
            ({name: image.src.split("/").pop(), width: image.getBoundingClientRect().width * scale, natural: image.naturalWidth})),
    };
});
"""


@pytest.fixture(scope="module")
def slides(browser: Browser) -> list[dict]:
    browser.forget()
    browser.driver.get(HTML.as_uri())
    browser.driver.execute_async_script("document.fonts.ready.then(() => arguments[0]())")
    return browser.run(SCRIPT)


def tool(*command: str | Path) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_there_are_as_many_pages_as_slides(slides: list[dict]) -> None:
    pages = int(re.search(r"^Pages:\s+(\d+)$", tool("pdfinfo", PDF), re.M)[1])
    assert pages == len(slides) == len(figures.slides(SOURCE.read_text())) and 10 <= pages <= 14


def test_nothing_is_over_an_edge(slides: list[dict]) -> None:
    assert [(number, slide["over"]) for number, slide in enumerate(slides, 1) if slide["over"] > 0.5 or slide["scrolls"]] == []


def test_no_paragraph_has_a_break_of_its_own(slides: list[dict]) -> None:
    """Marp makes a <br> of a source line's end: a stray one, where the room's width would break elsewhere."""
    assert [(number, text) for number, slide in enumerate(slides, 1) for text in slide["broken"]] == []


def test_a_title_is_one_line(slides: list[dict]) -> None:
    assert [number for number, slide in enumerate(slides, 1) if not 0 < slide["title"] < 2] == []


def test_it_can_be_read_from_the_last_row(slides: list[dict]) -> None:
    assert [(number, slide["smallest"]) for number, slide in enumerate(slides, 1) if slide["smallest"] < SMALLEST] == []


def test_there_are_few_words(slides: list[dict]) -> None:
    assert [(number, slide["words"]) for number, slide in enumerate(slides, 1) if slide["words"] > WORDS] == []


def test_pictures_are_there_and_large_enough(slides: list[dict]) -> None:
    pictures = [(number, image) for number, slide in enumerate(slides, 1) for image in slide["pictures"]]
    assert len(pictures) >= 4
    assert [(number, image["name"]) for number, image in pictures if not image["natural"]] == [], "not there"
    sizes = [(number, image["name"], 16 * image["width"] / drawn(image["name"])) for number, image in pictures
             if drawn(image["name"])]
    assert len(sizes) >= 3 and [row for row in sizes if row[2] < SMALLEST_IN_PICTURES] == []


def drawn(name: str) -> float | None:
    """The own width of a picture that d2 has made: there its text is 16 px. None of another picture."""
    path = ROOT / "docs/diagrams" / name
    return float(re.search(r'viewBox="0 0 (\d+)', path.read_text())[1]) if path.exists() else None


def test_nothing_is_asked_of_the_network(browser: Browser, slides: list[dict]) -> None:
    assert browser.complaints() == []
    assert {scheme for scheme in browser.traffic()[0] if not scheme.startswith(("file:", "data:"))} == set()
    assert not re.search(r"""(?:src|href)=["']https?:|url\(["']?https?:|@import""", HTML.read_text())


def test_every_font_is_in_the_file() -> None:
    fonts = [line.split() for line in tool("pdffonts", PDF).splitlines()[2:]]
    assert fonts
    assert [row[0] for row in fonts if row[-5] != "yes"] == [], "not embedded"
    # A font that is not there would be replaced, and the slides be laid out otherwise than measured.
    assert any("NotoSans-Regular" in row[0] for row in fonts) and any("NotoSans-Bold" in row[0] for row in fonts)


def test_each_slide_has_notes() -> None:
    _, _, body = SOURCE.read_text().split("---\n", 2)
    notes = [" ".join(re.findall(r"<!--(?! _)(.*?)-->", slide, re.S)) for slide in re.split(r"^---$", body, flags=re.M)]
    assert [number for number, note in enumerate(notes, 1) if len(note.split()) < 25] == []
