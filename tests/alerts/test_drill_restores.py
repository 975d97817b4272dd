"""Whatever happens to a drill, and at whatever moment: the service is as it was.

The real service, by its API and by its plan's file; the rest is drill_world.py, with a clock of the test's own.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest

from drill_world import Service, World, field
from drills import guard, table
from drills.arming import File
from drills.guard import Guard, Interrupted
from drills.wave import Wave
from drills.web import Refused

NOT_READY = table.by_name("NotReady")
WAITS = 60  # more than a whole drill has here: the last ones are no interruption any more


@pytest.fixture(autouse=True)
def heard() -> Iterator[None]:
    """A shell starts what is in the background with SIGINT ignored, and so does nohup with SIGHUP; a drill keeps to
    that. Here they are to be heard."""
    former = {number: signal.signal(number, signal.SIG_DFL) for number in guard.SIGNALS}
    yield
    for number, handler in former.items():
        signal.signal(number, handler)


def quiet() -> Guard:
    return Guard(lambda _: None)


@pytest.mark.parametrize("by", ["api", "file"])
def test_a_whole_drill(world: World, by: str) -> None:
    """All steps come, in order, when they are due; the file holds again what it held."""
    before = world.service.plan_file.read_text()
    with quiet() as keeper:
        made = field(world, keeper, by=by)
        timeline, = Wave(made, [NOT_READY]).run()
    assert timeline.problems() == []
    moments = [event.at for event in timeline.events.values()]
    assert None not in moments
    assert moments[:3] == sorted(moments[:3])  # type: ignore[type-var]
    assert timeline.at("seen") <= timeline.at("firing") <= timeline.at("notified") <= timeline.at("restored")
    assert timeline.at("restored") <= timeline.at("gone") <= timeline.at("resolved")
    assert world.service.plan_file.read_text() == before
    assert not list(world.service.plan_file.parent.glob("*.before-drill"))


@pytest.mark.parametrize("by", ["api", "file"])
def test_interrupted_at_each_wait(service: Service, by: str) -> None:
    """A signal at the n-th wait, for each n until the drill is over before it: it ends by the signal, restored."""
    before = service.plan_file.read_text()
    struck, interrupted = 0, 0
    for wait in range(WAITS):
        world = World(service)
        keeper = quiet()

        def interrupt(keeper: Guard = keeper) -> None:
            nonlocal struck
            struck += service.is_struck()
            os.kill(os.getpid(), signal.SIGTERM)

        try:
            with keeper:
                timeline, = Wave(field(world, keeper, {wait: interrupt}, by), [NOT_READY]).run()
            assert timeline.problems() == []
            break
        except Interrupted as interruption:
            assert interruption.number == signal.SIGTERM
            interrupted += 1
        finally:
            world.stop()
        service.settle()
        assert service.plan_file.read_text() == before
        assert keeper.failed == []
    else:
        raise AssertionError("the drill did not end")
    # While waiting to see it, for the alert, and after: of these moments there were several each.
    assert struck >= 5 and interrupted - struck >= 3


@pytest.fixture
def second(tmp_path: Path) -> Iterator[Service]:
    made = Service(tmp_path)
    yield made
    made.stop()


def test_several_processes(world: World, second: Service) -> None:
    """It is armed on each, seen on all, and taken away from each."""
    world.services["there"] = second
    with quiet() as keeper:
        made = field(world, keeper)
        made.places.operators.append(second.url)
        timeline, = Wave(made, [NOT_READY]).run()
    assert timeline.problems() == [] and not second.is_struck()


def test_one_of_several_does_not_take_it(world: World, second: Service) -> None:
    """The clock does not start on a part of them; and one that was armed before another refused is restored."""
    world.services["there"] = second
    with quiet() as keeper:
        made = field(world, keeper)
        made.places.instances = ["here", "there"]
        timeline, = Wave(made, [NOT_READY]).run()  # only the first is armed
    assert timeline.problems()[0] == "the fault was not seen in Prometheus on every target: on 1 of 2"
    world.began = world.ended = None
    with pytest.raises(Refused, match="cannot be reached"), quiet() as keeper:
        made = field(world, keeper)
        made.places.instances = ["here", "there"]
        drill = Wave(made, [NOT_READY])
        drill.prepare()
        made.places.operators.append("http://127.0.0.1:9")
        way = drill.way
        assert way is not None
        keeper.later("the fault", way.restore)
        way.arm(drill.plan())
    assert not world.service.is_struck()


def test_each_signal_is_noted_and_handlers_are_put_back() -> None:
    former = [signal.getsignal(number) for number in guard.SIGNALS]
    for number in guard.SIGNALS:
        with quiet() as keeper:
            os.kill(os.getpid(), number)
            with pytest.raises(Interrupted) as raised:
                keeper.check()
            assert raised.value.number == number
    assert [signal.getsignal(number) for number in guard.SIGNALS] == former


def test_a_signal_that_was_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with quiet() as keeper:
        os.kill(os.getpid(), signal.SIGHUP)
        keeper.check()
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_a_signal_during_a_restore_does_not_cut_it_short() -> None:
    done: list[str] = []
    said: list[str] = []

    def slow_undo() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        keeper.check()  # what a wait within an undo would do
        done.append("undone")

    with Guard(said.append) as keeper:
        keeper.later("all", slow_undo)
    assert done == ["undone"] and said == ["SIGINT: restoring already"]


def test_one_undo_that_fails_does_not_keep_the_others_back() -> None:
    done: list[int] = []

    def fails() -> None:
        raise Refused("gone")

    with quiet() as keeper:
        keeper.later("first", lambda: done.append(1))
        keeper.later("second", fails)
        keeper.later("third", lambda: done.append(3))
    assert done == [3, 1] and keeper.failed == ["second: gone"]


@pytest.mark.parametrize("broken", ["alerts", "tell", "query"])
def test_an_exception_restores(world: World, broken: str) -> None:
    """What nobody thought of, in the middle: it goes through to whoever reads the traceback, after restoring."""
    calls = 0

    def fails(*_: Any) -> Any:
        nonlocal calls
        calls += world.service.is_struck()
        if world.service.is_struck():
            raise RuntimeError("on purpose")
        return {"alerts": [], "tell": {"last": 0, "notifications": []}, "query": []}[broken]

    setattr(world, broken, fails)  # the server breaks off; the drill meets a connection that is closed
    with pytest.raises(Refused), quiet() as keeper:
        made = field(world, keeper)
        timeline, = Wave(made, [NOT_READY]).run()
        raise Refused("; ".join(timeline.problems()))  # the truth not being seen is no exception but a verdict
    assert calls > 0
    assert not world.service.is_struck()


def test_an_exception_of_our_own_restores(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any) -> None:
        assert world.service.is_struck()
        raise RuntimeError("on purpose")
    monkeypatch.setattr("drills.watch.Watch.rise", fails)
    with pytest.raises(RuntimeError, match="on purpose"), quiet() as keeper:
        Wave(field(world, keeper), [NOT_READY]).run()


def test_killed_outright_the_fault_ends_by_itself(world: World) -> None:
    """Nobody restores; the plan that was sent has an end that is not far."""
    with quiet() as keeper:
        made = field(world, keeper)
        drill = Wave(made, [NOT_READY])
        drill.prepare()
        plan = drill.plan()
    (entry,) = plan["faults"]
    seconds = int(entry["duration"].removesuffix("s"))
    needed = drill.seen_within() + 2 + 1 + 2 + 1 + 2  # for, scrape, evaluation, group_wait, delivery: rounded up
    assert needed < seconds < needed + 60


def test_somebody_elses_plan_is_left_alone(world: World) -> None:
    """Who armed another plan meanwhile means it: the drill takes away only its own."""
    def other() -> None:
        world.service.put({"name": "theirs", "faults": [{"duration": "1m", "memory": {"bytes": "1MiB"}}]})
    with pytest.raises(Interrupted), quiet() as keeper:
        Wave(field(world, keeper, {3: other, 4: lambda: os.kill(os.getpid(), signal.SIGINT)}), [NOT_READY]).run()
    assert world.service.faults()["plan"]["name"] == "theirs"
    world.service.calm()


def test_a_file_that_a_killed_drill_left_is_put_right(world: World, tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    path.write_text("what was there")
    way = File(path)
    way.arm({"begin": "2026-01-01T00:00:00Z", "faults": []})
    assert path.read_text() != "what was there"
    again = File(path)  # of the next drill; this one was killed
    again.recover()
    assert path.read_text() == "what was there" and not again.saved.exists()


@pytest.mark.parametrize("signalled", [False, True])
def test_an_output_that_nobody_reads_keeps_nothing_from_being_restored(tmp_path: Path, signalled: bool) -> None:
    """`drill | head`; or Ctrl-C that ends `tee` as well, and then even stderr is a broken pipe."""
    code = f"""
