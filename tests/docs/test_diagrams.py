"""The diagrams can be read: no label over another, no line through one, nothing too small at the width of a page;
and the measure finds it where it is not so.
"""

import re
from pathlib import Path

import pytest

from chromium import Browser
from conftest import DIAGRAMS, ROOT
from measure import measure

PAGE = 830  # the width that GitHub gives a picture in a document, in CSS pixels
SMALLEST = 9.0
PICTURES = sorted(DIAGRAMS.glob("*.svg"))
REMOTE = re.compile(r"""(?:href|src)=["'](?!#|data:)[^"']+|url\((?!["']?(?:#|data:))[^)]+""")


def test_there_are_diagrams_and_each_has_its_source() -> None:
    sources = {path.stem for path in DIAGRAMS.glob("*.d2")} - {"style"}
    assert sources == {path.stem for path in PICTURES} and len(sources) > 5


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_a_document_shows_it(path: Path) -> None:
    shown = [page.name for page in ROOT.glob("docs/*.md") if f"(diagrams/{path.name})" in page.read_text()]
    assert shown, f"{path.name} is shown nowhere"


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_it_asks_the_network_for_nothing(path: Path) -> None:
    assert REMOTE.findall(path.read_text()) == []


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.stem)
def test_it_can_be_read(browser: Browser, path: Path) -> None:
    picture = measure(browser, path)
    assert len(picture.texts) > 5 and len(picture.paths) > 1
    assert picture.overlaps() + picture.struck() == []
    assert picture.smallest(PAGE) >= SMALLEST, f"{picture.width:.0f} wide: text of {picture.smallest(PAGE):.1f} px"


SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 2000 100"><style>text {{font: 16px sans-serif}}</style>
<g class="a"><text x="10" y="50">first</text></g>{rest}</svg>"""
BAD = {
    "over": ('<g class="b"><text x="20" y="54">second</text></g>', ["'first' over 'second'"], []),
    "through": ('<g class="b"><path class="connection" d="M 0 45 L 300 45"/></g>', [], ["a line through 'first'"]),
    "apart": ('<g class="b"><text x="10" y="80">second</text><path class="connection" d="M 0 60 L 300 60"/></g>', [], []),
    "its own": ('<g class="b"><text x="100" y="80">own</text><path class="connection" d="M 0 75 L 300 75"/></g>', [], []),
    "unseen": ('<g class="b" style="opacity: 0"><text x="10" y="50">second</text></g>', [], []),
}


@pytest.mark.parametrize("name", BAD)
def test_the_measure_finds_it(browser: Browser, tmp_path: Path, name: str) -> None:
    rest, over, struck = BAD[name]
    path = tmp_path / "bad.svg"
    path.write_text(SVG.format(rest=rest))
    picture = measure(browser, path)
    assert picture.overlaps() == over and picture.struck() == struck
    assert picture.smallest(1000) == 8 and picture.smallest(4000) == 16


def test_what_comes_from_the_network_is_found() -> None:
    assert len(REMOTE.findall('<image href="https://a.example/x.png"/> a {b: url("https://a.example/f")} '
                              '<use href="#a"/> a {b: url("data:font/woff;base64,AA")}')) == 2


def test_the_waves_are_those_of_the_environment() -> None:
    table = ROOT / "infra/gitops/apps/values.yaml"
    wanted = {(part or "platform", number, name) for name, part, number in
              re.findall(r"^  - name: (\S+)\n(?:    part: (\w+)\n)?    wave: (\d+)$", table.read_text(), re.M)}
    drawn = {(part, number, name.replace("\\n", ""))
             for part, waves in re.findall(r'^(\w+): "\w+" \{\n(.*?)^\}', (DIAGRAMS / "waves.d2").read_text(), re.M | re.S)
             for number, children in re.findall(r'^  \w+: "wave (\d+)" \{\n(.*?)^  \}', waves, re.M | re.S)
             for name in re.findall(r'^    \w: "([^"]+)"', children, re.M)}
    assert drawn == wanted and drawn
