"""values.schema.json has each key of values.yaml and none more, and refuses what it does not know."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Iterator

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHARTS = sorted(path.parent for path in ROOT.glob("charts/**/values.schema.json"))
# What values.yaml need not have: a parent chart's values for all of its parts, and quantities, which are Kubernetes' own.
MAY_BE_ABSENT = re.compile(r"global|(.*\.)?resources\.(requests|limits)\.[-a-z]+")


def resolved(schema: dict, root: dict) -> dict:
    """A schema, with what it refers to in place."""
    while "$ref" in schema:
        target = root
        for name in schema["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def differences(values: dict, schema: dict, root: dict, where: str = "") -> Iterator[str]:
    """Where the keys of the two are not the same, or an unknown key would be taken."""
    schema = resolved(schema, root)
    properties = schema.get("properties", {})
    if schema.get("additionalProperties") is not False:
        yield f"{where or 'the root'}: takes keys that it does not know"
    for key in sorted(set(values) - set(properties)):
        yield f"{where}{key}: not in the schema"
    for key in sorted(set(properties) - set(values)):
        if not MAY_BE_ABSENT.fullmatch(where + key):
            yield f"{where}{key}: not in values.yaml"
    for key in set(values) & set(properties):
        inner = resolved(properties[key], root)
        # A mapping without keys of its own, such as nodeSelector, is the user's; so is a list's element.
        if isinstance(values[key], dict) and "properties" in inner:
            yield from differences(values[key], inner, root, f"{where}{key}.")
        elif isinstance(values[key], dict) and values[key] and inner.get("additionalProperties") is False:
            yield f"{where}{key}: its keys are not in the schema"


@pytest.mark.parametrize("chart", CHARTS, ids=lambda chart: str(chart.relative_to(ROOT)))
def test_the_schema_has_the_keys_of_the_values(chart: Path) -> None:
    schema = json.loads((chart / "values.schema.json").read_text())
    found = chart / "values.yaml"
    assert found.is_file(), "a schema, and no values"
    assert list(differences(yaml.safe_load(found.read_text()), schema, schema)) == []


def test_a_chart_has_a_schema() -> None:
    assert CHARTS
    for chart in ROOT.glob("charts/**/Chart.yaml"):
        assert chart.parent in CHARTS, f"{chart.parent.relative_to(ROOT)} has no values.schema.json"


@pytest.mark.parametrize("values, schema, expected", [
    ({"a": 1}, {"properties": {"a": {}}}, ["the root: takes keys that it does not know"]),
    ({"a": 1}, {"properties": {}, "additionalProperties": False}, ["a: not in the schema"]),
    ({}, {"properties": {"a": {}, "global": {}}, "additionalProperties": False}, ["a: not in values.yaml"]),
    ({"a": {}}, {"properties": {"a": {"properties": {"global": {}}, "additionalProperties": False}},
                 "additionalProperties": False}, ["a.global: not in values.yaml"]),
    ({"a": {"b": 1}}, {"properties": {"a": {"$ref": "#/$defs/a"}}, "additionalProperties": False,
                       "$defs": {"a": {"properties": {}, "additionalProperties": False}}}, ["a.b: not in the schema"]),
    ({"a": {}}, {"properties": {"a": {"type": "object"}}, "additionalProperties": False}, []),
], ids=["open", "missing in the schema", "missing in the values", "missing inside", "inside", "the user's own"])
def test_what_is_compared(values: dict, schema: dict, expected: list[str]) -> None:
    assert list(differences(values, schema, schema)) == expected
