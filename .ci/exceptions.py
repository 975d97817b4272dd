"""Prints each of checkov's exceptions that is not needed, or has no reason: `exceptions.py FOLDER CHECKOV ARGUMENT...`.

checkov counts an exception (`#checkov:skip=CHECK:reason`) whether or not the check would fail, and one that is stale hides
the next fault of its kind. So a copy is read without any: each must be found there, by its check, in its block. One that
is stale is planted in the copy and must be reported: else nothing was read.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

EXCEPTION = re.compile(r"#checkov:skip=(?P<check>\w+):?(?P<reason>.*)")
PLANTED = ("planted.tf", 'resource "aws_sqs_queue" "planted" {\n  #checkov:skip=CKV_AWS_27:stale\n  kms_master_key_id = "a"\n}\n')


def exceptions(root: Path) -> dict[tuple[Path, int], re.Match[str]]:
    """By file and line; taken out of the files."""
    found = {}
    for path in (each for each in root.rglob("*.tf") if not each.is_symlink()):
        lines = path.read_text().splitlines()
        for number, line in enumerate(lines):
            if match := EXCEPTION.search(line):
                found[path.resolve(), number + 1] = match
                lines[number] = "#"
        path.write_text("\n".join(lines) + "\n")
    return found


def faults(root: Path, *checkov: str) -> list[tuple[str, Path, int, int]]:
    """Check, file, first and last line of each."""
    done = subprocess.run([*checkov, "--directory", str(root), "--output", "json"], capture_output=True, text=True, check=False)
    failed = json.loads(done.stdout)["results"]["failed_checks"]
    return [(each["check_id"], (root / each["file_path"].lstrip("/")).resolve(), *each["file_line_range"]) for each in failed]


def main(folder: str, *checkov: str) -> int:
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary).resolve() / "tree"
        shutil.copytree(folder, root, symlinks=True, ignore=shutil.ignore_patterns(".terraform"))
        (root / PLANTED[0]).write_text(PLANTED[1])
        found, failed, wrong = exceptions(root), faults(root, *checkov), []
        for (path, number), match in found.items():
            needed = any((check, file) == (match["check"], path) and first <= number <= last
                         for check, file, first, last in failed)
            if not needed or not match["reason"].strip():
                what = "has no reason" if needed else "is not needed: the check does not fail here"
                wrong.append(f"{path.relative_to(root)}:{number}: {match['check']} {what}")
    mark = f"{PLANTED[0]}:2: CKV_AWS_27 is not needed: the check does not fail here"
    if mark not in wrong:
        wrong.append("the planted exception was not reported: the exceptions were not read")
    wrong = [line for line in wrong if line != mark]
    print(*wrong, f"{len(found) - 1} exceptions, {len(wrong)} wrong", sep="\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
