#!/usr/bin/env python3
"""Writes all that is made of slo.yaml and source/: `make generate`, or .ci/generate.sh.

    prometheus/{real,fast}/{slo,recording,alerts}.rules.yaml   rules for a Prometheus
    kubernetes/{real,fast}/prometheusrule.yaml                 the same for its operator, of one namespace
    kubernetes/{real,fast}/prometheusrule-shipped.yaml         those that kube-prometheus-stack has already
    ../loadtest/slo.json                                       slo.yaml for what reads JSON: load tests

With --check nothing is written: each file that is not current is named, and the status is 1. Without
--sloth the burn-rate rules stay as they are; whether they are current is then told by the digest of what
sloth was given, which is all that can be said.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

import burn
import sources
from namespaces import NAMESPACE, in_namespace
from objectives import Objectives, ObjectivesError, load
from profiles import PROFILES, Profile

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
NOTICE = "Written by `make generate` from alerts/slo.yaml and alerts/source; not by hand."


class Writer(yaml.SafeDumper):
    """YAML as people write it: lists indented, texts of several lines as blocks, nothing folded."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def represent_text(writer: Writer, text: str) -> yaml.Node:
    """A text."""
    style = "|" if "\n" in text else None
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


Writer.add_representer(str, represent_text)


def as_yaml(data: dict[str, Any], *notes: str) -> str:
    """A file, with what it is at its head."""
    head = "".join(f"# {note}\n" for note in (NOTICE, *notes))
    return head + yaml.dump(data, Dumper=Writer, sort_keys=False, width=1000, allow_unicode=True)


class Generator:
    """All files, by their path in the project. `sloth` is None where there is none."""

    def __init__(self, objectives: Objectives, sloth: str | None, root: Path = ROOT) -> None:
        self.objectives, self.sloth, self.root = objectives, sloth, root
        self.files: dict[str, str] = {}

    def slo_file(self, profile: Profile) -> str:
        """The burn-rate rules: sloth's, or those that are there if what they are made of is the same."""
        mark = f"Made by sloth 0.12.0 of what has the digest {burn.digest(self.objectives, profile)}."
        if self.sloth:
            groups = burn.run_sloth(self.sloth, self.objectives, profile)
            return as_yaml({"groups": groups}, mark)
        there = self.root / f"alerts/prometheus/{profile.name}/slo.rules.yaml"
        text = there.read_text() if there.exists() else ""
        if f"# {mark}\n" not in text:
            return "stale, and sloth is needed to make it\n"
        return text

    def profile(self, name: str) -> None:
        """The rules of a profile."""
        profile, base = Profile(name), f"alerts/prometheus/{name}"
        self.files[f"{base}/slo.rules.yaml"] = self.slo_file(profile)
        self.files[f"{base}/recording.rules.yaml"] = as_yaml(
            {"groups": sources.record_groups(self.objectives, profile)})
        self.files[f"{base}/alerts.rules.yaml"] = as_yaml(
            {"groups": sources.alert_groups(self.objectives, profile)})

    def prometheus_rule(self, profile: Profile, name: str, groups: list[dict[str, Any]], *notes: str) -> str:
        """A PrometheusRule of these groups."""
        return as_yaml({
            "apiVersion": "monitoring.coreos.com/v1", "kind": "PrometheusRule",
            "metadata": {"name": name,
                         "labels": {"app.kubernetes.io/name": self.objectives.service,
                                    "app.kubernetes.io/part-of": self.objectives.service}},
            "spec": {"groups": in_namespace(groups, profile.is_fast)}}, *notes)

    def kubernetes(self, name: str) -> None:
        """A profile's PrometheusRules: what we bring, and what kube-prometheus-stack has already."""
        profile, base, service = Profile(name), f"alerts/kubernetes/{name}", self.objectives.service
        slo = yaml.safe_load(self.files[f"alerts/prometheus/{name}/slo.rules.yaml"])
        placeholder = f"{NAMESPACE} stands for the namespace it is installed in: replace it, everywhere."
        groups = (slo["groups"] if isinstance(slo, dict) else []) + \
            sources.record_groups(self.objectives, profile) + \
            sources.alert_groups(self.objectives, profile, shipped=False)
        self.files[f"{base}/prometheusrule.yaml"] = self.prometheus_rule(
            profile, service, groups, placeholder, "What kube-prometheus-stack ships is in prometheusrule-shipped.yaml.")
        self.files[f"{base}/prometheusrule-shipped.yaml"] = self.prometheus_rule(
            profile, f"{service}-shipped", sources.alert_groups(self.objectives, profile, shipped=True),
            placeholder, "For a cluster without kube-prometheus-stack, which has rules for these already.")

    def all(self) -> dict[str, str]:
        """Every file."""
        for name in PROFILES:
            self.profile(name)
            self.kubernetes(name)
        self.files["loadtest/slo.json"] = json.dumps(self.objectives.as_json(), indent=2) + "\n"
        return self.files


def write(root: Path, files: dict[str, str]) -> list[str]:
    """Writes what differs; returns its names."""
    changed = stale(root, files)
    for name in changed:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(files[name])
    return changed


def stale(root: Path, files: dict[str, str]) -> list[str]:
    """The names of the files that are not as they should be."""
    return [name for name, text in files.items()
            if not (root / name).exists() or (root / name).read_text() != text]


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Writes what is made of slo.yaml and source/.")
    parser.add_argument("--check", action="store_true", help="compare, and write nothing")
    parser.add_argument("--sloth", metavar="PATH", help="the sloth to use")
    options = parser.parse_args(arguments)
    try:
        files = Generator(load(), options.sloth).all()
    except (ObjectivesError, sources.SourceError, RuntimeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    act: Callable[[Path, dict[str, str]], list[str]] = stale if options.check else write
    names = act(ROOT, files)
    for name in names:
        print(f"{name} is not current: make generate" if options.check else name)
    print(f"{len(files)} files, {len(names)} {'not current' if options.check else 'written'}",
          file=sys.stderr)
    return 1 if options.check and names else 0


if __name__ == "__main__":
    sys.exit(main())
