"""The README's section on faults: what it says to paste, and where it says that a fault is seen, by a process
whose log is as it is without a setting."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Iterator

import pytest

import faults
from faults import Operator, plan
from service import ROOT, Service
from wire import ask


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    token = faults.token_file(tmp_path_factory.mktemp("token"))
    with Service("--fault-token-file", token, admin=True, fields=None) as running:
        yield running


def readme_lines() -> tuple[str, list[str]]:
    """The function and the lines that a person is to paste."""
    section = (ROOT / "README.md").read_text().partition("\n## Faults\n")[2].partition("\n## ")[0]
    lines = [line.strip() for line in section.splitlines() if line.startswith("    ")]
    function = next(line for line in lines if line.startswith("fault()"))
    return function, [line for line in lines if line.startswith(("fault '", "curl "))]


def test_every_line_of_the_readme_works(service: Service, tmp_path: Path):
    """Pasted into a shell, each puts its kind in force; the last ones play an incident and end it."""
    if not shutil.which("curl"):
        pytest.skip("needs curl")
    faults.token_file(tmp_path)
    function, lines = readme_lines()
    seen = []
    for line in lines:
        script = f"{function}\n{line}".replace("localhost:8080", "%s:%d" % service.operators)
        result = subprocess.run(["bash", "-euc", script], cwd=tmp_path, capture_output=True,
                                timeout=20, check=True)
        status = json.loads(result.stdout)
        seen.append([status["source"], *(fault["fault"] for fault in status["faults"]
                                         if fault["state"] == "in_force")])
    assert seen[:-2] == [["api", kind] for kind in faults.KINDS + faults.PROCESS_KINDS]
    assert seen[-2][0] == "incident" and seen[-1] == ["none"]


def test_the_log_says_it_without_a_setting(service: Service):
    operator = Operator(service)
    operator.put(plan({"route": "/", "error": {"ratio": 1, "status": 503},
                       "latency": {"p50": "0s", "p90": "0s", "p99": "1ms"}}))
    struck, other = ask(service.public, "/"), ask(service.public, "/demo/hello")
    operator.clear()
    assert service.log.fields[-1] == "x-fault"
    told = {entry["x-span-id"]: entry["x-fault"] for entry in service.log.entries}
    assert [told[answer.trace[1]] for answer in (struck, other)] == ["error,latency", None]
