"""What `loadtest/run hpa` is made of, without a cluster: what it reads of one, what it reckons, what it writes and
draws."""

import base64
import json
import subprocess
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cramjam
import pytest

from glassbox_hpa.compare import Limits
from glassbox_hpa.model import Moment
from glassbox_hpa.spec import Spec, spec_of
from glassbox_load import settings
from glassbox_load.autoscaling import demo, found, job, loads, series
from glassbox_load.autoscaling.api import Missing
from glassbox_load.autoscaling.loads import Demonstration, Load
from glassbox_load.autoscaling.picture import picture, stairs
from glassbox_load.autoscaling.watch import Look, Watch, metrics_of, ratios
from glassbox_load.k6 import Run
from glassbox_load.refused import Refused

REQUESTS = "http_requests_per_second"
RAW = {"minReplicas": 2, "maxReplicas": 6, "scaleTargetRef": {"kind": "Deployment", "name": "glassbox"},
       "metrics": [{"type": "Pods", "pods": {
                       "metric": {"name": REQUESTS}, "target": {"type": "AverageValue", "averageValue": "50"}}},
                   {"type": "ContainerResource", "containerResource": {
                       "name": "cpu", "container": "glassbox",
                       "target": {"type": "Utilization", "averageUtilization": 70}}}],
       "behavior": {"scaleDown": {"stabilizationWindowSeconds": 30}}}


@pytest.fixture
def spec() -> Spec:
    return spec_of(RAW)


def chosen(*words: str) -> settings.Settings:
    return settings.read("hpa", words, {})


# ---- the load -----------------------------------------------------------------------------------

def test_a_push_by_requests_asks_for_that_many_replicas_more(spec: Spec):
    made = loads.reckon(spec, chosen("MORE=2", "STEADY_RATE=20"), 100)
    push = made.loads[1]
    # 170 of 50 a pod are 3.4 pods: four, and nothing near three or five. 20 of them go on all the time.
    assert (made.goal, push.rate, push.cpu_ms, push.name) == (4, 150, 0, "requests")
    assert made.seconds == 30 + 90 + 30 + 120  # calm, the push, what scaling in waits for, and after


def test_a_push_by_cpu_is_of_few_requests(spec: Spec):
    push = loads.reckon(spec, chosen("BY=cpu", "MORE=2"), 100).loads[1]
    # 70 % of 100 m are 70 ms a second and pod; 3.4 pods' worth, but for the 20 * 0.35 ms that go on, by five a second.
    assert (push.rate, push.cpu_ms, push.name) == (5, 46, "cpu")


def test_both_together_ask_for_no_more_than_each(spec: Spec):
    steady, requests, cpu = loads.reckon(spec, chosen("BY=both", "MORE=2"), 100).loads
    assert (requests.rate, cpu.cpu_ms) == (150, 36)  # 238 ms a second, less 170 * 0.35 ms, by five
    assert cpu.rate * cpu.cpu_ms + (steady.rate + requests.rate) * 0.35 < 4 * 70


def test_both_at_once_and_what_was_asked_for(spec: Spec):
    made = loads.reckon(spec, chosen("BY=both", "PUSH_RATE=99", "PUSH_CPU_MS=7"), 100)
    assert [(one.name, one.rate, one.cpu_ms) for one in made.loads] == [
        ("steady", 20, 0), ("requests", 99, 0), ("cpu", 5, 7)]


@pytest.mark.parametrize("words, told", [
    (("MORE=5",), "MORE=5: the autoscaler has 2 to 6 replicas"),
    (("STEADY_RATE=500",), "STEADY_RATE=500: that alone is what 4 replicas are for"),
])
def test_what_cannot_be_is_refused(spec: Spec, words: tuple[str, ...], told: str):
    with pytest.raises(Refused, match=told):
        loads.reckon(spec, chosen(*words), 100)


def test_an_autoscaler_that_does_not_scale_on_it():
    with pytest.raises(Refused, match="BY=requests: the autoscaler does not scale on that"):
        loads.reckon(spec_of({**RAW, "metrics": RAW["metrics"][1:]}), chosen(), 100)


# ---- the cluster --------------------------------------------------------------------------------

