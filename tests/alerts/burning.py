"""Tests of the alerts that there is one of for each route or objective, made from slo.yaml.

The idea: when an alert must fire is worked out here, from the SRE workbook's numbers and the arithmetic of
windows, not from the rules: nothing of sloth's output, nor of alerts/source, is read. A Story says minute
by minute how many requests came and which share was bad; Windows counts them as Prometheus does, whose
versions differ in one thing (`left_open`: 3 leaves out the sample at the beginning of a window).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from objectives import SLIS, Objectives, Route
from stories import NEXT_BOUND, Story, objectives, series_of

# The workbook's table: factor, short window, long window, in minutes.
PAIRS = {"page": [(14.4, 5, 60), (6, 30, 360)], "ticket": [(3, 120, 1440), (1, 360, 4320)]}
BUSY, QUIET = 600, 4.8  # requests a minute, well above and just below the floor of 0.1 a second
RUNBOOKS = "https://github.com/glassbox-dev/glassbox/blob/main/alerts/runbooks"
NAMES = {"availability": "GlassboxErrorBudgetBurn", "latency": "GlassboxLatencyBudgetBurn"}


@dataclass(frozen=True)
class Case:
    """One alert of one route, and what of a story decides about it: `value(story, minute, left_open)`
    is what the alert would say, None while its condition does not hold."""
    key: str
    severity: str
    labels: dict[str, str]
    board: str
    back: int  # minutes that its dashboard looks back
    value: Callable[[Story, int, bool], float | None]
    texts: Callable[[float], tuple[str, str]]  # summary and description
    wait: int = 0

    @property
    def name(self) -> str:
        """The alert's."""
        return self.key.split()[0]

    def fires(self, story: Story, minute: int, step: int, left_open: bool) -> bool:
        """After its condition has held for `wait` minutes."""
        return all(self.value(story, at, left_open) is not None
                   for at in range(minute - self.wait, minute + 1, step))

    def expected(self, story: Story, minute: int, left_open: bool) -> dict[str, Any]:
        """What promtool is to find at this minute."""
        summary, description = self.texts(self.value(story, minute, left_open))
        start, end = ((minute + offset) * 60_000 for offset in (-self.back, 5))
        return {
            "exp_labels": {**self.labels, "severity": self.severity, "team": "demo",
                           "service": "glassbox"},
            "exp_annotations": {
                "summary": summary, "description": description,
                "runbook_url": f"{RUNBOOKS}/{self.name}.md",
                "dashboard_url": f"http://localhost:3000/d/glassbox-{self.board}?from={start}&to={end}"
                                 "&var-job=glassbox"}
            | ({"title": f"({self.severity}) glassbox {self.labels['sloth_slo']} SLO error budget burn "
                         "rate is too fast."} if "sloth_id" in self.labels else {})}


def percentage(value: float) -> str:
    """As Prometheus' humanizePercentage has it."""
    return f"{value * 100:.4g}%"


def above(story: Story, minute: int, window: int, limit: float, left_open: bool) -> float | None:
    """The share of bad requests in a window, if there were enough requests and it is above the limit."""
    if story.rate(minute, window, left_open) <= objectives().floor:
        return None
    share = story.share(minute, window, left_open)
    return share if share > limit else None


def burn_case(route: Route, sli: str, severity: str) -> Case:
    """A burn-rate alert."""
    slo, budget = f"{route.name}-{sli}", (100 - route.objective(sli)) / 100

    def value(story: Story, minute: int, left_open: bool) -> float | None:
        for factor, short, long in PAIRS[severity]:
            shares = [above(story, minute, window, factor * budget, left_open)
                      for window in (short, long)]
            if None not in shares:
                return shares[0]
        return None

    def texts(share: float) -> tuple[str, str]:
        fast = severity == "page"
        bad = "fail" if sli == "availability" else "are slow"
        did = "failed" if sli == "availability" else f"took longer than {route.latency.threshold:g} s"
        which = "error" if sli == "availability" else "latency"
        return (f"{route.path} burns its {which} budget {'fast' if fast else 'slowly'}: "
                f"{percentage(share)} of its requests {bad}",
                f"{percentage(share)} of the requests to {route.path} {did} "
                f"{'of late' if fast else 'in the last hours'}; the objective of "
                f"{route.objective(sli):g} % allows {budget * 100:.6g} %. At this rate "
                + ("2 % of the month's budget go in an hour, or 5 % in six." if fast else
                   "10 % of the month's budget go in one to three days."))

    return Case(f"{NAMES[sli]} severity={severity} http_route={route.path}", severity,
                {"http_route": route.path, "sli": sli, "job": "glassbox", "sloth_slo": slo,
                 "sloth_service": "glassbox", "sloth_id": f"glassbox-{slo}", "sloth_severity": severity},
                "slo", 360 if severity == "page" else 4320, value, texts)


