"""The doctor: follows a metric from the pod to who reads it, and names the first link that is broken.

    pods-ready → scraped → series → rules-loaded → alert-namespace
                              └──→ adapter-rule → custom-metrics-api ┐
                   metrics-api ──────────────────────────────────────┴→ hpa-reads
    pods-ready → collector-span                                dashboards-loaded

A link is a module in links/: what it promises, which links it rests on, and its causes in the order in which they
hide one another. A cause is a function over facts, which are documents that the API server gave: it returns None,
or what was found and the line to change. So each of them is tested without a cluster (tests/charts/doctor), and a new
cause is a function, its place in CAUSES, and a case there.

Breaks that tests/charts/doctor has a case for, and that can be practised on a cluster, are in docs of the stack
(charts/stack/doctor.md).
"""
