"""Faults of the process as a whole: readiness, memory, CPU in the background; and that probes, scrapes and
the API answer all the while."""

import json
import time
from pathlib import Path
from typing import Any, Iterator

import pytest

import faults
from faults import Operator, in_force, plan
from service import Service
from wire import ask, eventually

MIB = 1 << 20


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    token = faults.token_file(tmp_path_factory.mktemp("process"))
    with Service("--fault-token-file", token, admin=True) as service:
        yield service


@pytest.fixture
def operator(service: Service) -> Iterator[Operator]:
    operator = Operator(service)
    yield operator
    operator.clear()


def arm(operator: Operator, **kinds: Any) -> None:
    operator.put(plan(kinds, begin=None))


def threads(service: Service) -> list[str]:
    """Names of the threads that faults have."""
    names = (path.read_text().strip() for path in Path(f"/proc/{service.pid}/task").glob("*/comm"))
    return sorted(name for name in names if name.startswith("fault"))


def resident(service: Service) -> int:
    """Bytes that the kernel says are in memory."""
    status = Path(f"/proc/{service.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


# ---- readiness ----------------------------------------------------------------------------------

def unready(service: Service, kind: str) -> None:
    response = ask(service.operators, "/readyz")
    assert response.status == 503
    assert json.loads(response.body)["detail"] == f"a fault is in force: {kind}"
    assert service.value("glassbox_ready") == 0
    assert ask(service.operators, "/livez").status == 200
    assert ask(service.public).status == 200, "it serves on, whoever still asks"


def test_not_ready(service, operator):
    arm(operator, not_ready=True)
    unready(service, "not_ready")
    assert in_force(service)["not_ready", None] == 1
    operator.clear()
    assert ask(service.operators, "/readyz").status == 200
    assert service.value("glassbox_ready") == 1
    assert in_force(service)["not_ready", None] == 0


def test_slow_start_counts_from_the_start_of_the_process(service, operator, tmp_path):
    """One that is old enough is ready whatever the fault says; a new one is not."""
    arm(operator, slow_start={"ready_after": "1ms"})
    assert ask(service.operators, "/readyz").status == 200
    assert in_force(service)["slow_start", None] == 1
    arm(operator, slow_start={"ready_after": "24h"})
    unready(service, "slow_start")
    path = tmp_path / "plan.json"
    faults.write(path, plan({"slow_start": {"ready_after": "1500ms"}}))
    began = time.monotonic()
    with Service("--faults", path) as fresh:
        assert fresh.wait_ready()
        assert time.monotonic() - began >= 1.5


def test_draining_is_told_first(tmp_path):
    """Who is told to end says so, whatever fault there is."""
    path = tmp_path / "plan.json"
    faults.write(path, plan({"not_ready": True}))
    with Service("--faults", path, "--drain-delay", "500ms", admin=True) as service:
        unready(service, "not_ready")
        service.signal()
        assert service.wait_message(lambda message: message["message"].startswith("told to end"))
        assert json.loads(ask(service.operators, "/readyz").body)["detail"] == \
            "the service is draining"


# ---- memory -------------------------------------------------------------------------------------

def test_memory_is_held_used_and_given_back(service, operator):
    before = resident(service)
    arm(operator, memory={"bytes": "96MiB"})
    assert eventually(lambda: service.value("glassbox_fault_memory_bytes") == 96 * MIB, timeout=20)
    assert resident(service) >= before + 90 * MIB
    assert threads(service) == ["fault memory"]
    assert in_force(service)["memory", None] == 1
    operator.clear()
    assert eventually(lambda: service.value("glassbox_fault_memory_bytes") == 0, timeout=20)
    assert resident(service) <= before + 20 * MIB
    assert eventually(lambda: threads(service) == [])


def test_memory_that_cannot_be_had_is_told(service, operator):
    """A TiB is more than the machine lends; the gauge says what is really held."""
    with open("/proc/sys/vm/overcommit_memory", encoding="ascii") as file:
        overcommits = file.read().strip() == "1"
    if overcommits:
        pytest.skip("the kernel lends whatever is asked for: /proc/sys/vm/overcommit_memory is 1")
    arm(operator, memory={"bytes": "1024GiB"})
    told = service.wait_message(
        lambda message: message["message"] == "cannot hold the memory of a fault")
    assert told["wanted_bytes"] == 1 << 40
    assert service.value("glassbox_fault_memory_bytes") == told["held_bytes"] == 0
    assert in_force(service)["memory", None] == 1
    assert ask(service.operators, "/livez").status == 200


# ---- CPU ----------------------------------------------------------------------------------------

def test_background_cpu_is_burnt(service, operator):
    """Bounds that hold on a busy machine, too: less than a tenth of a second would be none, and more
    than was asked for, with what the questions here take, would be too much."""
    began, before = time.monotonic(), service.cpu_seconds()
    arm(operator, background_cpu={"cpus": 0.4})
    assert eventually(lambda: threads(service) == ["fault cpu 0"])
    assert service.value("glassbox_fault_background_cpus") == 0.4
    time.sleep(1.5)
    operator.clear()
    burnt, lasted = service.cpu_seconds() - before, time.monotonic() - began
    assert 0.1 <= burnt <= 0.4 * lasted + 0.3
    assert eventually(lambda: threads(service) == [])
    assert service.value("glassbox_fault_background_cpus") == 0


def test_probes_answer_beside_more_threads_than_there_are_cpus(service, operator):
    arm(operator, background_cpu={"cpus": 3.5})
    assert eventually(lambda: threads(service) == [f"fault cpu {i}" for i in range(4)])
    assert service.value("glassbox_fault_background_cpus") == 3.5
    for target in ("/livez", "/readyz", "/metrics", "/version"):
        assert ask(service.operators, target).status == 200
    arm(operator, background_cpu={"cpus": 0.05})
    assert eventually(lambda: threads(service) == ["fault cpu 0"])


def test_all_of_it_ends_with_the_process(tmp_path):
    """From the first moment, by the file; and an exit in order beside it."""
    path = tmp_path / "plan.json"
    faults.write(path, plan({"memory": {"bytes": "32MiB"}, "background_cpu": {"cpus": 1.2}}))
    with Service("--faults", path) as service:
        assert eventually(lambda: service.value("glassbox_fault_memory_bytes") == 32 * MIB)
        assert threads(service) == ["fault cpu 0", "fault cpu 1", "fault memory"]
        service.stop()