class Objects:
    """An API server's answers, by path."""

    def __init__(self, **changed: Any) -> None:
        container = {"name": "glassbox", "resources": {"requests": {"cpu": "100m"}}}
        names = ("glassbox-1", "glassbox-2")
        self.objects = {
            found.path("hpa", "demo", "glassbox"): {"spec": RAW},
            found.path("deployment", "demo", "glassbox"): {"spec": {"template": {"spec": {"containers": [
                {"name": "sidecar"}, container]}}}},
            found.path("deployment", "kube-system", "metrics-server"): {"spec": {"template": {"spec": {"containers": [
                {"args": ["--secure-port=10250", "--metric-resolution=10s"]}]}}}},
            found.path("config", "mon", "prometheus-adapter"): {"data": {"config.yaml":
                "rules:\n- {metricsQuery: 'sum(rate(x[5m]))', name: {as: x}}\n"
                "- metricsQuery: sum(rate(y[20s]))\n  name: {as: " + REQUESTS + "}\n"}},
            found.path("monitor", "demo", "glassbox"): {"spec": {"endpoints": [{"interval": "5s"}]}},
            found.path("usage", "demo"): {"items": [{"metadata": {"name": name}, "containers": [
                {"name": "glassbox", "usage": {"cpu": usage}}, {"name": "sidecar", "usage": {"cpu": "500m"}}]}
                for name, usage in (*zip(names, ("10m", "14000000n")), ("other", "900m"))]},
            "pods": {"items": [{"metadata": {"name": name}} for name in names]}, **changed}

    def get(self, path: str) -> Any:
        made = self.objects.get("pods" if "labelSelector" in path else path)
        if made is None:
            raise Missing(f"{path}: 404")
        return made


def test_all_that_the_prediction_needs_is_read():
    there = found.look(Objects(), "demo", "glassbox", "mon", 5)
    world = there.world
    assert (world.scrape_seconds, world.rate_window_seconds, world.metrics_seconds) == (5, 20, 10)
    assert (world.request_millicores, world.base_millicores, there.request_millicores) == (100, 12, 100)
    assert (there.spec.least, there.spec.most) == (2, 6)


def test_somebody_else_s_metrics_server_has_the_usual_resolution():
    objects = Objects(**{found.path("deployment", "kube-system", "metrics-server"): None})
    assert found.look(objects, "demo", "glassbox", "mon", 5).world.metrics_seconds == 60


@pytest.mark.parametrize("kind, name, told", [
    (("hpa", "demo"), "glassbox", "no HorizontalPodAutoscaler glassbox in demo .*autoscaling.enabled"),
    (("config", "mon"), "prometheus-adapter", r"no prometheus-adapter in mon \(MONITORING\)"),
])
def test_what_is_not_there_is_told(kind: tuple[str, str], name: str, told: str):
    with pytest.raises(Refused, match=told):
        found.look(Objects(**{found.path(*kind, name): None}), "demo", "glassbox", "mon", 5)


def test_a_container_that_asks_for_no_cpu_is_told():
    bare = {found.path("deployment", "demo", "glassbox"): {"spec": {"template": {"spec": {"containers": [
        {"name": "glassbox"}]}}}}}
    with pytest.raises(Refused, match="container glassbox asks for no CPU"):
        found.look(Objects(**bare), "demo", "glassbox", "mon", 5)


def test_an_adapter_without_our_rule_is_told():
    config = {found.path("config", "mon", "prometheus-adapter"): {"data": {"config.yaml": "rules: []"}}}
    with pytest.raises(Refused, match=f"no rule with a window for {REQUESTS}"):
        found.look(Objects(**config), "demo", "glassbox", "mon", 5)


def test_quantities():
    assert [found.quantity(text) for text in ("100m", "2", "12500000n", "1.5k")] == [0.1, 2, 0.0125, 1500]


# ---- rest ---------------------------------------------------------------------------------------

