"""promtool, Debian's and version 3: what a test runs it on, and what it says.

Both versions are asked everything. They differ in one thing that a test must know: a sample at the very
beginning of a window is in it for Prometheus 2, and not for 3.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
ALERTS = ROOT / "alerts"
RULES = ALERTS / "prometheus"
TESTS = sorted((ALERTS / "tests").glob("*.test.yaml"))
VERSIONS = ("debian", "built")


def binary(version: str) -> str:
    """Debian's, or the one that PROMTOOL_BIN names; skips the test without."""
    path = shutil.which("promtool") if version == "debian" else os.environ.get("PROMTOOL_BIN")
    if not path:
        pytest.skip(f"needs promtool, {version}: see .ci/alerts.sh")
    return path


def run(version: str, *arguments: str | Path, timeout: float = 300) -> tuple[int, str]:
    """Its exit status and all that it says."""
    done = subprocess.run([binary(version), *map(str, arguments)], check=False, timeout=timeout,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def check_tests(version: str, *files: Path) -> None:
    """They pass."""
    status, said = run(version, "test", "rules", *files)
    assert status == 0, said[:4000]


def rules(profile: str = "real") -> list[dict[str, Any]]:
    """Every rule of a profile."""
    return [rule for path in sorted((RULES / profile).glob("*.yaml"))
            for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def key(rule: dict[str, Any]) -> str:
    """What tells an alert from others of its name, as the names of tests say it."""
    labels = rule["labels"]
    told = [f"{label}={labels[label]}" for label in ("signal", "http_route", "sli") if label in labels]
    if rule["alert"].endswith("BudgetBurn"):
        told = [f"severity={labels['severity']}", f"http_route={labels['http_route']}"]
    return " ".join([rule["alert"], *told])


def minutes(duration: str) -> float:
    """Of 90s, 5m, 1h30m."""
    units = {"s": 1 / 60, "m": 1, "h": 60, "d": 1440}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([smhd])", duration))
