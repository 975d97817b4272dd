"""Two installations in one cluster, as promtool evaluates what the boards ask: one that is chosen is shown alone, all
of them break no query; and an autoscaler of ours is found whatever its release is called.

That every expression selects by the namespace is a rule of its own, `namespace-rule` in conventions.py.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from reading import FILES, FOLDER, expressions, fill, read

SLO = 'sloth_service="glassbox", sloth_slo="a", sloth_id="glassbox-a"'
STATE = 'job="kube-state-metrics", instance="k:8080"'
HPA = "kube_horizontalpodautoscaler"
# `door` and `front` are installations whose names have no "glassbox" in them, `old` has one that a kube-state-metrics
# watches which says no containers; in `front` somebody else's autoscaler is at its maximum, too.
SERIES = [
    ('up{namespace="door", job="glassbox", instance="a:1"}', 1),
    ('up{namespace="front", job="glassbox", instance="b:1"}', 0),
    ('up{namespace="front", job="glassbox", instance="c:1"}', 1),
    *((f'{name}{{namespace="{namespace}", {SLO}{more}}}', value)
      for namespace, bad, left in (("door", 0.02, 0.75), ("front", 0.04, 0.5))
      for name, more, value in (("slo:sli_error:ratio_rate1h", ', sloth_window="1h"', bad),
                                ("slo:error_budget:ratio", "", 0.01),
                                ("slo:period_error_budget_remaining:ratio", "", left))),
    *((f'ALERTS{{namespace="{namespace}", service="glassbox", severity="page", alertstate="firing", '
       f'alertname="{name}"}}', 1)
      for namespace, name in (("door", "A"), ("front", "A"), ("front", "B"))),
    *((f'{HPA}_{name}{{{STATE}, namespace="{namespace}", horizontalpodautoscaler="{hpa}"{more}}}', value)
      for namespace, hpa, container, replicas in (
          ("door", "door", ', container="glassbox"', 3), ("front", "front", ', container="glassbox"', 5),
          ("front", "web", ', container="web"', 40), ("old", "my-glassbox", "", 7))
      for name, more, value in (("info", "", 1), ("status_current_replicas", "", replicas),
                                ("spec_target_metric", f', metric_name="cpu"{container}', 70))),
]


def of(labels: str, value: float) -> dict[str, object]:
    return {"labels": f"{{{labels}}}", "value": value}


def left(namespace: str, value: float) -> dict[str, object]:
    return {"labels": f'slo:period_error_budget_remaining:ratio{{namespace="{namespace}", {SLO}}}', "value": value}


def burn(namespace: str, value: float) -> dict[str, object]:
    return of(f'namespace="{namespace}", {SLO}, sloth_window="1h"', value)


def had(namespace: str, hpa: str, value: float) -> dict[str, object]:
    return of(f'namespace="{namespace}", horizontalpodautoscaler="{hpa}"', value)


# board, panel, legend, what is chosen, what is shown
SHOWN = [
    ("service", "Processes", "of", "door", [of("", 1)]),
    ("service", "Processes", "of", "front", [of("", 2)]),
    ("service", "Processes", "down", "door", [of("", 0)]),
    ("service", "Processes", "down", ".*", [of("", 1)]),
    ("incident", "Pages, tickets", "page", "front", [of("", 2)]),
    ("incident", "Pages, tickets", "page", "door", [of("", 1)]),
    ("slo", "Budget left", "{{sloth_slo}}", "door", [left("door", 0.75)]),
    ("slo", "Budget left", "{{sloth_slo}}", ".*", [left("door", 0.75), left("front", 0.5)]),
    ("slo", "Burn, 1h and 5m: a page above 14.4", "{{sloth_slo}} {{sloth_window}}", "front", [burn("front", 4)]),
    ("slo", "Burn, 1h and 5m: a page above 14.4", "{{sloth_slo}} {{sloth_window}}", ".*",
     [burn("door", 2), burn("front", 4)]),
    ("autoscaling", "Replicas", "had", "door", [had("door", "door", 3)]),
    ("autoscaling", "Replicas", "had", "front", [had("front", "front", 5)]),
    ("autoscaling", "Replicas", "had", "old", [had("old", "my-glassbox", 7)]),
    ("autoscaling", "Replicas", "had", ".*",
     [had("door", "door", 3), had("front", "front", 5), had("old", "my-glassbox", 7)]),
]


def asked(board: str, panel: str, legend: str, namespace: str) -> str:
    """The first expression with this legend, of the namespaces that are chosen."""
    one = read(FOLDER / f"json/{board}.json")
    text = next(each.text for each in expressions(one) if (each.where, each.legend) == (panel, legend))
    return fill(one, text.replace("$namespace", namespace))


def told(folder: Path, looks: list[dict[str, object]]) -> tuple[int, str]:
    """What promtool says of these, asked of all the series."""
    promtool = shutil.which("promtool") or pytest.fail("needs promtool: .ci/deps.sh stack")
    file = folder / "test.yaml"
    file.write_text(yaml.safe_dump({"evaluation_interval": "1m", "tests": [{
        "interval": "1m", "promql_expr_test": [{"eval_time": "5m", **look} for look in looks],
        "input_series": [{"series": series, "values": f"{value}x10"} for series, value in SERIES]}]}))
    done = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def test_what_is_chosen_is_shown_alone(tmp_path: Path) -> None:
    status, said = told(tmp_path, [{"expr": asked(*row[:4]), "exp_samples": row[4]} for row in SHOWN])
    assert status == 0, said


def test_without_the_namespace_they_mix(tmp_path: Path) -> None:
    """Each expression of one namespace shows something else, or cannot be evaluated, once it asks for all."""
    rows = [row for row in SHOWN if row[3] != ".*" and row[2] != "down"]
    for row in rows:
        status, said = told(tmp_path, [{"expr": re.sub(r'namespace=~"\w+"', 'namespace=~".*"', asked(*row[:4])),
                                        "exp_samples": row[4]}])
        assert status != 0 and "FAILED" in said, row
    assert len(rows) > 8


def test_two_installations_break_no_query(tmp_path: Path) -> None:
    """All namespaces at once. Nothing is expected, so each that is answered is told; one that cannot be, by `err:`."""
    texts = [each.filled for path in FILES for each in expressions(read(path)) if each.kind != "variable"]
    status, said = told(tmp_path, [{"expr": text} for text in texts])
    assert status != 0 and said.count("got:") > 20 and "err:" not in said, said[:3000]
    whole = [text for text in texts if "on (namespace, sloth_id" in text]
    status, said = told(tmp_path, [{"expr": text.replace("on (namespace, ", "on (")} for text in whole])
    assert len(whole) == 8 and "err:" in said, "a budget that is not of the namespace goes unnoticed"