class Clock:
    """Seconds that pass when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def rested(monkeypatch, spec: Spec, look: Any) -> float:
    """How long it waits, for an autoscaler that looks so at each second."""
    clock = Clock()
    monkeypatch.setattr(demo, "time", clock)
    demo.wait_for_rest(lambda: look(clock.now), spec)
    return clock.now


def idle(cpu: float, requests: float = 1.0, current: int = 2) -> Look:
    return Look(0.0, {REQUESTS: requests, "cpu": cpu}, current, current, current, "")


def test_it_begins_when_nothing_has_fallen_for_three_looks(monkeypatch, spec: Spec):
    assert rested(monkeypatch, spec, lambda now: idle(10)) == 45
    # 35 % falls to 7 % by 1 % a second: after 28 s it rests, and 45 s later it is believed.
    assert rested(monkeypatch, spec, lambda now: idle(max(7, 35 - now))) == 28 + 45


def test_more_replicas_are_waited_for(monkeypatch, spec: Spec):
    assert rested(monkeypatch, spec, lambda now: idle(10, current=4 if now < 100 else 2)) == pytest.approx(145, abs=1)


def test_what_never_rests_is_told(monkeypatch, spec: Spec):
    with pytest.raises(Refused, match=r"not at rest after 600 s: it has 4 of 2 replicas, 4 ready"):
        rested(monkeypatch, spec, lambda now: idle(10, current=4))
    with pytest.raises(Refused, match="not at rest"):
        rested(monkeypatch, spec, lambda now: Look(0.0, {REQUESTS: None, "cpu": 5.0}, 2, 2, 2, "FailedGetPodsMetric"))


def test_somebody_else_s_load_is_told(monkeypatch, spec: Spec):
    with pytest.raises(Refused, match=f"somebody else is calling, .*: {REQUESTS} is 0.40 of its target"):
        rested(monkeypatch, spec, lambda now: idle(10, requests=20.0))


# ---- k6 in the cluster --------------------------------------------------------------------------

DEMONSTRATION = Demonstration((Load("steady", 0, 10, 1, 0),), 2, 10)


@pytest.fixture
def made(k6: str) -> job.Job:
    return job.Job(None, chosen("NAMESPACE=demo"), k6, "mine-1", DEMONSTRATION)


def test_the_job_runs_restricted_and_once(made: job.Job):
    config, run = made.objects()
    spec = run["spec"]["template"]["spec"]
    assert run["spec"]["backoffLimit"] == 0 and run["spec"]["activeDeadlineSeconds"] == 130
    assert spec["securityContext"]["runAsNonRoot"] and not spec["automountServiceAccountToken"]
    assert spec["containers"][0]["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert config["metadata"] == run["metadata"] and list(config["binaryData"]) == ["archive.tar"]


def test_the_job_is_told_where_what_and_whose(made: job.Job):
    told = made.told()
    assert told["TARGET"] == "http://glassbox.demo.svc" and told["RESULTS"] == "-" and told["TESTID"] == "mine-1"
    assert json.loads(told["LOADS"]) == [DEMONSTRATION.loads[0].as_json()]
    assert told["K6_PROMETHEUS_RW_SERVER_URL"] == (
        "http://kube-prometheus-stack-prometheus.monitoring.svc:9090/api/v1/write")


def test_what_runs_there_is_what_was_reckoned(k6: str, tmp_path: Path):
    """The options of an archive are those of the moment in which it was made."""
    loads_ = (Load("steady", 0, 60, 20, 0), Load("cpu", 30, 20, 5, 48))
    config, _ = job.Job(None, chosen("NAMESPACE=demo", "TIMEOUT=9s"), k6, "mine-1",
                        Demonstration(loads_, 4, 60)).objects()
    archive = tmp_path / "archive.tar"
    archive.write_bytes(base64.b64decode(config["binaryData"]["archive.tar"]))
    made = json.loads(subprocess.run([k6, "inspect", archive], capture_output=True, text=True, timeout=60,
                                     check=True).stdout)
    assert {name: (one["startTime"], one["duration"], one["rate"], one["gracefulStop"])
            for name, one in made["scenarios"].items()} == {
        "steady": ("0s", "1m0s", 1200, "10s"), "cpu": ("30s", "20s", 300, "10s")}
    assert made["tags"] == {"testid": "mine-1"} and made["userAgent"].endswith(" testid/mine-1")


@pytest.mark.parametrize("testid, name", [("___", "loadtest"), ("mine", "loadtest-mine"), ("A_b.c", "loadtest-a-b-c"),
                                          ("-" * 3 + "x", "loadtest-x"), ("a" * 64, "loadtest-" + "a" * 41)])
def test_its_name_is_one_that_kubernetes_takes(k6: str, testid: str, name: str):
    made = job.Job(None, chosen(), k6, testid, DEMONSTRATION)
    assert made.name == f"{name}-{made.run[:6]}" and len(made.name) <= 63
    assert job.Job(None, chosen(), k6, testid, DEMONSTRATION).name != made.name


# ---- what comes of it ---------------------------------------------------------------------------

def results(spec: Spec, tmp_path: Path, current: list[int], log: job.Log) -> demo.Results:
    """Two replicas foretold throughout, and what there was."""
    there = found.Found(spec, RAW, found.World(5, 20, 10), 100)
    made = demo.Results(Run("mine", "0" * 16, tmp_path), there, DEMONSTRATION, [moment(t, 2) for t in range(200)])
    made.judge([Look(float(t), {REQUESTS: 1.0, "cpu": 1.0}, count, count, count, "")
                for t, count in enumerate(current)], log, Limits(seconds=60, out_seconds=30))
    return made


def summary(failed: int = 0, holds: bool = True) -> dict[str, Any]:
    return {"metrics": {"http_reqs": {"values": {"count": 500}}, "http_req_failed": {
        "values": {"passes": failed}, "thresholds": {"rate==0": {"ok": holds}}}}}


OUTCOMES = [
    ("as foretold", [2] * 200, summary(), 0, "HELD: each step came when it was foretold, and no request failed"),
    ("a step that nobody foretold", [2] * 50 + [4] * 150, summary(), 1,
     "OFF: 2 → 4: happened at 50 s, and nobody had foretold it"),
    ("one request failed", [2] * 200, summary(1, False), 99, "MISSED: k6: http_req_failed: rate==0 (passes 1)"),
    ("k6 left nothing", [2] * 200, None, 1, "k6 has left no summary: nothing can be said of its requests"),
]


@pytest.mark.parametrize("current, left, status, told", [row[1:] for row in OUTCOMES], ids=[row[0] for row in OUTCOMES])
def test_outcomes(spec: Spec, tmp_path: Path, current: list[int], left: dict | None, status: int, told: str):
    made = results(spec, tmp_path, current, job.Log(0.0, left))
    assert made.exit_status == status and told in made.text()
    assert ("HELD" in made.text()) == (status == 0)
    made.write()
    recording = json.loads((tmp_path / "recording.json").read_text())
    assert len(recording["samples"]) == 200 and recording["predicted"][0]["current"] == 2 and recording["hpa"] == RAW
    assert (tmp_path / "summary.json").exists() == (left is not None)


def test_its_log_has_the_first_request_and_the_summary():
    note = {"note": "slow", "route": "/", "ms": 500.0, "status": 200, "trace": "a", "error": "", "at": 10000}
    text = f"hello\n{json.dumps(note)}\n{json.dumps({**note, 'at': 20000})}\n"
    assert job.read(text) == job.Log(9.5, None)
    assert job.read(text + 'summary {"metrics": {}}\n').summary == {"metrics": {}}
    assert job.read("") == job.Log(None, None)
    assert job.read('{"note": "sl\nsummary {"metr') == job.Log(None, None)  # being written


class Pods:
    """An API server with k6's pod, or none any more."""

    def __init__(self, phase: str, text: str) -> None:
        self.phase, self.text, self.asked = phase, text, ""

    def get(self, path: str) -> dict:
        return {"items": [{"metadata": {"name": "p"}, "status": {"phase": self.phase}}] if self.phase else []}

    def call(self, path: str) -> bytes:
        self.asked = path
        return self.text.encode()


