"""The lists of what others emit: each says where it is from, and none hides a loss of ours."""

from pathlib import Path

import pytest
import yaml
from contract import Contract, Expression, problems
from contract_names import HERE, TARGETS, read_exporter

FILES = sorted((HERE / "exporters").glob("*.yaml"))
TYPES = {"counter", "gauge", "histogram", "summary", "trend"}


def test_those_that_are_promised_are_there() -> None:
    assert [path.stem for path in FILES] == [
        "alertmanager", "cadvisor", "collector", "k6", "kube-state-metrics", "prometheus",
    ]  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_list_says_where_it_is_from(path: Path) -> None:
    told = yaml.safe_load(path.read_text())
    assert set(told) <= {"source", "target", "labels", "trend_stats", "metrics"}
    assert len(told["source"]) > 40
    assert told["target"] in TARGETS
    for name, metric in told["metrics"].items():
        assert set(metric) <= {"type", "labels", "without"}, name
        assert set(metric.get("without", ())) <= set(told.get("labels", ())), name
        assert metric["type"] in TYPES, name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_no_list_has_a_name_of_the_binary(path: Path, repository: Contract) -> None:
    """A metric of both would be missed by nobody if the binary lost it."""
    assert set(read_exporter(path)) & set(repository.own) == set()


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ('container_network_receive_bytes_total{pod="a"}', False),
        ('container_network_receive_bytes_total{container="glassbox"}', True),
        ("machine_cpu_cores", False),
        ('machine_cpu_cores{pod="a"}', True),
        ('container_memory_working_set_bytes{pod="a", container="glassbox"}', False),
        ("container_spec_cpu_quota", True),
    ],
)
def test_what_a_kubelet_does_not_give_is_refused(
    query: str, refused: bool, repository: Contract
) -> None:
    """As a real one, scraped by kube-prometheus-stack, was seen to give it."""
    assert bool(problems(Expression("here", query), repository)) == refused
