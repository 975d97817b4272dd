"""Markdown as GitHub reads it, as far as our documents go: headings with their anchors, links, fenced
blocks. What stands in code is no link and no heading.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^( {0,3})(`{3,}|~{3,})(.*)$")
HEADING = re.compile(r"^(#{1,6}) +(.*?)(?: +#+)? *$")
LIST_ITEM = re.compile(r"^ *(?:[-*+]|\d+[.)]) ")
CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)((?:(?!\n\n).)+?)(?<!`)\1(?!`)", re.S)
LINK = re.compile(r"!?\[((?:[^\[\]]|\[[^\[\]]*\](?:\([^()]*\))?)*)\]\(\s*<?([^\s()<>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
DEFINITION = re.compile(r"^ {0,3}\[([^\]]+)\]:\s+<?(\S+?)>?(?:\s+\"[^\"]*\")?$", re.M)
USE = re.compile(r"\[([^\[\]]+)\]\[([^\[\]]*)\]")
AUTOLINK = re.compile(r"<(https?://[^\s<>]+)>")


@dataclass(frozen=True)
class Block:
    """A fenced block: `language` is the first word behind the fence, `marks` are the others."""

    line: int
    language: str
    marks: tuple[str, ...]
    text: str


@dataclass
class Document:
    """What a file has."""

    path: Path
    headings: list[tuple[int, str]] = field(default_factory=list)  # (level, text)
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    undefined: list[str] = field(default_factory=list)  # references to a link that is defined nowhere

    def section(self, name: str) -> str:
        """The text under the heading of level 2 of that name, code and all."""
        parts = re.split(r"^## +", self.path.read_text(encoding="utf-8"), flags=re.M)
        return next((part[len(name):].strip() for part in parts[1:]
                     if part.splitlines()[0].strip() == name), "")


def anchor(heading: str) -> str:
    """As GitHub makes them: lower case, without punctuation but `-` and `_`, spaces as `-`."""
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    text = text.replace("`", "").strip().lower()
    return re.sub(r"[^\w\- ]", "", text).replace(" ", "-")


def prose(lines: list[str], blocks: list[Block]) -> list[str]:
    """The lines that are no code, the others empty; fenced blocks go into `blocks`."""
    result: list[str] = []
    fence, begun, inside = "", 0, []
    in_list = in_code = False
    for number, line in enumerate(lines, 1):
        found = FENCE.match(line)
        if fence:
            if found and found[2].startswith(fence) and not found[3].strip():
                words = lines[begun - 1].strip().lstrip("`~").split()
                blocks.append(Block(begun, words[0] if words else "", tuple(words[1:]),
                                    "\n".join(inside)))
                fence = ""
            else:
                inside.append(line)
            result.append("")
            continue
        if found:
            fence, begun, inside = found[2], number, []
            result.append("")
            continue
        blank = not line.strip()
        if LIST_ITEM.match(line):
            in_list = True
        elif not blank and not line.startswith(" "):
            in_list = False
        before = not result or in_code or not lines[number - 2].strip()
        in_code = not in_list and (line.startswith("    ") and before or blank and in_code)
        result.append("" if in_code else line)
    assert not fence, f"the fence of line {begun} is never closed"
    return result


def read(path: Path) -> Document:
    """Reads a file."""
    document = Document(path)
    lines = prose(path.read_text(encoding="utf-8").splitlines(), document.blocks)
    seen: Counter[str] = Counter()
    for line in lines:
        found = HEADING.match(line)
        if found:
            document.headings.append((len(found[1]), found[2]))
            name = anchor(found[2])
            document.anchors.add(f"{name}-{seen[name]}" if seen[name] else name)
            seen[name] += 1
    text = CODE_SPAN.sub(lambda code: re.sub(r"[\[\]()<>]", "x", code[0]), "\n".join(lines))
    definitions = {name.lower(): target for name, target in DEFINITION.findall(text)}
    document.links += [target for _, target in LINK.findall(text)]
    for label, _ in LINK.findall(text):  # an image as a link's text
        document.links += [target for _, target in LINK.findall(label)]
    document.links += [*definitions.values(), *AUTOLINK.findall(text)]
    document.undefined += [name or label for label, name in USE.findall(text)
                           if (name or label).lower() not in definitions]
    return document
