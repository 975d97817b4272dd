"""Judges gcovr's report: `coverage.py REPORT.json PAGE.md UNCOVERED.txt`.

Prints lines and branches of each part and writes the lines that no test reached, with their text.
Exit 1 when a part has less than 90 % of its lines, or when a file with more than a few lines left is
not named in the page that says why. Which lines are reached differs a little from run to run (races),
so a file that is not named and has one or two, or is named and has none, is only told.
"""

import json
import re
import sys
from pathlib import Path

LEAST_PERCENT = 90
FEW = 2  # lines of a file that a race may leave in one run and not in the next
PARTS = ("src", "telemetry")


def judge(files: list[dict], part: str) -> bool:
    """Prints the part's figures; whether they are enough."""
    lines = [line for file in files if file["file"].startswith(part + "/")
             for line in file["lines"] if not line.get("gcovr/noncode")]  # fmt: skip
    branches = [branch for line in lines for branch in line["branches"]]
    reached = sum(line["count"] > 0 for line in lines)
    taken = sum(branch["count"] > 0 for branch in branches)
    percent = 100 * reached / len(lines)
    print(f"{part:10} lines {reached:6,} of {len(lines):6,}: {percent:5.1f} %   "
          f"branches {taken:6,} of {len(branches):6,}: {100 * taken / len(branches):5.1f} %")
    return percent >= LEAST_PERCENT


def left_lines(file: dict) -> list[int]:
    return [line["line_number"] for line in file["lines"]
            if line["count"] == 0 and not line.get("gcovr/noncode")]


def main(report: str, page: str, uncovered: str) -> int:
    files = sorted(json.loads(Path(report).read_text())["files"], key=lambda file: file["file"])
    enough = [judge(files, part) for part in PARTS]
    named = set(re.findall(r"`((?:src|telemetry)/[\w./]+\.[ch])`", Path(page).read_text()))
    left = {file["file"]: left_lines(file) for file in files if left_lines(file)}
    with Path(uncovered).open("w") as out:
        for name, numbers in left.items():
            text = Path(name).read_text().splitlines()
            out.writelines(f"{name}:{number}: {text[number - 1].strip()}\n" for number in numbers)
    print(f"{sum(map(len, left.values()))} lines in {len(left)} files were not reached: {uncovered}")
    for name in sorted(left.keys() - named):
        print(f"{name}: lines {left[name]} were not reached, and {page} does not say why")
        enough.append(len(left[name]) <= FEW)
    for name in sorted(named - {file["file"] for file in files}):
        print(f"{page} names {name}, which is not there")
        enough.append(False)
    whole = sorted(named - left.keys())
    if whole:
        print(f"reached whole this time, though {page} names them: {', '.join(whole)}")
    return 0 if all(enough) else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
