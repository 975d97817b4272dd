"""No function over 60 lines, no source file over 400: told by name, exit 1.

Reads what clang-format writes: a function's body opens with `{` in the first column and closes
with `}` there.
"""

import sys
from pathlib import Path

FUNCTION_MAX = 60
FILE_MAX = 400


def long_functions(path: Path, lines: list[str]) -> list[str]:
    found = []
    opened = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            opened = number
        elif line == "}" and opened is not None:
            if number - opened - 1 > FUNCTION_MAX:
                found.append(f"{path}:{opened}: a function of {number - opened - 1} lines")
            opened = None
    return found


def main(folders: list[str]) -> int:
    complaints = []
    for folder in folders:
        for path in sorted(Path(folder).rglob("*.[ch]")):
            lines = path.read_text().splitlines()
            complaints += long_functions(path, lines)
            if len(lines) > FILE_MAX:
                complaints.append(f"{path}: {len(lines)} lines")
    print("\n".join(complaints))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
