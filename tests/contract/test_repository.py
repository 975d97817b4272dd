"""Every expression of the repository asks for what something emits."""

import json
from pathlib import Path

import pytest
from contract import ROOT, Contract, expressions, files, problems

FILES = files()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_is_asked_for_that_nobody_emits(path: Path, repository: Contract) -> None:
    wrong = [
        f"{e.where}: {problem}" for e in expressions([path]) for problem in problems(e, repository)
    ]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    ("tree", "pattern"),
    [
        ("dashboards/json", "*.json"),
        ("alerts/prometheus", "**/*.yaml"),
        ("alerts/kubernetes", "**/*.yaml"),
        ("alerts/tests", "**/*.yaml"),
    ],
)
def test_these_files_have_expressions(tree: str, pattern: str) -> None:
    """A file that is read as something else would be found fine."""
    found = list((ROOT / tree).glob(pattern))
    assert found and [path.name for path in found if not expressions([path])] == []


def test_the_users_routes_are_routes(repository: Contract) -> None:
    """The contract says which routes count; they are values of the label."""
    told = json.loads((ROOT / "docs" / "contract.json").read_text())
    label = repository.own["http_server_request_duration_seconds"].labels["http_route"]
    assert label.values == set(told["routes"])
    assert set(told["user_routes"]) < set(told["routes"])
    assert told["user_routes"]