def low_case(given: Objectives, route: Route, sli: str) -> Case:
    """The companion below the floor."""
    low, budget = given.low_traffic, (100 - route.objective(sli)) / 100

    def value(story: Story, minute: int, left_open: bool) -> float | None:
        bad = story.increase(minute, 120, left_open, of_bad=True)
        calm = all(story.rate(minute, window, left_open) <= given.floor for window in (120, 5))
        enough = bad >= low.events and story.share(minute, 120, left_open) > low.burn * budget
        return bad if calm and enough else None

    def texts(bad: float) -> tuple[str, str]:
        return (f"{route.path} has few requests, and {bad:.0f} of them were bad ({sli})",
                f"{bad:.0f} requests to {route.path} in 2h were bad by its objective of {sli} "
                f"({route.objective(sli):g} %), at least 3 and more than 3 times what it allows, while it "
                "had no more than 0.1 requests a second: too few for a burn rate.")

    return Case(f"GlassboxLowTrafficBurn http_route={route.path} sli={sli}", "ticket",
                {"http_route": route.path, "sli": sli, "job": "glassbox", "sloth_service": "glassbox",
                 "sloth_slo": f"{route.name}-{sli}"}, "slo", 360, value, texts)


def ratio_case(route: Route) -> Case:
    """GlassboxErrorRatioHigh."""
    limit = route.symptom.error_ratio

    def texts(share: float) -> tuple[str, str]:
        return (f"{percentage(share)} of the requests to {route.path} fail",
                f"{percentage(share)} of the requests to {route.path} failed over 5m, more than "
                f"{limit * 100:g} %, for 2m.")

    return Case(f"GlassboxErrorRatioHigh http_route={route.path}", "page",
                {"http_route": route.path, "job": "glassbox"}, "service", 60,
                lambda story, minute, left_open: above(story, minute, 5, limit, left_open), texts, wait=2)


def slow_case(route: Route) -> Case:
    """GlassboxLatencyHigh: a bad request of its stories takes between the symptom and the next bound."""
    low, high = route.symptom.p99, NEXT_BOUND[route.symptom.p99]

    def value(story: Story, minute: int, left_open: bool) -> float | None:
        share = above(story, minute, 5, 0.01, left_open)
        return share and low + (high - low) * (share - 0.01) / share

    def texts(p99: float) -> tuple[str, str]:
        took = f"{p99 * 1000:.4g}ms"
        return (f"One request in a hundred to {route.path} takes {took} or longer",
                f"The 99th percentile of {route.path} over 5m is {took}, above {low:g} s, for 5m.")

    return Case(f"GlassboxLatencyHigh http_route={route.path}", "ticket",
                {"http_route": route.path, "job": "glassbox"}, "service", 60, value, texts, wait=5)


def test(kinds: str, case: Case, story: Story, minutes: list[int], left_open: bool, step: int,
         others: tuple[Case, ...] = ()) -> dict[str, Any]:
    """A promtool test that looks at these minutes. `others` have the alert's name, too."""
    return {"name": f"{kinds}: {case.key}", "interval": "1m", "step": step,
            "input_series": series_of(case.key, story),
            "alert_rule_test": [
                {"eval_time": f"{minute}m", "alertname": case.name,
                 "exp_alerts": [each.expected(story, minute, left_open) for each in (case, *others)
                                if each.fires(story, minute, step, left_open)]}
                for minute in sorted(minutes)]}


def first(case: Case, story: Story, begin: int, step: int, left_open: bool, wanted: bool = True) -> int:
    """The first evaluation from `begin` on at which it fires, or does not."""
    for minute in range(begin, story.minutes + 1, step):
        if case.fires(story, minute, step, left_open) == wanted:
            return minute
    raise AssertionError(f"{case.key}: never {'fires' if wanted else 'resolves'}")


