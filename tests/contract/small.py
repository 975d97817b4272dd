"""A contract small enough to know by heart, for the tests of what reads contracts."""

import json
from pathlib import Path

import yaml
from contract import Contract
from contract_files import read_rules
from contract_names import read_contract, read_exporters

ROUTES = ["/", "/hello", "/work"]
OWN = {
    "app_requests_total": {
        "type": "counter",
        "labels": {
            "route": {"closed": True, "optional": True, "values": ROUTES},
            "method": {"closed": True, "values": ["GET", "HEAD"]},
            "code": {"closed": False, "values": []},
        },
    },
    "app_duration_seconds": {
        "type": "histogram",
        "bounds": [0.005, 0.1, 0.25, 1, 2.5],
        "labels": {"route": {"closed": True, "values": ROUTES}},
    },
    "app_connections": {
        "type": "gauge",
        "labels": {"listener": {"closed": True, "values": ["operators", "public"]}},
    },
    "app_connections_limit": {"type": "gauge", "labels": {}},
    "app_info": {"type": "info", "labels": {"version": {"closed": False, "values": []}}},
}
EXPORTERS = {
    "a": {
        "source": "nowhere",
        "target": "scraped",
        "metrics": {
            "up": {"type": "gauge"},
            "kube_pod_status_phase": {
                "type": "gauge",
                "labels": {"namespace": None, "pod": None, "phase": ["Running", "Failed"]},
            },
        },
    },
    "b": {
        "source": "nowhere",
        "target": "none",
        "trend_stats": ["p95", "max"],
        "labels": ["testid"],
        "metrics": {"k6_duration": {"type": "trend", "labels": ["name"]}},
    },
}
RULES = """
groups:
  - name: ours
    rules:
      - record: route:app_requests:rate5m
        expr: sum by (route) (rate(app_requests_total{route=~"/|/hello"}[5m]))
        labels: {objective: availability}
      - record: route:app_requests:twice
        expr: 2 * route:app_requests:rate5m
      - alert: AppDown
        expr: up{job="app"} == 0
        labels: {severity: page}
      - alert: AppFull
        expr: app_connections > 5
        labels: {severity: ticket, what: "{{ $labels.listener }}"}
"""


def write_contract(folder: Path, own: dict[str, dict] | None = None) -> Path:
    """docs/contract.json as the reference program writes it."""
    path = folder / "contract.json"
    metrics = {name: {"help": "…", **told} for name, told in (own or OWN).items()}
    path.write_text(json.dumps({"metrics": metrics, "routes": ROUTES, "user_routes": ROUTES}))
    return path


def make_contract(folder: Path, rules: str = RULES) -> Contract:
    """The contract of the above."""
    for name, told in EXPORTERS.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(told))
    return Contract(
        read_contract(write_contract(folder)),
        read_exporters(folder),
        list(read_rules(yaml.safe_load(rules), "rules.yaml")),
    )
