"""Every link of what people read about alerts, dashboards and the stack leads somewhere; and the checker
finds those that do not.
"""

from pathlib import Path

import pytest

import links
import markdown

ROOT = Path(__file__).resolve().parents[2]
PATTERNS = ("README.md", "CONTRIBUTING.md", "docs/*.md", "alerts/**/*.md", "dashboards/**/*.md",
            "infra/**/*.md", ".ci/*.md", "src/**/*.md", "telemetry/**/*.md", "tests/**/*.md")


def documents() -> list[Path]:
    """What is looked at; nothing that a build left."""
    found = {path for pattern in PATTERNS for path in ROOT.glob(pattern)}
    return sorted(path for path in found
                  if not {"build", "node_modules", "corpus"} & set(path.relative_to(ROOT).parts))


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    assert links.problems(path, ROOT) == []


def test_the_documents_have_links_at_all() -> None:
    assert sum(len(links.document(path).links) for path in documents()) > 150


TARGET = """# A title
## Twice
## Twice
## `code`, and (more): a_b – c!
    # not a heading
```sh
# neither
```
"""
BAD = {
    "[a](missing.md)": "missing.md: no such file",
    "[a](target.md#nowhere)": "target.md#nowhere: no such heading",
    "[a](target.md#not-a-heading)": "target.md#not-a-heading: no such heading",
    "[a](#nowhere)": "#nowhere: no such heading",
    "[a over\ntwo lines](missing.md)": "missing.md: no such file",
    "![a](missing.png)": "missing.png: no such file",
    "[![a](missing.png)](target.md)": "missing.png: no such file",
    "[a][b]": "[b]: defined nowhere",
    "[a][]\n\n[a]: missing.md": "missing.md: no such file",
    "[a](../../../etc)": "../../../etc: outside of the repository",
    "[a](/etc/passwd)": "/etc/passwd: an absolute path",
    "[a](notes.txt#x)": "notes.txt#x: an anchor in what is no Markdown",
    "[a](https://)": "https://: no host",
    "[a](https://exa_mple.com/x)": "https://exa_mple.com/x: no host",
    "[a](ftp://example.com/x)": "ftp://example.com/x: the scheme ftp",
    "- a list\n\n    [a](missing.md)": "missing.md: no such file",
}
GOOD = ("[a](target.md)", "[a](target.md#twice)", "[a](target.md#twice-1)",
        "[a](target.md#code-and-more-a_b--c)", "[a](./)", "[a](https://example.com/x?y#z)",
        "`[a](missing.md)`", "    [a](missing.md)", "```\n[a](missing.md)\n```",
        "[a][b]\n\n[b]: target.md", "[a](mailto:someone@example.com)")


def check(folder: Path, text: str) -> list[str]:
    """The problems of a file with this text, beside the target."""
    (folder / "target.md").write_text(TARGET)
    (folder / "notes.txt").write_text("")
    source = folder / "source.md"
    source.write_text(text)
    links.document.cache_clear()
    return links.problems(source, folder)


@pytest.mark.parametrize("text", BAD)
def test_what_leads_nowhere_is_found(tmp_path: Path, text: str) -> None:
    found = check(tmp_path, text)
    assert len(found) == 1 and found[0].startswith(BAD[text]), found


@pytest.mark.parametrize("text", GOOD)
def test_what_leads_somewhere_is_not(tmp_path: Path, text: str) -> None:
    assert check(tmp_path, text) == []


def test_anchors_are_github_s() -> None:
    assert [markdown.anchor(text) for text in (
        "Read [the](x.md) `code`", "What a failure says", "A, B & C", "snake_case 2.0")] == [
        "read-the-code", "what-a-failure-says", "a-b--c", "snake_case-20"]
