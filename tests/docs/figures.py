"""Figures on slides, held to the documents that they are from: docs/figures.toml, a table each.

    [[figure]]
    says = "10,206 requests"                # as the slide has it
    file = "docs/rolls.md"                  # a path or a pattern of paths, from the root
    pattern = '\\| helm upgrade \\| ([\\d,]+)'  # its groups are the numbers of `says`
    take = "first"                          # or the sum of its one group over all matches, or their count
    in = "docs/delivery.md"                 # where it says so, if it is no slide

    [[plain]]                               # what has no source: why
    says = "3 zones"
    why = "the design"

So a slide has no number that nobody vouches for, and none that its source no longer has.
"""

import re
import tomllib
from decimal import Decimal
from pathlib import Path

NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
KEYS = {"figure": {"says", "file", "pattern", "take", "in"}, "plain": {"says", "why"}}
TAKES = ("first", "sum", "count")


def slides(text: str) -> list[str]:
    """What each slide shows: no front matter, no notes, no addresses, no code."""
    _, _, body = text.split("---\n", 2)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.S)
    body = re.sub(r"^    .*$|`[^`\n]*`", "", body, flags=re.M)
    body = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", lambda link: "" if link[0].startswith("!") else link[1], body)
    return re.split(r"^---$", body, flags=re.M)


def taken(row: dict, root: Path) -> list[str] | str:
    """The numbers that the source has for a row, or what is wrong with it."""
    files = sorted(root.glob(row["file"]))
    if not files:
        return f"{row['file']}: no such file"
    found = [match for path in files for match in re.finditer(row["pattern"], path.read_text(encoding="utf-8"), re.M)]
    take = row.get("take", "first")
    if take not in TAKES:
        return f"take = {take!r}: one of {', '.join(TAKES)}"
    if not found:
        return f"{row['file']} has nothing like {row['pattern']}"
    if take == "count":
        return [f"{len(found):,}"]
    if take == "sum":
        return [f"{sum(Decimal(match[1].replace(',', '')) for match in found):,}"]
    return list(found[0].groups())


def stale(row: dict, shown: str, root: Path) -> str | None:
    """What is wrong with a row."""
    if "in" in row:
        where = root / row["in"]
        shown = where.read_text(encoding="utf-8") if where.is_file() else ""
    if row["says"] not in shown:
        return f"{row['says']!r}: {row['in'] + ' does not say so' if 'in' in row else 'no slide says so'}"
    had = taken(row, root)
    if isinstance(had, str):
        return f"{row['says']!r}: {had}"
    if NUMBER.findall(row["says"]) != had:
        return f"{row['says']!r}: {row['file']} has {', '.join(had)}"
    return None


def unvouched(slide: str, sayings: list[str]) -> list[str]:
    """The numbers of a slide that stand in no row."""
    spans = [match.span() for says in sayings for match in re.finditer(re.escape(says), slide)]
    return [f"{match[0]!r} in {slide[max(0, match.start() - 30):match.end() + 20]!r}: no row of figures.toml"
            for match in NUMBER.finditer(slide)
            if not any(start <= match.start() and match.end() <= end for start, end in spans)]


def problems(table: Path, document: Path, root: Path) -> list[str]:
    """All that is wrong with the figures of a document."""
    rows = tomllib.loads(table.read_text(encoding="utf-8"))
    found = [f"unknown: {kind}" for kind in rows.keys() - KEYS.keys()]
    found += [f"{row.get('says')}: keys {sorted(row.keys() - keys)} unknown" for kind, keys in KEYS.items()
              for row in rows.get(kind, []) if row.keys() - keys]
    shown = slides(document.read_text(encoding="utf-8"))
    everything = "\n".join(shown)
    found += [f"{row['says']!r}: no slide says so" for row in rows.get("plain", []) if row["says"] not in everything]
    found += [why for row in rows.get("figure", []) if (why := stale(row, everything, root))]
    sayings = [row["says"] for kind in KEYS for row in rows.get(kind, []) if "in" not in row]
    return found + [why for slide in shown for why in unvouched(slide, sayings)]