@dataclass(frozen=True)
class Plan:
    """How a case is tried: so many minutes as usual, then bad ones until it has fired for `more`
    minutes, then as usual for `after` minutes; and what nearly makes it fire."""
    case: Case
    usual: float  # the share that is bad by design
    bad: float
    before: int
    after: int
    nearly: list[Story]
    per_minute: float = BUSY
    step: int = 1
    more: int = 3
    others: tuple[Case, ...] = ()

    def story(self, bad_minutes: int, after: int) -> Story:
        """So long bad."""
        return Story([(self.before, self.per_minute, self.usual),
                      (bad_minutes, self.per_minute, self.bad), (after, self.per_minute, self.usual)])

    def fires_at(self, left_open: bool) -> int:
        """The minute, if it stays bad."""
        return first(self.case, self.story(5000, 0), self.before, self.step, left_open)

    def tests(self, left_open: bool) -> list[dict[str, Any]]:
        """Both kinds."""
        fires = self.fires_at(left_open)
        assert fires == self.fires_at(not left_open), f"{self.case.key}: the versions differ"
        story = self.story(fires - self.before + self.more * self.step, self.after)
        resolves = first(self.case, story, fires, self.step, left_open, wanted=False)
        result = [test("fires, resolves", self.case, story,
                       [fires - self.step, fires, resolves - self.step, resolves], left_open, self.step,
                       self.others)]
        for near in self.nearly:
            minutes = list(range(self.step, near.minutes, max(near.minutes // 9, 1) // self.step * self.step
                                 or self.step))
            assert not any(self.case.fires(near, minute, self.step, left_open)
                           for minute in range(self.step, near.minutes, self.step)), self.case.key
            result.append(test("near miss", self.case, near, minutes, left_open, self.step, self.others))
        return result


def usual(route: Route, sli: str) -> float:
    """What fails by design."""
    return 0.1 if (route.name, sli) == ("random-error", "availability") else 0.0


def plans(given: Objectives) -> list[Plan]:
    """Every alert of every route."""
    result = []
    for route in given.routes:
        for sli in SLIS:
            budget, normal = (100 - route.objective(sli)) / 100, usual(route, sli)
            page, ticket = (burn_case(route, sli, severity) for severity in ("page", "ticket"))
            low = low_case(given, route, sli)
            bad = min(1.0, 192 * budget)  # 192 budgets in a minute are 14.4 an hour after 4.5 minutes
            fires = Plan(page, normal, bad, 360, 60, []).fires_at(False)
            calm, few = [(360, BUSY, normal)], [(130, QUIET, normal), (60, QUIET, bad)]
            result += [
                # One minute less of it; and as bad, for few.
                Plan(page, normal, bad, 360, 60, [
                    Story(calm + [(fires - 361, BUSY, bad), (60, BUSY, normal)]), Story(few)],
                     others=(ticket,)),
                # As usual, then four budgets at a time and a bit: less than a page; after three days, a tenth
                # of the month's in 18 hours. Those days take promtool long: one route has them, others one.
                # Nearly: always just what the objective allows.
                Plan(ticket, normal, 4.12 * budget if not normal else 0.41,
                     4320 if route.name == "hello" else 1440, 400,
                     [Story([(780, BUSY, normal or 0.98 * budget)])], step=5, others=(page,)),
                # Nearly: two of them; and as many, among many.
                Plan(low, normal, 1.0, 130, 130, [
                    Story([(130, QUIET, 0), (1, QUIET, 2 / QUIET), (40, QUIET, 0)]),
                    Story(calm + [(60, BUSY, bad)])], per_minute=QUIET)]
        share, normal = route.symptom.error_ratio, usual(route, "availability")
        result += [
            Plan(ratio_case(route), normal, 0.7, 10, 10, [
                Story([(30, BUSY, 0.98 * share)]), Story([(10, QUIET, 0), (10, QUIET, 1)])]),
            Plan(slow_case(route), 0, 0.02, 10, 10, [
                Story([(30, BUSY, 0.0098)]), Story([(10, QUIET, 0), (10, QUIET, 1)]),
                Story([(10, BUSY, 0), (4, BUSY, 0.02), (10, BUSY, 0)])])]
    return result


@cache
def _tests(left_open: bool) -> list[dict[str, Any]]:
    return [made for plan in plans(objectives()) for made in plan.tests(left_open)]


def all_tests(left_open: bool) -> list[dict[str, Any]]:
    """For one version of Prometheus, every test; `step` is the minutes between evaluations."""
    return _tests(left_open)