def test_the_first_request_is_not_forgotten_when_the_log_is_long_or_the_pod_gone(k6: str):
    api = Pods("Running", "a line of later\n")
    made = job.Job(api, chosen(), k6, "mine", DEMONSTRATION)
    assert made.log(job.Log(9.5, None)) == job.Log(9.5, None) and api.asked.endswith("/log?tailLines=50")
    api.phase = ""
    assert made.log(job.Log(9.5, None)) == job.Log(9.5, None)


def test_a_k6_that_fails_is_told(k6: str):
    made = job.Job(Pods("Failed", "it says why"), chosen(), k6, "mine", DEMONSTRATION)
    with pytest.raises(job.Failed, match="k6 has failed in the cluster: it says why"):
        made.log(job.Log(9.5, None))


# ---- what is seen -------------------------------------------------------------------------------

STATUS = {"currentReplicas": 2, "desiredReplicas": 4, "currentMetrics": [
    {"type": "Pods", "pods": {"metric": {"name": REQUESTS}, "current": {"averageValue": "75500m"}}},
    {"type": "ContainerResource", "containerResource": {"name": "cpu", "current": {"averageUtilization": 35}}},
    {"type": "", "pods": None}]}


def moment(t: float, current: int, value: float | None = 50.0) -> Moment:
    return Moment(t, {REQUESTS: value, "cpu": 35.0}, current, current, current, "", current, current)


