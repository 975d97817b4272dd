"""A cluster of documents: what kubectl would be answered, without one. Prometheus' queries are answered from a list of
series by as much of PromQL as the doctor uses, so that a query with a wrong selector finds nothing here, either."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Optional
from urllib.parse import parse_qs, unquote, urlsplit

import yaml
from glassbox_doctor.kubectl import Kubectl, failure

Labels = dict[str, str]
SELECTOR = re.compile(r'([a-zA-Z_]\w*)(=~|!~|!=|=)"((?:[^"\\]|\\.)*)"')
COUNT = re.compile(r"count(?: by \(([^)]*)\))? ?\((.*)\)$")
VECTOR = re.compile(r"([a-zA-Z_:][\w:]*)?(?:\{(.*)\})?$")
OPERATORS = {"=": lambda have, want: have == want, "!=": lambda have, want: have != want,
             "=~": lambda have, want: re.fullmatch(want, have) is not None,
             "!~": lambda have, want: re.fullmatch(want, have) is None}


def mapping(text: str) -> dict[str, Any]:
    """What kubectl makes of YAML."""
    return yaml.safe_load(text) or {}


def evaluate(expression: str, series: list[Labels]) -> list[dict[str, Any]]:
    """`count by (…) (SELECTOR)` over series that have their name in __name__."""
    counted = COUNT.match(expression)
    assert counted, f"the fake Prometheus does not know {expression}"
    vector = VECTOR.match(counted[2])
    assert vector, f"the fake Prometheus does not know {counted[2]}"
    matchers = SELECTOR.findall(vector[2] or "") + ([("__name__", "=", vector[1])] if vector[1] else [])
    found = [one for one in series
             if all(OPERATORS[operator](one.get(name, ""), value.replace('\\\\', '\\'))
                    for name, operator, value in matchers)]
    by = [name.strip() for name in (counted[1] or "").split(",") if name.strip()]
    groups: dict[tuple[tuple[str, str], ...], int] = {}
    for one in found:
        key = tuple((name, one[name]) for name in by if name in one)
        groups[key] = groups.get(key, 0) + 1
    return [{"metric": dict(key), "value": [0, str(count)]} for key, count in groups.items()]


class Denied(Exception):
    """As the API server says it; `text` is kubectl's stderr."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class FakeKubectl:
    """Answers as kubectl would, from a world (world.py)."""

    def __init__(self, world: dict[str, Any]) -> None:
        self.world = world

    def raw(self, path: str) -> str:
        try:
            return self.answer(path)
        except Denied as denied:
            raise failure(denied.text) from None

    def answer(self, path: str) -> str:
        for pattern, stderr in self.world["refusals"].items():
            if re.search(pattern, path):
                raise Denied(stderr)
        for pattern, text in self.world["raw"].items():
            if re.search(pattern, path):
                return text if isinstance(text, str) else json.dumps(text)
        if "/proxy/" in path:
            return self.proxied(path)
        return json.dumps(self.objects(path))

    def objects(self, path: str) -> dict[str, Any]:
        parts = urlsplit(path)
        found = re.fullmatch(r"(?:/api/v1|/apis/[^/]+/[^/]+)(?:/namespaces/([^/]+))?/([a-z]+)(?:/([^/]+))?", parts.path)
        if found is None and re.fullmatch(r"/api/v1/namespaces/[^/]+", parts.path):
            found = re.fullmatch(r"/api/v1()/(namespaces)/([^/]+)", parts.path)
        if found is None or found[2] not in self.world["objects"]:
            raise Denied("Error from server (NotFound): the server could not find the requested resource")
        things = [one for one in self.world["objects"][found[2]]
                  if not found[1] or one["metadata"].get("namespace") == found[1]]
        if found[3]:
            named = [one for one in things if one["metadata"]["name"] == found[3]]
            if not named:
                raise Denied(f'Error from server (NotFound): {found[2]} "{found[3]}" not found')
            return named[0]
        selector = parse_qs(parts.query).get("labelSelector", [""])[0]
        wanted = dict(pair.split("=") for pair in selector.split(",") if pair)
        return {"items": [one for one in things if wanted.items() <= (one["metadata"].get("labels") or {}).items()]}

    def proxied(self, path: str) -> str:
        found = re.match(r"/api/v1/namespaces/([^/]+)/(services|pods)/(?:https?:)?([^/:]+):([^/]+)/proxy/+(.*)", path)
        assert found, path
        namespace, kind, name, port, rest = found.groups()
        self.objects(f"/api/v1/namespaces/{namespace}/{kind}/{name}")
        if kind == "pods":
            text = self.world["expositions"].get(name)
            if text is None or port not in ("8081", "8888"):
                raise Denied("Error from server (ServiceUnavailable): error trying to reach service: dial tcp: "
                             "connect: connection refused")
            return text
        url = urlsplit("/" + rest)
        if url.path == "/api/v2/receivers":
            return json.dumps([{"name": one} for one in self.world["receivers"]])
        data = self.prometheus(url.path.removeprefix("/api/v1/"), {name: given[0] for name, given
                                                                    in parse_qs(url.query).items()})
        return json.dumps({"status": "success", "data": data})

    def prometheus(self, path: str, parameters: dict[str, str]) -> Any:
        world = self.world["prometheus"]
        if path == "query":
            return {"resultType": "vector", "result": evaluate(unquote(parameters["query"]), world["series"])}
        if path == "targets":
            return {"activeTargets": world["targets"], "droppedTargets": world["dropped"]}
        if path == "rules":
            return {"groups": world["groups"]}
        if path == "alertmanagers":
            return {"activeAlertmanagers": world["alertmanagers"]}
        assert path == "status/config", path
        return {"yaml": world["config"]}

    def logs(self, namespace: str, pod: str, container: str, *options: str) -> str:
        return self.world["logs"].get(pod, "")

    def execute(self, namespace: str, pod: str, container: str, *command: str) -> str:
        key = f"{pod}/{container}"
        if key not in self.world["files"]:
            raise failure(f'Error from server (BadRequest): container {container} is not valid for pod {pod}')
        return self.world["files"][key]

    def read_yaml(self, text: str) -> dict[str, Any]:
        return mapping(text)


class Recorder(Kubectl):
    """Answers from a world, and leaves each answer where bin/kubectl finds it."""

    def __init__(self, world: dict[str, Any], folder: Path) -> None:
        super().__init__()
        self.fake = FakeKubectl(world)
        self.folder = folder

    def run(self, *arguments: str, stdin: Optional[str] = None) -> str:
        path = self.folder / hashlib.md5(" ".join(arguments).encode()).hexdigest()
        try:
            text = self.words(arguments, stdin or "")
        except Denied as denied:
            path.with_suffix(".refused").write_text(denied.text + "\n", encoding="utf-8")
            raise failure(denied.text) from None
        path.write_text(text, encoding="utf-8")
        return text

    def words(self, arguments: tuple[str, ...], stdin: str) -> str:
        if arguments[:2] == ("get", "--raw"):
            return self.fake.answer(arguments[2])
        if arguments[0] == "label":
            return json.dumps(mapping(stdin))
        assert arguments[0] == "exec", arguments
        return self.fake.execute("", arguments[2], arguments[3].removeprefix("--container="))
