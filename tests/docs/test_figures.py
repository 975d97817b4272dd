"""No figure on the slides without its source, and none that its source no longer has; and what is wrong is found."""

from pathlib import Path

import pytest

import figures
from conftest import ROOT


def test_every_figure_of_the_slides_is_that_of_its_source() -> None:
    assert figures.problems(ROOT / "docs/figures.toml", ROOT / "docs/presentation.md", ROOT) == []


SLIDES = "---\nmarp: true\n---\n# Sent\n\n12 sent, 0 failed <!-- note 99 -->\n\n![](a9.svg)\n\n---\n\n# Next\n\n[3 zones](x5.md)\n"
SOURCE = "| a | 5 | 0 |\n| b | 7 | 0 |\n"
ROWS = {
    "sent": "[[figure]]\nsays = '12 sent'\nfile = 's*.md'\npattern = '^\\| \\w \\| (\\d+)'\ntake = 'sum'\n",
    "failed": "[[figure]]\nsays = '0 failed'\nfile = 'source.md'\npattern = '^\\| a \\| 5 \\| (\\d+)'\n",
    "zones": "[[plain]]\nsays = '3 zones'\nwhy = 'the design'\n",
}


def found(folder: Path, rows: str, source: str = SOURCE, slides: str = SLIDES) -> list[str]:
    (folder / "table.toml").write_text(rows)
    (folder / "source.md").write_text(source)
    (folder / "slides.md").write_text(slides)
    return figures.problems(folder / "table.toml", folder / "slides.md", folder)


def test_what_is_right_is_found_right(tmp_path: Path) -> None:
    assert found(tmp_path, "".join(ROWS.values())) == []


@pytest.mark.parametrize("row, figure", [("sent", "'12'"), ("failed", "'0'"), ("zones", "'3'")])
def test_a_number_without_a_row(tmp_path: Path, row: str, figure: str) -> None:
    problems = found(tmp_path, "".join(text for name, text in ROWS.items() if name != row))
    assert len(problems) == 1 and problems[0].startswith(figure), problems


@pytest.mark.parametrize("source, problem", [
    (SOURCE.replace("7", "8"), "'12 sent': s*.md has 13"),
    (SOURCE.replace("5 | 0", "5 | 1"), "'0 failed': source.md has 1"),
    (SOURCE.replace("| a", "| c"), "'0 failed': source.md has nothing like ^\\| a \\| 5 \\| (\\d+)"),
])
def test_a_source_that_has_moved_on(tmp_path: Path, source: str, problem: str) -> None:
    assert found(tmp_path, "".join(ROWS.values()), source) == [problem]


@pytest.mark.parametrize("extra, problem", [
    ("[[plain]]\nsays = 'nowhere'\nwhy = ''\n", "'nowhere': no slide says so"),
    ("[[figure]]\nsays = '12 sent'\nfile = 'no.md'\npattern = 'x'\n", "'12 sent': no.md: no such file"),
    ("[[figure]]\nsays = '12 sent'\nfile = 'source.md'\npattern = 'a'\ntake = 'all'\n", "'12 sent': take = 'all': one of"),
    ("[[figure]]\nsays = '12'\nin = 'no.md'\nfile = 'source.md'\npattern = 'a'\n", "'12': no.md does not say so"),
    ("[[figure]]\nsays = '5'\nin = 'source.md'\nfile = 'source.md'\npattern = '(7)'\n", "'5': source.md has 7"),
    ("[[figures]]\nsays = '12 sent'\n", "unknown: figures"),
    ("[[plain]]\nsays = '12 sent'\nbecause = ''\n", "12 sent: keys ['because'] unknown"),
])
def test_a_row_that_says_nothing(tmp_path: Path, extra: str, problem: str) -> None:
    problems = found(tmp_path, "".join(ROWS.values()) + extra)
    assert len(problems) == 1 and problems[0].startswith(problem), problems