def test_metrics_and_how_far_they_are_from_their_targets(spec: Spec):
    assert metrics_of(STATUS) == {REQUESTS: 75.5, "cpu": 35}
    assert ratios(spec, {REQUESTS: 75.5, "cpu": 35.0}) == {REQUESTS: 1.51, "cpu": 0.5}
    assert ratios(spec, {REQUESTS: None, "cpu": 70.0}) == {"cpu": 1.0}


def test_the_live_line_and_the_series_of_a_moment(spec: Spec):
    seen = Look(107.5, {REQUESTS: 75.0, "cpu": None}, 2, 4, 3, "ValidMetricFound")
    written: list[tuple[dict, float]] = []

    class Kept:
        def write(self, values: dict, at: float) -> None:
            written.append((values, at))
    watch = Watch(lambda: seen, spec, Kept(), [moment(at, 2 + at // 5) for at in range(10)], print, lambda: 100.0)
    told = watch.foretold(seen.t)
    assert watch.line(seen, told) == f"  7 s  of target: {REQUESTS} 1.50  wanted 4  had 2  ready 3  predicted 3"
    watch._write(seen, told)
    ((values, at),) = written
    assert at == 107.5 and values["k6_hpa_predicted_replicas", ()] == 3 and values["k6_hpa_wanted_replicas", ()] == 4
    assert values["k6_hpa_metric_ratio", (("metric_name", REQUESTS),)] == 1.5
    assert ("k6_hpa_metric_ratio", (("metric_name", "cpu"),)) not in values
    assert watch.foretold(99.0) is None and watch.foretold(110.0) is None


def test_before_the_load_nothing_is_foretold(spec: Spec):
    watch = Watch(lambda: None, spec, None, [moment(0, 2)], print, lambda: None)
    assert watch.foretold(1.0) is None


# ---- series and picture -------------------------------------------------------------------------

def test_series_are_what_the_specification_says():
    """Decoded by the messages again, from snappy's block format; labels in order."""
    sent: list[bytes] = []

    class Kept:
        def call(self, path: str, body: bytes, headers: dict) -> None:
            assert path == "/api/v1/namespaces/mon/services/prom:http-web/proxy/api/v1/write"
            assert headers["Content-Encoding"] == "snappy"
            sent.append(body)
    series.Series(Kept(), "mon", "prom", {"testid": "t"}).write({("k6_hpa_x", (("metric_name", "cpu"),)): 1.5}, 12.3456)
    request = series.TYPES["WriteRequest"].FromString(bytes(cramjam.snappy.decompress_raw(sent[0])))
    (row,) = request.timeseries
    assert [(label.name, label.value) for label in row.labels] == [
        ("__name__", "k6_hpa_x"), ("metric_name", "cpu"), ("testid", "t")]
    assert [(one.value, one.timestamp) for one in row.samples] == [(1.5, 12346)]


def test_the_picture_has_a_panel_a_metric_and_one_of_replicas(spec: Spec, tmp_path: Path):
    looks = [Look(float(t), {REQUESTS: 10.0 * t, "cpu": None if t < 3 else 20.0}, 2 + t // 6, 2, 2, "")
             for t in range(12)]
    drawn = ElementTree.fromstring(picture(spec, [moment(t, 2) for t in range(10)], looks, "a <b>"))
    words = "".join(drawn.itertext())
    assert "requests a second and pod" in words and "CPU, of what a pod asks for" in words and "replicas" in words
    assert "a <b>" in words and len(drawn.findall("{*}polyline")) == 3 + 3 + 2


def test_replicas_go_at_once_from_one_to_the_other():
    assert stairs([(0, 2), (5, 4)]) == [(0, 2), (0, 2), (5, 2), (5, 4)]
