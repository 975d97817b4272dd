"""One round: every link is looked at, those after a broken one too, as they may have causes of their own."""

from concurrent.futures import ThreadPoolExecutor
from types import ModuleType

from .facts import Facts
from .finding import BROKEN, OK, SKIPPED, Finding, broken, skipped
from .kubectl import Failed, Forbidden, denied, grant
from .links import LINKS

AT_A_TIME = 4  # links; each waits for kubectl, most of the time


def look(link: ModuleType, facts: Facts) -> tuple[Finding, bool]:
    """The first cause that finds something, else what is there; and whether a break before may have brought it about.
    A document that cannot be had breaks the link; one that the user may not have leaves it unproved."""
    try:
        for cause in link.CAUSES:
            found = cause(facts)
            if found is not None:
                return found, cause in link.BROUGHT
        return Finding(OK, link.green(facts)), False
    except Forbidden as error:
        return skipped(f"you may not {denied(str(error))}: {link.PROMISE} stays unproved", grant(str(error))), False
    except Failed as error:
        return broken(f"what it needs does not answer: {error}",
                      "first mend the links before; else look at what is named"), True


def is_forbidden(finding: Finding) -> bool:
    return finding.state == SKIPPED and finding.found.startswith("you may not ")


def examine(facts: Facts) -> dict[str, Finding]:
    """Findings by link. One that a broken one may have brought about says so."""
    findings: dict[str, Finding] = {}
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        looks = list(pool.map(lambda link: look(link, facts), LINKS))
    for link, (finding, was_brought) in zip(LINKS, looks):
        before = [name for name in link.FOLLOWS if findings[name].state == BROKEN]
        if finding.state == BROKEN and was_brought and before:
            finding = Finding(BROKEN, f"follows from {' and '.join(before)}: {finding.found}", finding.fix)
        findings[link.ID] = finding
    return findings
