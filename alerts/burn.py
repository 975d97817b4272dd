"""The burn-rate rules: a specification for sloth from slo.yaml, and what the real sloth makes of it.

The idea: sloth knows the workbook's arithmetic (four windows, two alerts an objective, the names that its
dashboards expect); slo.yaml knows the objectives. What of the specification is ours is the SLI: raw, for
two things that sloth's own form lacks. Without a failure it is 0, not absent; below the floor of traffic it
is absent, not noise. The floor is of the window in question, so a window of days over a process that is
minutes old says nothing until it has seen enough.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import yaml

from objectives import SLIS, Objectives, Route
from profiles import Profile
from sources import bad, burn_rows, total

WINDOWS = Path(__file__).resolve().parent / "windows"


def ratio(objectives: Objectives, route: Route, sli: str, window: str = "{{.window}}") -> str:
    """PromQL: the share of requests that were bad, where there were enough of them."""
    part, whole = (function(objectives, route, sli, "rate", window) for function in (bad, total))
    share = (f"clamp_min({part} / {whole}, 0)" if sli == "latency"
             else f"(({part} or vector(0)) / {whole})")
    return f"{share}\nand\n{whole} > {objectives.floor:g}"


def specification(objectives: Objectives, profile: Profile) -> dict[str, Any]:
    """What sloth is given: an SLO for each objective of each route."""
    slos = []
    for route in objectives.routes:
        for sli in SLIS:
            rows = burn_rows(objectives, profile, route, sli)
            slos.append({
                "name": route.slo(sli),
                "objective": route.objective(sli),
                "description": f"{sli} of {route.path}",
                "labels": {"http_route": route.path, "sli": sli, "job": objectives.job},
                "sli": {"raw": {"error_ratio_query": ratio(objectives, route, sli)}},
                "alerting": {
                    "name": rows["page"]["name"],
                    # Most of it is in the series, too; here, so that no two rules look alike.
                    "labels": {"team": objectives.team, "service": objectives.service,
                               "http_route": route.path, "sli": sli, "job": objectives.job},
                    **{f"{severity}_alert": {"labels": {"severity": severity},
                                             "annotations": rows[severity]["annotations"]}
                       for severity in ("page", "ticket")}}})
    return {"version": "prometheus/v1", "service": objectives.service,
            "labels": {"team": objectives.team}, "slos": slos}


def digest(objectives: Objectives, profile: Profile) -> str:
    """Of all that sloth is given: whether its rules are current can be told without it."""
    given = yaml.safe_dump(specification(objectives, profile)) + windows_file(profile).read_text()
    return hashlib.sha256(given.encode()).hexdigest()[:16]


def windows_file(profile: Profile) -> Path:
    """The profile's windows."""
    return WINDOWS / f"{profile.name}.yaml"


def run_sloth(sloth: str, objectives: Objectives, profile: Profile) -> list[dict[str, Any]]:
    """The groups that sloth makes."""
    with tempfile.TemporaryDirectory() as folder:
        spec, out, windows = (Path(folder) / name for name in ("spec.yaml", "out.yaml", "windows"))
        spec.write_text(yaml.safe_dump(specification(objectives, profile), sort_keys=False))
        windows.mkdir()  # sloth takes a folder, and both profiles' windows are of one period
        shutil.copy(windows_file(profile), windows)
        done = subprocess.run(
            [sloth, "generate", "--no-color", "--input", spec, "--out", out,
             "--slo-period-windows-path", windows, "--default-slo-period", objectives.period],
            check=False, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"sloth: {done.stderr.strip()}")
        groups = yaml.safe_load(out.read_text())["groups"]
    for group in groups:
        for rule in group["rules"]:
            rule["expr"] = rule["expr"].strip()
            profile.labels(rule)
    return groups
