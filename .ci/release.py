"""What a release has to agree with, and what is made of it.

    release.py check TAG            the version that TAG names, if VERSION, the chart and the changelog say the same
    release.py notes TAG            its section of the changelog
    release.py chart FOLDER IMAGE   writes IMAGE, NAME@sha256:…, into the values of a copy of the chart

A version stands in telemetry/VERSION (CMake and the image read it), twice in charts/glassbox/Chart.yaml, and heads a
section of CHANGELOG.md. A tag that is at odds with one of them is refused, with all of them named.
"""
from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TAG = re.compile(r"v((?:0|[1-9]\d*)\.(?:0|[1-9]\d*)\.(?:0|[1-9]\d*)(?:-[0-9A-Za-z.-]+)?)")
SECTION = re.compile(r"^## \[(?P<version>[^]]+)\](?: - (?P<date>\d{4}-\d{2}-\d{2}))?[ \t]*$", re.MULTILINE)
IMAGE = re.compile(r"(?P<repository>[a-z0-9.-]+(?::\d+)?(?:/[a-z0-9._-]+)+)@(?P<digest>sha256:[0-9a-f]{64})")


class Refused(Exception):
    """Something that the caller can set right; says what, and what is allowed."""


def version_of(tag: str) -> str:
    """The SemVer of a tag."""
    found = TAG.fullmatch(tag)
    if not found:
        raise Refused(f"'{tag}' is no release's tag; one is vX.Y.Z or vX.Y.Z-PRERELEASE")
    return found[1]


def field(text: str, name: str) -> str:
    """A plain field of Chart.yaml, which has one a line."""
    found = re.search(rf"^{name}: *\"?([^\"\s]+)\"? *$", text, re.MULTILINE)
    if not found:
        raise Refused(f"charts/glassbox/Chart.yaml has no {name}")
    return found[1]


def section(changelog: str, version: str) -> str:
    """What the changelog says of a version, without its heading."""
    heads = list(SECTION.finditer(changelog))
    for head, following in zip(heads, [*heads[1:], None]):
        if head["version"] == version:
            if not head["date"]:
                raise Refused(f"CHANGELOG.md: [{version}] has no date; a release's heading is '## [{version}] - YYYY-MM-DD'")
            text = changelog[head.end():following.start() if following else None].strip()
            if not text:
                raise Refused(f"CHANGELOG.md: [{version}] says nothing")
            return text
    have = ", ".join(head["version"] for head in heads) or "none"
    raise Refused(f"CHANGELOG.md has no section [{version}]; it has: {have}")


def check(tag: str, root: Path) -> str:
    """The version of a tag that nothing disagrees with."""
    version = version_of(tag)
    chart = (root / "charts/glassbox/Chart.yaml").read_text(encoding="utf-8")
    said = {
        "telemetry/VERSION": (root / "telemetry/VERSION").read_text(encoding="utf-8").split("\n")[0],
        "charts/glassbox/Chart.yaml version": field(chart, "version"),
        "charts/glassbox/Chart.yaml appVersion": field(chart, "appVersion"),
    }
    wrong = [f"{place} is {value}" for place, value in said.items() if value != version]
    if wrong:
        raise Refused(f"the tag is {tag}, but " + ", ".join(wrong))
    section((root / "CHANGELOG.md").read_text(encoding="utf-8"), version)
    return version


def with_image(values: str, image: str) -> str:
    """The chart's values with an image by digest. Text is replaced, so that the comments stay, which document them."""
    found = IMAGE.fullmatch(image)
    if not found:
        raise Refused(f"'{image}' is no image by digest; one is NAME@sha256:… with 64 hexadecimal digits")
    head, mark, rest = values.partition("\nimage:\n")
    block = re.match(r"(?:[ \t]+.*\n)*", rest)
    assert block
    changed = block[0]
    for name, value in found.groupdict().items():
        changed, count = re.subn(rf"^(  {name}:).*$", lambda line, value=value: f'{line[1]} "{value}"', changed, flags=re.MULTILINE)
        if count != 1:
            raise Refused(f"charts/glassbox/values.yaml has image.{name} {count} times, not once")
    return head + mark + changed + rest[block.end():]


def main(arguments: list[str]) -> int:
    """Does what the arguments say; 2 when it is refused."""
    try:
        match arguments:
            case ["check", tag]:
                print(check(tag, ROOT))
            case ["notes", tag]:
                print(section((ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), version_of(tag)))
            case ["chart", folder, image]:
                values = Path(folder, "values.yaml")
                values.write_text(with_image(values.read_text(encoding="utf-8"), image), encoding="utf-8")
            case _:
                raise Refused("usage: check TAG, notes TAG, or chart FOLDER IMAGE")
    except Refused as refused:
        print(f"release: {refused}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
