"""A drill from its first question to its last: one alert, or several whose faults do not disturb each other.

Everything that can be refused is refused before anything is armed. From then on the way out, whichever it is, goes
through the guard, which restores.
"""

import math
import secrets
from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from . import due, facts, words
from .alertmanager import Alertmanager
from .arming import Way, rfc3339
from .facts import Reckoned
from .guard import Clock, Guard
from .places import Endpoints, place
from .prometheus import Prometheus
from .rules import Rule
from .table import Drill, Entry, Facts, disturbs, touches
from .timeline import Timeline
from .watch import Observer, Watch
from .web import Refused
from .webhook import Webhook

LONGEST = 168 * 3600  # a fault may last so long
SPARE = 30.0          # seconds that a fault lasts beyond what the drill needs


@dataclass
class Site:
    """Where drills take place."""

    places: Endpoints
    way: Callable[[Drill], Way]
    guard: Guard
    clock: Clock
    say: Callable[[str], None] = print
    force: bool = False
    profile: str = "real"
    pause: float = 0.5    # seconds between two looks
    prometheus: Prometheus = field(init=False)
    alertmanager: Alertmanager = field(init=False)
    webhook: Webhook = field(init=False)

    def __post_init__(self) -> None:
        self.prometheus = Prometheus(self.places.prometheus)
        self.alertmanager = Alertmanager(self.places.alertmanager)
        self.webhook = Webhook(self.places.webhook)

    def rules(self) -> list[Rule]:
        """Those of the profile; the other's are a refusal. In a cluster, of the namespace: another release there has
        the same, for itself."""
        mine = self.places.namespace
        found = [rule for rule in self.prometheus.rules() if mine is None or rule.labels.get("namespace", mine) == mine]
        ours = [rule for rule in found if rule.alerting and rule.name.startswith("Glassbox")]
        fast = [rule for rule in ours if rule.labels.get("profile") == "fast"]
        if self.profile == "fast" and ours and not fast:
            raise Refused(f"{self.places.prometheus} has the rules with real windows: --fast needs those of "
                          'alerts/prometheus/fast (label profile="fast") there')
        if self.profile == "real" and fast:
            raise Refused(f"{self.places.prometheus} has the rules of the fast profile: drill with --fast, "
                          "or load alerts/prometheus/real")
        return found

    def targets(self, is_all: bool = False) -> list[dict[str, Any]]:
        """Those that are drilled: the named ones, or all of the job where as many processes are named, or where the
        way to them reaches all."""
        found = self.prometheus.targets(self.places.job, self.places.namespace)
        if not found:
            raise Refused(f'Prometheus scrapes no target with {self.places.matchers} (--job NAME, --namespace NAME)')
        known = {place(url) for url in [*self.places.services, *self.places.operators]}
        named = [target for target in found if target["instance"] in (self.places.instances or known)]
        if is_all and len(named or found) < len(found):
            raise Refused("this way reaches all of " + ", ".join(target["instance"] for target in found)
                          + ": --instance names some of them")
        if not named and not is_all and len(found) != max(1, len(self.places.operators)):
            raise Refused(f"which of {', '.join(target['instance'] for target in found)} are drilled? "
                          "--instance NAME, as Prometheus calls it")
        named = named or found
        down = [target["instance"] for target in named if not target["up"]]
        if down:
            raise Refused(f"Prometheus cannot scrape {', '.join(down)}")
        return named


