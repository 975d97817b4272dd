"""A main that is pushed to every two minutes, while a gate takes ten: what reaches staging, and when."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from github import Failed, GitHub, Loop, Named, Outputs

PUSHES, EVERY = 90, 2  # minutes
CHECKS = (31, 45, 28, 38, 52, 33)  # minutes that they take, one commit and the next: a later one may be ready first
MINUTES = {"test": 9.0, "required": 0.1, "build": 5.0, "index": 2.0, "newest": 0.5, "signed": 0.7, "named": 0.3}
DELIVERY = 15  # minutes of one, whole: the gate's ten among them


class World:
    """What there is besides GitHub: images, what dev runs, and what was proposed to staging, and when."""

    def __init__(self) -> None:
        self.built: set[int] = set()
        self.dev = -1
        self.gates: list[tuple[int, bool]] = []
        self.proposals: list[tuple[float, int]] = []
        jobs = {name: getattr(self, name, self.idle(name)) for name in (*MINUTES, "check", "deploy", "gate", "propose")}
        self.github = GitHub(jobs)

    @staticmethod
    def idle(name: str) -> Any:
        async def lasts(_: Named) -> Outputs:
            await asyncio.sleep(MINUTES[name])
            return {}
        return lasts

    async def check(self, scope: Named) -> Outputs:
        await asyncio.sleep(CHECKS[scope.github.sha % len(CHECKS)])
        return {}

    async def index(self, scope: Named) -> Outputs:
        await asyncio.sleep(MINUTES["index"])
        self.built.add(scope.github.sha)
        return {}

    async def newest(self, scope: Named) -> Outputs:
        await asyncio.sleep(MINUTES["newest"])
        return {"commit": str(max(self.built))}

    async def deploy(self, scope: Named) -> Outputs:
        """promote set dev: what is later there is left alone."""
        await asyncio.sleep(1)
        commit = int(scope.needs.newest.outputs.commit) if scope.needs.newest else scope.github.sha
        if commit <= self.dev:
            return {}
        self.dev = commit
        return {"release": str(commit)}

    async def gate(self, scope: Named) -> Outputs:
        """Holds what stays where it is for as long as the gate looks at it."""
        judged = self.dev
        await asyncio.sleep(10)
        self.gates.append((judged, judged == self.dev))
        if judged != self.dev:
            raise Failed
        return {"release": str(judged)}

    async def propose(self, scope: Named) -> Outputs:
        """promote copy dev staging --judged."""
        await asyncio.sleep(0.5)
        if scope.needs.gate.outputs.release == str(self.dev):
            self.proposals.append((asyncio.get_running_loop().time(), self.dev))
        return {}


def play(world: World, *more: Coroutine[Any, Any, Any]) -> None:
    """All pushes, and what else was to happen, until nothing is left to do."""
    async def push(number: int) -> None:
        await asyncio.sleep(EVERY * number)
        await world.github.workflow("ci.yaml", "push", number)

    async def all_of_it() -> None:
        await asyncio.gather(*(push(number) for number in range(PUSHES)), *more)
    loop = Loop()
    try:
        loop.run_until_complete(all_of_it())
    finally:
        loop.close()


def test_a_proposal_comes_at_regular_intervals_and_the_last_push_is_among_them() -> None:
    world = World()
    play(world)
    times = [at for at, _ in world.proposals]
    assert times[0] <= max(CHECKS) + 2 * DELIVERY
    assert max(later - earlier for earlier, later in zip(times, times[1:])) <= DELIVERY + EVERY, times
    numbers = [number for _, number in world.proposals]
    assert numbers == sorted(set(numbers)) and numbers[-1] == PUSHES - 1
    assert all(held for _, held in world.gates), "dev moved on while it was judged"
    assert len(world.gates) == len(world.proposals), "the same was judged twice"


@pytest.mark.parametrize("minute", [61, 100, 107, 150])
def test_a_person_need_not_wait_behind_newer_ones(minute: int) -> None:
    """By hand at any minute, in the middle of a delivery too: judged at once, and deliveries go on after it."""
    world = World()
    began: list[float] = []

    async def by_hand() -> None:
        await asyncio.sleep(minute)
        ended = await world.github.workflow("promote.yaml", "workflow_dispatch", 0, **{"from": "dev", "to": "staging"})
        assert {result for result, _ in ended.values()} <= {"success", "skipped"}, ended
        began.append(asyncio.get_running_loop().time())
    play(world, by_hand())
    assert began[0] - minute <= DELIVERY
    assert all(held for _, held in world.gates)
    assert world.proposals[-1][1] == PUSHES - 1


def test_what_waits_for_approval_of_prod_gives_way_to_a_newer_one() -> None:
    """Else it would be agreed to, days later, that something old comes to prod; or the newer would wait for that."""
    world, ends, day = World(), [], 24 * 60

    async def approved(_: Named) -> Outputs:
        await asyncio.sleep(day)
        return {}

    async def one(minute: int) -> None:
        await asyncio.sleep(minute)
        ended = await world.github.workflow("promote.yaml", "push", 0, **{"from": "staging", "to": "prod"})
        ends.append((minute, ended["propose"][0]))

    async def both() -> None:
        await asyncio.gather(one(0), one(60), return_exceptions=True)
    world.github.jobs["propose"] = approved
    loop = Loop()
    loop.run_until_complete(both())
    assert ends == [(60, "success")] and loop.time() < 2 * day
    loop.close()
