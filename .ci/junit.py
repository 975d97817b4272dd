"""Prints `passed failed skipped` of a JUnit report; a report that is not there is one failure. What was skipped is
said on stderr, with why."""

import sys
import xml.etree.ElementTree as ElementTree


def count(path: str) -> tuple[int, int, int]:
    try:
        suites = list(ElementTree.parse(path).getroot().iter("testsuite"))
    except (OSError, ElementTree.ParseError):
        return 0, 1, 0
    tests, bad, skipped = (
        sum(int(suite.get(name, 0)) for suite in suites for name in names)
        for names in (("tests",), ("failures", "errors"), ("skipped",))
    )
    # No test at all is a failure: nothing was shown.
    return tests - bad - skipped, bad if tests else 1, skipped


def reasons(path: str) -> list[str]:
    """A line for each test that was skipped."""
    try:
        cases = ElementTree.parse(path).getroot().iter("testcase")
    except (OSError, ElementTree.ParseError):
        return []
    return [f"SKIPPED: {case.get('name')}: {why.get('message', 'no reason')}"
            for case in cases for why in case.iter("skipped")]


if __name__ == "__main__":
    print(*count(sys.argv[1]))
    print("".join(line + "\n" for line in reasons(sys.argv[1])), end="", file=sys.stderr)
