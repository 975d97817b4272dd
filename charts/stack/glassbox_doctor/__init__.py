"""The doctor: follows a metric from the pod to who reads it, and names the first link that is broken.

    pods-ready → scraped → series → rules-loaded → alert-namespace
                              └──→ adapter-rule → custom-metrics-api ┐
                   metrics-api ──────────────────────────────────────┴→ hpa-reads
    pods-ready → collector-span                                dashboards-loaded

A link is a module in links/: what it promises, which links it rests on, and its causes in the order in which they
hide one another. A cause is a function over facts, which are documents that the API server gave: it returns None,
or what was found and the line to change. So each of them is tested without a cluster (tests/charts/doctor), and a new
cause is a function, its place in CAUSES, and a case there.

Every break has a case in tests/charts/doctor. Practised on a node besides, each named in its first looks: the
ServiceMonitor's label, port, path, deletion; an alert without its namespace; the adapter's routes, probes counted,
the adapter at 0; an APIService that leads to nobody; metrics-server at 0; an HPA for another metric, and for another
target; the collector at 0, another name, gRPC's port; an image that there is not, a wrong option, the Deployment at 0.
tests/e2e has breaks as tests. charts/stack/doctor.md has what was printed.
"""