import os, signal, sys, time
from pathlib import Path
from drills.guard import Clock, Guard, Interrupted
folder = Path({str(tmp_path)!r})
guard, status = Guard(), 0
def first():
    guard.print("puts it back")
    (folder / "first").touch()
def fails():
    raise RuntimeError("on purpose")
try:
    with guard:
        guard.later("first", first)
        guard.later("second", fails)
        guard.print("ready")
        sys.stdin.readline()
        {"os.kill(os.getpid(), signal.SIGINT)" if signalled else "guard.print('nobody reads this')"}
        Clock(guard.check).sleep(10)
except Interrupted as interrupt:
    status = 128 + interrupt.number
os._exit(status)
"""
    path = str(Path(guard.__file__).parents[1])
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, env={**os.environ, "PYTHONPATH": path})
    assert process.stdin is not None and process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.stdout.close()
    process.stdin.write(b"on\n")
    process.stdin.close()
    assert process.wait(20) == 128 + (signal.SIGINT if signalled else signal.SIGPIPE)
    assert (tmp_path / "first").exists()


def test_a_list_that_nobody_reads_to_its_end() -> None:
    """`alerts/drill --list | head`."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([sys.executable, "-m", "drills", "--list"], stdout=writer, stderr=subprocess.PIPE, timeout=60,
                          env={**os.environ, "PYTHONPATH": str(Path(guard.__file__).parents[1])})
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_what_a_file_held_is_put_back_to_the_byte(tmp_path: Path) -> None:
    """Line ends, what is no UTF-8, its mode, and that it is a link."""
    held = b'{"begin": "2026-01-01T00:00:00Z",\r\n "faults": []}\r\n\xff'
    real, link = tmp_path / "real.json", tmp_path / "plan.json"
    real.write_bytes(held)
    real.chmod(0o640)
    link.symlink_to(real)
    way = File(link)
    way.arm({"begin": "2026-01-01T00:00:00Z", "faults": [{"duration": "1s", "not_ready": True}]})
    assert b"not_ready" in real.read_bytes() and real.stat().st_mode & 0o777 == 0o640
    way.restore()
    assert link.is_symlink() and real.read_bytes() == held and real.stat().st_mode & 0o777 == 0o640
    assert sorted(tmp_path.iterdir()) == [link, real]


@pytest.mark.parametrize("broken", ["alerts", "tell"])
def test_a_server_that_goes_away_is_a_verdict(world: World, broken: str) -> None:
    """It was armed, so it is no refusal: the timeline is told, the fault is taken away, the exit status is 1."""
    def gone(*_: Any) -> Any:
        raise RuntimeError("on purpose")
    with quiet() as keeper:
        timeline, = Wave(field(world, keeper, {3: lambda: setattr(world, broken, gone)}), [NOT_READY]).run()
    assert "cannot be reached" in timeline.problems()[0]
    assert timeline.at("restored") is not None and not world.service.is_struck()
