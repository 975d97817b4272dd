"""What the gate found: a row for each thing that must hold."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`wanted` and `found` are for people; `why` says what is wrong, and is empty if nothing is."""

    name: str
    wanted: str
    found: str
    why: str = ""

    @property
    def held(self) -> bool:
        """Whether it is as it must be."""
        return not self.why


def table(findings: list[Finding]) -> str:
    """For people: what was looked at, what was found, and why it is not enough."""
    rows = [("", "what", "wanted", "found")]
    rows += [("ok" if one.held else "NO", one.name, one.wanted, one.found) for one in findings]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows]
    return "\n".join(lines + [f"NO: {one.name}: {one.why}" for one in findings if not one.held])
