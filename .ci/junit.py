"""Prints `passed failed skipped` of a JUnit report; a report that is not there is one failure. What was skipped is
said on stderr, with why."""

import sys
import xml.etree.ElementTree as ElementTree


def read(path: str) -> ElementTree.Element | None:
    try:
        return ElementTree.parse(path).getroot()
    except (OSError, ElementTree.ParseError):
        return None


def count(root: ElementTree.Element) -> tuple[int, int, int]:
    suites = list(root.iter("testsuite"))
    tests, bad, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites for name in names)
        for names in (("tests",), ("failures", "errors"), ("skipped",))
    )
    # No test at all is a failure: nothing was shown.
    return tests - bad - skipped, bad if tests else 1, skipped


if __name__ == "__main__":
    report = read(sys.argv[1])
    print(*((0, 1, 0) if report is None else count(report)))
    for case in () if report is None else report.iter("testcase"):
        for why in case.iter("skipped"):
            print(f"SKIPPED: {case.get('name')}: {why.get('message', 'no reason')}", file=sys.stderr)