@dataclass
class Wave:
    """Drills that are armed as one plan."""

    field: Site
    drills: list[Drill]
    targets: list[dict[str, Any]] = field(default_factory=list)
    watches: list[Watch] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    way: Optional[Way] = None
    missing: Optional[float] = None  # since when the fault is not in force on all targets any more

    # ---- before anything is armed ---------------------------------------------------------------

    def prepare(self) -> None:
        """Asks all that can be a refusal, and reckons."""
        world = self.field
        all_rules = world.rules()
        self.way = world.way(self.drills[0])
        self.targets = world.targets(self.way.reaches_all)
        world.webhook.begin()
        scrape = max(target["scrape"] for target in self.targets)
        known = world.prometheus.alerts()
        measured: dict[Optional[str], Facts] = {}
        for drill in self.drills:
            given = facts.live(world.prometheus, all_rules, drill, world.places.matchers, scrape, measured)
            reckoned = facts.reckon(all_rules, drill, given, world.prometheus, scrape)
            self.watches.append(self.watch(reckoned, scrape, known))
        self.check_together()
        occupied = self.way.occupied()
        if occupied and not world.force:
            raise Refused(f"a fault is in force already: {occupied}. Wait for its end, end it, or take its place "
                          "with --force")
        if occupied:
            world.say(f"  --force: takes the place of what {occupied}")

    def watch(self, reckoned: Reckoned, scrape: float, known: list[dict[str, Any]]) -> Watch:
        """Refuses what fires already, cannot fire, or would not be told."""
        world, drill = self.field, reckoned.drill
        labels = {"alertname": drill.alert, **drill.match()}
        if world.profile == "fast":
            labels["profile"] = "fast"
        if "namespace" in reckoned.rules[0].labels:
            labels["namespace"] = reckoned.rules[0].labels["namespace"]
        for alert in known:
            if labels.items() <= alert["labels"].items():
                raise Refused(f"{drill} is {alert['state']} already, since {alert['activeAt'][:19]}Z: "
                              "a drill would show nothing")
        if reckoned.tree.fall(LONGEST) == due.NEVER > reckoned.tree.onset():
            raise Refused(f"{drill}: its rule holds without a fault; it would not be over when the fault is")
        if reckoned.tree.onset() == due.NEVER:
            lines = "\n".join(f"    {words.leaf(part)}" for part in due.leaves(reckoned.tree))
            raise Refused(f"{drill} would not come of this fault, as the rule stands:\n{lines}")
        full = {**reckoned.rules[0].labels, **labels}
        left = world.alertmanager.alert(labels)
        if left is not None:
            raise Refused(f"{drill} is left in Alertmanager from before, until {left['endsAt'][:19]}Z: it would not be "
                          "told anew. Wait until then, and a group_interval")
        for silence in world.alertmanager.silences(full):
            raise Refused(f"{drill} is silenced until {silence['endsAt'][:19]}Z by {silence['createdBy']} "
                          f"({silence['comment']}): nobody would be told. amtool silence expire {silence['id']}")
        route = world.alertmanager.route(full)
        pace = due.Pace(scrape, reckoned.evaluation, reckoned.hold, reckoned.keep, route.group_wait,
                        route.group_interval)
        timeline = Timeline(str(drill), reckoning=words.reckoning(reckoned.tree, pace, due.deciding(reckoned.tree)))
        return Watch(reckoned, labels, route, pace, timeline, world.say)

    def check_together(self) -> None:
        """No two of a wave may disturb each other; what two of them want alike is armed once."""
        for number, one in enumerate(self.watches):
            for other in self.watches[number + 1:]:
                why = disturbs(one.reckoned.drill, one.reckoned.entries, other.reckoned.drill, other.reckoned.entries)
                if why:
                    raise Refused(f"{one.timeline.name} and {other.timeline.name} cannot be drilled together: {why}")
            self.entries += [entry for entry in one.reckoned.entries if entry not in self.entries]

    # ---- the fault ------------------------------------------------------------------------------

    def lasts(self) -> int:
        """Seconds that the fault is given: what the latest of them needs. It ends then by itself, whatever becomes
        of this process."""
        assert self.way is not None
        latest = max(due.due(watch.reckoned.tree, watch.pace).notified + max(
            0.0, watch.route.group_interval - watch.route.group_wait) for watch in self.watches)
        seconds = math.ceil(self.seen_within() + latest + due.grace(latest) + SPARE)
        if seconds > LONGEST:
            raise Refused(f"it would take {words.span(seconds)}, and a fault lasts at most {words.span(LONGEST)}")
        return seconds

    def seen_within(self) -> float:
        """Seconds until Prometheus has seen it on every target."""
        assert self.way is not None
        return self.way.delay + 2 * max(watch.pace.scrape for watch in self.watches)

    def plan(self) -> Any:
        """The document: a plan, or, for the drill of the plan's file, what is none."""
        if self.drills[0].broken:
            return self.drills[0].broken
        name = f"drill-{self.drills[0].alert if len(self.drills) == 1 else self.drills[0].wave}"
        # By the API it begins when it arrives, so that the two clocks need not agree.
        begin = {} if self.way is None or self.way.begins else {"begin": rfc3339(self.field.clock.now())}
        return {"name": f"{name}-{secrets.token_hex(3)}", **begin,
                "description": "A drill: " + ", ".join(str(drill) for drill in self.drills),
                "faults": [{**entry, "duration": f"{self.lasts()}s"} for entry in self.entries]}

    def truths(self) -> list[str]:
        """A query for each fault, which has a series for each target on which it is in force. What reaches all is
        looked for on all: a cluster takes pods away, and brings others."""
        where = self.field.places.matchers
        if self.way is None or not self.way.reaches_all:
            places = "|".join(target["instance"].replace(".", "\\\\.") for target in self.targets)
            where += f',instance=~"{places}"'
        if self.drills[0].seen:
            return [self.drills[0].seen % where]
        return [f'glassbox_fault_in_force{{{where},fault="{kind}",http_route="{route or ""}"}} == 1'
                for route, kind in touches(self.entries)]

    def in_force(self) -> list[int]:
        """On how many targets each fault is in force, as Prometheus has it."""
        return [len(self.field.prometheus.query(query)) for query in self.truths()]

    def wanted(self) -> int:
        """On how many it should be: of what reaches all, on as many as there are at the moment."""
        if self.way is None or not self.way.reaches_all:
            return len(self.targets)
        return max(1, len(self.field.prometheus.query(f"up{{{self.field.places.matchers}}} == 1")))

    # ---- its course -----------------------------------------------------------------------------

    def run(self) -> list[Timeline]:
        """Arms, watches, restores, watches. Timelines also of what was late."""
        self.prepare()
        self.introduce()
        guard = self.field.guard
        assert self.way is not None
        mark = guard.later(f"the fault armed {self.way.name}", self.way.restore)
        self.way.arm(self.plan())
        self.each("armed")
        if self.wait_until_seen():
            for watch in self.watches:
                watch.expect_firing()
            self.rounds(self.rise, Watch.has_risen)
        failed = len(guard.failed)
        guard.undo(mark)
        if len(guard.failed) > failed:
            raise Refused(f"not restored: {guard.failed[-1]}")
        self.each("restored")
        for watch in self.watches:
            watch.timeline.expect("over", self.seen_within())
            if watch.timeline.at("firing") is not None:
                watch.expect_over()
            else:
                watch.timeline.waive("gone", "resolved")
        self.rounds(self.sink, Watch.has_sunk)
        return [watch.timeline for watch in self.watches]

    def introduce(self) -> None:
        world = self.field
        assert self.way is not None
        where = ", ".join(target["instance"] for target in self.targets)
        for watch in self.watches:
            world.say(f"{watch.timeline.name}: {watch.reckoned.drill.what}")
            when = due.due(watch.reckoned.tree, watch.pace)
            world.say(f"  due: firing within {words.span(when.firing)} of being seen in Prometheus, notified within "
                      f"{words.span(when.notified)}; late after {words.span(due.grace(when.notified))} more")
            for line in watch.timeline.reckoning:
                world.say(f"    {line}")
        what = "what is no plan" if self.drills[0].broken else "; ".join(map(told, self.entries))
        world.say(f"  arming {self.way.name} on {where}: {what}"
                  + ("" if self.drills[0].broken else f"; ends by itself after {words.span(self.lasts())}"))

    def each(self, name: str, moment: Optional[float] = None) -> None:
        """An event of all of them."""
        now = self.field.clock.now() if moment is None else moment
        for watch in self.watches:
            watch.timeline.mark(name, now)
        self.field.say(f"  {words.clock(now)}  {name}")

    def wait_until_seen(self) -> bool:
        """The clock of the drill starts when every target has it in force, as Prometheus sees it."""
        world, within = self.field, self.seen_within()
        for watch in self.watches:
            watch.timeline.expect("seen", within)
        counts, wanted = [0], len(self.targets)
        while True:
            try:
                counts, wanted = self.in_force(), self.wanted()
            except Refused:
                pass  # there is a deadline
            now = world.clock.now()
            if min(counts) >= wanted:
                self.each("seen", now)
                return True
            if now > self.watches[0].timeline.deadline("seen"):
                for watch in self.watches:
                    watch.give_up(f"the fault was not seen in Prometheus on every target: on {min(counts)} of "
                                  f"{wanted}", "pending", "firing", "notified", "gone", "resolved")
                return False
            world.clock.sleep(world.pause)

    def rise(self, watch: Watch, eyes: Observer, now: float) -> None:
        """Also looks whether the fault is still there: a service that was restarted has lost it."""
        if watch is self.watches[0]:
            self.missing = (self.missing or now) if self.is_lost() else None
        watch.rise(eyes, now)
        if self.missing and now - self.missing > self.missed() and watch.timeline.at("notified") is None:
            watch.give_up("the fault went away before its time: was a service restarted, or its plan replaced?",
                          "pending", "firing", "notified", "gone", "resolved")

    def is_lost(self) -> bool:
        try:
            return min(self.in_force()) < self.wanted()
        except Refused:
            return False

    def missed(self) -> float:
        """Seconds of scrapes that may fail: two in a row are no proof."""
        return 3 * max(watch.pace.scrape for watch in self.watches)

    def sink(self, watch: Watch, eyes: Observer, now: float) -> None:
        """Also looks for the fault being gone, which is the same for all."""
        if watch.timeline.at("over") is None and self.is_over():
            for other in self.watches:
                other.timeline.mark("over", now)
            self.field.say(f"  {words.clock(now)}  gone in Prometheus: no fault in force")
        watch.sink(eyes, now)

    def is_over(self) -> bool:
        try:
            return max(self.in_force()) == 0
        except Refused:
            return False

    def rounds(self, look: Callable[[Watch, Observer, float], None],
               done: Callable[[Watch, Observer, float], bool]) -> None:
        """Looks again and again, until there is nothing more to wait for. Each wait has a deadline."""
        world = self.field
        eyes = Observer(world.prometheus, world.alertmanager, world.webhook)
        while True:
            try:
                seen = eyes.look(world.clock.now())
            except Refused as refusal:  # armed as it is, this is a verdict
                for watch in self.watches:
                    watch.give_up(str(refusal), *watch.timeline.events)
                return
            if seen:
                now = world.clock.now()
                for watch in self.watches:
                    look(watch, eyes, now)
                if all([done(watch, eyes, now) for watch in self.watches]):
                    return
            world.clock.sleep(world.pause)


def told(entry: Entry) -> str:
    """A fault in a phrase."""
    kinds = [f"{kind} " + (" ".join(f"{key} {value}" for key, value in keys.items()) if isinstance(keys, dict) else "")
             for (_, kind), keys in touches([entry]).items()]
    return ", ".join(kind.strip() for kind in kinds) + (f" on {entry['route']}" if "route" in entry else "")
