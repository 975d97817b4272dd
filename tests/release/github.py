"""The workflows as GitHub would run them, on a clock that jumps: which job starts when, who waits, who is cancelled.

What is read is the workflows' own words: `needs`, `if`, calls of other workflows, and concurrency groups as GitHub documents
them: one runs and one waits; who comes takes the place of the one that waits, and with cancel-in-progress of the one that
runs, too. What a job does, and how long, is the caller's to say: a table of job names.
"""

from __future__ import annotations

import asyncio
import re
import selectors
from collections.abc import Awaitable, Callable
from typing import Any

import workflows

Outputs = dict[str, str]
Result = tuple[str, Outputs]  # success, failure, cancelled or skipped


class Jump(selectors.SelectSelector):
    """Nobody is waited for: what was to happen later happens now, and the clock says so."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "nothing will ever happen again"
        self.now += timeout
        return super().select(0)


class Loop(asyncio.SelectorEventLoop):
    """Minutes for seconds."""

    def __init__(self) -> None:
        self.jump = Jump()
        super().__init__(self.jump)

    def time(self) -> float:
        return self.jump.now


class Failed(Exception):
    """A job ends red."""


class Named(dict[str, Any]):
    """A context. What is not there is empty, as in GitHub's expressions."""

    def __missing__(self, name: str) -> str:
        return ""

    def __getattr__(self, name: str) -> Any:
        return self[name]


def value(expression: str, context: dict[str, Any]) -> Any:
    """An expression of GitHub's, whose operators are Python's by other names."""
    parts = re.split(r"('[^']*')", expression.strip())
    for each in range(0, len(parts), 2):
        parts[each] = re.sub(r"\.([A-Za-z_][\w-]*)", r"['\1']", parts[each])
        parts[each] = re.sub(r"!(?!=)", " not ", parts[each].replace("&&", " and ").replace("||", " or "))
    return eval("".join(parts), {"__builtins__": {}}, {"format": str.format, "true": True, **context})  # noqa: S307 our own files


def filled(text: Any, context: dict[str, Any]) -> Any:
    """What stands in a workflow, with its expressions worked out."""
    if not isinstance(text, str):
        return text
    parts = re.split(r"\$\{\{(.*?)\}\}", text)
    if len(parts) == 3 and not parts[0] + parts[2]:
        return value(parts[1], context)
    return "".join(str(value(part, context)) if odd % 2 else part for odd, part in enumerate(parts))


Work = Callable[[Named], Awaitable[Outputs]]


class Group:
    """A concurrency group."""

    def __init__(self) -> None:
        self.taken = False
        self.runs: asyncio.Task[Any] | None = None
        self.waits: asyncio.Future[None] | None = None

    def leave(self) -> None:
        """Who waits is next."""
        self.runs, next_one, self.waits = None, self.waits, None
        self.taken = next_one is not None
        if next_one:
            next_one.set_result(None)

    async def turn(self, cancel: bool, work: Callable[[], Awaitable[Any]]) -> Any:
        """Does the work when its turn has come."""
        if self.taken:
            if cancel and self.runs:
                self.runs.cancel()
            if self.waits:
                self.waits.cancel()
            self.waits = asyncio.get_running_loop().create_future()
            await self.waits
        self.taken, self.runs = True, asyncio.current_task()
        try:
            return await work()
        finally:
            self.leave()


class GitHub:
    """The groups of a repository, and what its jobs do, by their names."""

    def __init__(self, jobs: dict[str, Work]) -> None:
        self.jobs = jobs
        self.groups: dict[str, Group] = {}

    async def limited(self, said: dict[str, Any] | None, context: dict[str, Any], work: Callable[[], Awaitable[Any]]) -> Any:
        """Under the concurrency of a workflow or a job, if it has one."""
        if not said:
            return await work()
        group = self.groups.setdefault(filled(said["group"], context), Group())
        return await group.turn(bool(filled(said["cancel-in-progress"], context)), work)

    async def workflow(self, name: str, event: str, commit: str, **inputs: Any) -> dict[str, Result]:
        """A run; how each job ended. `commit` is a number here, main's so manieth."""
        document = workflows.read(name)
        github = Named(event_name=event, sha=commit, ref="refs/heads/main")
        context = {"github": github, "inputs": Named(**inputs), "vars": Named(IMAGE_REPOSITORY="r", DELIVERY="on")}

        async def all_of_it() -> dict[str, Result]:
            tasks: dict[str, asyncio.Task[Result]] = {}
            for job, body in document["jobs"].items():  # in an order in which needs come first, in our files
                tasks[job] = asyncio.ensure_future(self.job(job, body, context, {each: tasks[each] for each in needed(body)}))
            await asyncio.gather(*tasks.values())
            return {job: task.result() for job, task in tasks.items()}
        return await self.limited(document.get("concurrency"), context, all_of_it)

    async def job(self, name: str, body: dict[str, Any], context: dict[str, Any], needs: dict[str, asyncio.Task[Result]]) -> Result:
        """One job: after those that it needs, if it is to be, in its turn."""
        before = {each: await task for each, task in needs.items()}
        context = context | {"needs": Named(**{each: Named(result=result, outputs=Named(**outputs)) for each, (result, outputs) in before.items()})}
        fine = all(result == "success" for result, _ in before.values())
        red = any(result in ("failure", "cancelled") for result, _ in before.values())
        states = {"always": lambda: True, "failure": lambda: red, "cancelled": lambda: False}
        said = str(body.get("if", "true"))
        status = re.search(r"\b(always|failure|cancelled)\(\)", said)
        if not (status or fine) or not value(said.removeprefix("${{").removesuffix("}}"), context | states):
            return "skipped", {}

        async def work() -> Outputs:
            if "uses" in body:
                called = body["uses"].removeprefix("./.github/workflows/")
                given = {key: filled(text, context) for key, text in body.get("with", {}).items()}
                ended = await self.workflow(called, context["github"].event_name, context["github"].sha, **given)
                if any(result in ("failure", "cancelled") for result, _ in ended.values()):
                    raise Failed
                return {}
            return await self.jobs[name](Named(context))
        try:
            return "success", await self.limited(body.get("concurrency"), context, work)
        except Failed:
            return "failure", {}
        except asyncio.CancelledError:
            return "cancelled", {}


def needed(body: dict[str, Any]) -> list[str]:
    """The jobs that a job needs."""
    needs = body.get("needs", [])
    return [needs] if isinstance(needs, str) else needs
