"""collector-span: a span of our pods has arrived in the collector, and lies where it puts them."""

import time
from functools import lru_cache, partial
from typing import Callable, Optional

from ..cluster import name_of, namespace_of
from ..collector import Collector
from ..exposition import Scrape
from ..facts import Facts
from ..finding import Finding, broken, peers, skipped, some, values
from ..kubectl import Failed, Forbidden
from . import workload
from .pods_ready import admin_port

ID = "collector-span"
PROMISE = "that spans reach the collector"
FOLLOWS = ("pods-ready",)

OLD = 120.0  # seconds: each pod is probed every few, and each probe is a span
EXPORTED = "otel_sdk_exporter_span_exported"
now: Callable[[], float] = time.time


@lru_cache(maxsize=1)
def collector(facts: Facts) -> Collector:
    """One for a round of looks."""
    return Collector(facts)


line = partial(values, of="opentelemetry-collector")


def not_asked(facts: Facts) -> Optional[Finding]:
    if facts.deployment is None:
        return broken("there is no Deployment, so nobody sends spans", "first mend pods-ready")
    if collector(facts).endpoint and facts.environment("OTEL_TRACES_EXPORTER") != "none" and \
            facts.environment("OTEL_SDK_DISABLED").lower() != "true":
        return None
    return broken("the service is told to send no spans: otlp.endpoint is empty",
                  values("otlp.endpoint", collector(facts).right))


def none_sampled(facts: Facts) -> Optional[Finding]:
    name, share = facts.environment("OTEL_TRACES_SAMPLER"), facts.environment("OTEL_TRACES_SAMPLER_ARG")
    if not name.endswith("always_off") and not (name.endswith("ratio") and share and float(share) == 0):
        return None
    return broken(f"no trace is sampled: {name} {share}".rstrip(),
                  values("otlp.sampler.name", "parentbased_always_on"))


def no_service(facts: Facts) -> Optional[Finding]:
    found = collector(facts)
    if found.place is None or found.service is not None:
        return None
    name, namespace = found.place
    lines = [values("otlp.endpoint", found.right)]
    if found.other is None:
        lines = ["charts/stack/install --only opentelemetry-collector"] + lines
    return broken(f"{found.endpoint} is nobody: there is no Service {name} in namespace {namespace}", *lines)


def wrong_port(facts: Facts) -> Optional[Finding]:
    found = collector(facts)
    if found.service is None:
        return None
    ports = {port["port"]: port.get("name", "") for port in found.service["spec"]["ports"]}
    if found.port not in ports:
        return broken(f"{found.endpoint}: Service {name_of(found.service)} has no port {found.port}, it has "
                      f"{some([str(port) for port in ports])}", values("otlp.endpoint", found.right))
    if found.port == 4317 or "grpc" in ports[found.port]:
        return broken(f"{found.endpoint} is the port for gRPC; the service speaks OTLP over HTTP",
                      values("otlp.endpoint", found.right))
    return None


def not_running(facts: Facts) -> Optional[Finding]:
    service = collector(facts).service
    if service is None or facts.ready_endpoints(service):
        return None
    deployment = facts.behind(service)
    if deployment is None:
        return broken(f"Service {name_of(service)} has no ready endpoints, and no Deployment stands behind it",
                      "charts/stack/install --only opentelemetry-collector")
    return workload.unavailable(facts, deployment) or broken(
        f"Service {name_of(service)} has no ready endpoints yet", "wait: doctor --wait 30")


@lru_cache(maxsize=1)
def own(facts: Facts) -> list[Scrape]:
    """What each of our pods counts of its exports, of those that answer: that one does not is another link's affair."""
    found = []
    for pod in facts.ready_pods:
        try:
            found.append(Scrape(facts.cluster, pod, admin_port(facts)))
        except (Failed, Forbidden):
            continue
    return found


def network(facts: Facts) -> list[str]:
    """Nobody answers, though somebody is there."""
    place = collector(facts).place
    return [values("networkPolicy.collectorTo", peers(place[1]) if place else "[{ipBlock: {cidr: ADDRESS/32}}]"),
            f"kubectl -n {facts.namespace} logs deployment/{facts.fullname} --tail=20"]


def who_asks(facts: Facts) -> list[str]:
    return [values("otlp.headersSecret", "a Secret whose key headers has what the collector asks for")]


def not_otlp(facts: Facts) -> list[str]:
    return [values("otlp.endpoint", collector(facts).right)]


def overloaded(facts: Facts) -> list[str]:
    return [line("resources.limits.memory", "more"), values("otlp.sampler.name", "parentbased_traceidratio"),
            values("otlp.sampler.ratio", '"0.1"')]


