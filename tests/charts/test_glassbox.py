"""The chart against what it is about: the program's options, its version, the objectives, the names Kubernetes takes."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/glassbox"
HELPERS = "\n".join(path.read_text() for path in sorted(CHART.glob("templates/_*.tpl")))
LABEL = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
EVERYTHING = ["--values", str(CHART / "values-production.yaml"),
              "--set", "ingress.enabled=true,httpRoute.enabled=true,httpRoute.parentRefs[0].name=gate",
              "--set", "faults.incident=outage,faults.token.enabled=true,faults.token.value=0123456789abcdef"]


def render(release: str, *arguments: str, namespace: str = "shop") -> list[dict[str, Any]]:
    """The objects that helm makes."""
    done = subprocess.run(["helm", "template", release, str(CHART), "--namespace", namespace, *arguments],
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return [found for found in yaml.safe_load_all(done.stdout) if found]


def options() -> dict[str, str]:
    """The program's flags, each with its variable."""
    rows = re.findall(r'^OPTION\(\w+, "([a-z-]+)", "(GLASSBOX_[A-Z_]+)"', (ROOT / "src/options.def").read_text(), re.M)
    assert len(rows) > 20
    return dict(rows)


def define(name: str) -> str:
    """What a helper is defined as."""
    return re.search(rf'define "{re.escape(name)}" -}}}}(.*?){{{{-? end', HELPERS, re.S)[1]


def test_it_installs_the_version_there_is() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert chart["appVersion"] == (ROOT / "telemetry/VERSION").read_text().strip()
    assert re.fullmatch(r"\d+\.\d+\.\d+", chart["version"])


def test_users_call_the_routes_that_have_objectives() -> None:
    objectives = yaml.safe_load((ROOT / "alerts/slo.yaml").read_text())
    assert define("glassbox.userRoutes").strip() == "|".join(objectives["routes"])


def test_each_flag_of_the_pod_is_an_option() -> None:
    """And is among those that extraArgs and extraEnv may not set."""
    deployment, = (found for found in render("a", *EVERYTHING, "--set", "message=a,accessLog.fields=date,page.enabled=true")
                   if found["kind"] == "Deployment")
    given = {word.split("=")[0].removeprefix("--")
             for word in deployment["spec"]["template"]["spec"]["containers"][0]["args"]}
    assert given <= options().keys()
    kept = set(re.findall(r'"([a-z-]+)" "', define("glassbox.flags"))) & options().keys()
    assert given == kept


def test_a_variable_is_named_as_its_flag() -> None:
    """By which extraEnv is held to what the flags say."""
    assert {variable: flag for flag, variable in options().items()} == {
        "GLASSBOX_" + flag.upper().replace("-", "_"): flag for flag in options()}


def test_variables_of_the_chart_are_kept_from_users() -> None:
    deployment, = (found for found in render("a", *EVERYTHING, "--set", "otlp.headersSecret=a,otlp.sampler.name=traceidratio",
                                             "--set", "otlp.sampler.ratio=0.5")
                   if found["kind"] == "Deployment")
    given = {row["name"] for row in deployment["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert given == set(re.findall(r'"([A-Z][A-Z0-9_]+)" "', define("glassbox.variables")))


@pytest.mark.parametrize("release", ["a", "x" * 53, "glassbox.eu"])
@pytest.mark.parametrize("override", ["", "fullnameOverride=" + "y" * 63, "nameOverride=" + "z" * 63])
def test_names_are_good_under_any_release(release: str, override: str) -> None:
    objects = render(release, *EVERYTHING, *(["--set", override] if override else []))
    names = Counter((found["kind"], found["metadata"]["name"]) for found in objects)
    assert {name: count for name, count in names.items() if count > 1} == {}
    # Names of Roles and pods of tests are longer in Kubernetes' own rules; ours are all as short as a Service's.
    assert [name for _, name in names if not LABEL.fullmatch(name)] == []
    for found in objects:
        assert "namespace" not in found["metadata"], found["metadata"]["name"]
        for value in found["metadata"]["labels"].values():
            assert re.fullmatch(r"([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?", value), value


def test_what_the_pod_mounts_is_made() -> None:
    objects = render("a", *EVERYTHING)
    names = {(found["kind"], found["metadata"]["name"]) for found in objects}
    pod = next(found for found in objects if found["kind"] == "Deployment")["spec"]["template"]["spec"]
    for volume in pod["volumes"]:
        kind, name = (("ConfigMap", volume["configMap"]["name"]) if "configMap" in volume
                      else ("Secret", volume["secret"]["secretName"]))
        assert (kind, name) in names
    assert {row["name"] for row in pod["volumes"]} == {row["name"] for row in pod["containers"][0]["volumeMounts"]}
    assert [row for row in pod["containers"][0]["volumeMounts"] if "subPath" in row] == []
    assert ("ServiceAccount", pod["serviceAccountName"]) in names


def test_rendering_again_gives_the_same() -> None:
    """No token, no time, nothing of the cluster."""
    assert render("a", *EVERYTHING) == render("a", *EVERYTHING)


def test_each_template_has_a_suite() -> None:
    """For helm-unittest, which says nothing of a template that no suite names."""
    suites = [yaml.safe_load(path.read_text()) for path in CHART.glob("tests/*_test.yaml")]
    named = {name for suite in suites for name in suite["templates"]}
    there = {str(path.relative_to(CHART / "templates")) for path in CHART.glob("templates/**/*.*")
             if not path.name.startswith("_")}
    assert len(there) > 20 and there == named


def test_each_refusal_is_asked_for() -> None:
    """A define that is not in the list refuses nothing."""
    defined = re.findall(r'define "glassbox\.refuse\.(\w+)"', HELPERS)
    asked = re.search(r"range list ((?:\"\w+\" ?)+)", define("glassbox.validate"))[1]
    assert Counter(defined) == Counter(re.findall(r"\w+", asked))


def undocumented(lines: list[str]) -> Iterator[str]:
    """Keys of values.yaml that hold a value and have no `# --` before them, nor a key above them that has."""
    covered: list[tuple[int, bool]] = []
    comment = False
    for line in lines:
        if line.strip().startswith("#"):
            comment = comment or line.strip().startswith("# --")
            continue
        row = re.match(r"( *)([A-Za-z][\w.-]*):(.*)", line)
        if row is None:
            comment = comment and bool(line.strip())
            continue
        indent = len(row[1])
        covered = [(at, is_said) for at, is_said in covered if at < indent]
        is_said = comment or any(said for _, said in covered)
        if row[3].strip() and not is_said:
            yield row[2]
        covered.append((indent, is_said))
        comment = False


def test_each_value_is_documented() -> None:
    assert list(undocumented((CHART / "values.yaml").read_text().splitlines())) == []


@pytest.mark.parametrize("text, expected", [
    ("a: 1", ["a"]),
    ("# -- said\na: 1\nb: 2", ["b"]),
    ("# not so\na: 1", ["a"]),
    ("a:\n  # -- said\n  # in two lines\n  b: 1\n  c: 2", ["c"]),
    ("# -- said\na:\n  b: 1\n  - {c: 1}\nd: 1", ["d"]),
], ids=["none", "another", "a remark", "inside", "above"])
def test_what_counts_as_documented(text: str, expected: list[str]) -> None:
    assert list(undocumented(text.splitlines())) == expected