# By error_type of what was not exported (docs/metrics.md); a status stands there as itself.
REASONS = {"connection": network, "timeout": network, "401": who_asks, "403": who_asks,
           "400": not_otlp, "404": not_otlp, "405": not_otlp, "bad_response": not_otlp,
           "429": overloaded, "503": overloaded, "status": overloaded, "rejected": overloaded, "too_large": overloaded}


def helps(facts: Facts, failed: dict[str, float]) -> list[str]:
    """What to change, by the most frequent reason; nobody answers where none is counted."""
    reason = max(failed, key=lambda name: failed[name]) if failed else "connection"
    return REASONS.get(reason, network)(facts)


def not_sent(facts: Facts) -> Optional[Finding]:
    """Pods that have not had one span acknowledged, and know why."""
    for scrape in own(facts):
        failed, retries = scrape.by(EXPORTED, "error_type"), scrape.total("glassbox_span_export_retries")
        if scrape.total(EXPORTED, error_type="") or not (failed or retries):
            continue
        said = ", ".join(f"{count:.0f} {name}" for name, count in failed.items()) or "none given up yet"
        return broken(f"a pod has had no span acknowledged by {collector(facts).endpoint}: {retries:.0f} tries again, "
                      f"failed: {said}", *helps(facts, failed))
    return None


def refused(facts: Facts) -> Optional[Finding]:
    """Its memory limiter, mostly."""
    counts = collector(facts).counts
    if counts is None or counts.total("otelcol_receiver_accepted_spans") or not counts.total(
            "otelcol_receiver_refused_spans"):
        return None
    return broken(f"the collector has refused all {counts.total('otelcol_receiver_refused_spans'):.0f} spans that it "
                  "was sent: its memory limiter", line("resources.limits.memory", "more"))


def not_passed_on(facts: Facts) -> Optional[Finding]:
    """Taken, and then lost on the way to where it puts them."""
    counts = collector(facts).counts
    if counts is None or counts.total("otelcol_exporter_sent_spans"):
        return None
    failed = counts.total("otelcol_exporter_send_failed_spans") + counts.total("otelcol_exporter_enqueue_failed_spans")
    if not failed:
        return None
    return broken(f"the collector has passed none on, {failed:.0f} were lost at its exporter",
                  line("tempo.endpoint", "where Tempo is, or empty for a file"),
                  f"kubectl -n {namespace_of(collector(facts).service)} logs {collector(facts).pod} --tail=20")


def outside(facts: Facts) -> Optional[Finding]:
    if collector(facts).service is not None:
        return None
    acknowledged = sum(scrape.total(EXPORTED, error_type="") for scrape in own(facts))
    return skipped(f"{collector(facts).endpoint} is no Service of the cluster and has acknowledged {acknowledged:.0f} "
                   "spans; that they lie where they should stays unproved")


def no_span(facts: Facts) -> Optional[Finding]:
    found = collector(facts)
    if not found.has_reader:
        return None
    try:
        ours = found.ours
    except Failed as error:
        return broken(f"the collector's file cannot be read: {error}",
                      f"kubectl -n {namespace_of(found.service)} exec {found.pod} -c reader -- ls -l /traces")
    if not ours:
        return broken("the collector's file has no span of our pods", "wait: doctor --wait 30",
                      f"kubectl -n {facts.namespace} logs deployment/{facts.fullname} --tail=20")
    age = now() - max(span.end for span in ours)
    if age <= OLD or "ratio" in facts.environment("OTEL_TRACES_SAMPLER"):
        return None
    failed = {name: count for scrape in own(facts) for name, count in scrape.by(EXPORTED, "error_type").items()}
    return broken(f"the last span of our pods is {age:.0f} s old, by this machine's clock: nothing arrives any more"
                  + (f" ({', '.join(failed)})" if failed else ""), *helps(facts, failed))


CAUSES = (not_asked, none_sampled, no_service, wrong_port, not_running, not_sent, refused, not_passed_on, outside,
          no_span)
BROUGHT = (not_asked, not_sent, no_span)


def green(facts: Facts) -> str:
    found = collector(facts)
    counts = found.counts
    said = (f"accepted {counts.total('otelcol_receiver_accepted_spans'):.0f}, refused "
            f"{counts.total('otelcol_receiver_refused_spans'):.0f}" if counts else "it does not serve its counters")
    if not found.has_reader:
        return f"the collector passes spans on: {said}; that they can be found there stays unproved"
    last = max(found.ours, key=lambda span: span.end)
    return f"a span of {last.pod}, {max(0.0, now() - last.end):.0f} s ago; the collector {said}"
