"""The links, in the order in which a metric travels. A link is a module with

    ID       as --json names it
    PROMISE  what is not proved when it could not be looked at
    FOLLOWS  the links it rests on: broken, they break it
    CAUSES   functions over the facts: None, or a Finding; the first that finds something is the answer
    BROUGHT  those of them that a break of the links it rests on brings about
    green    what there is to say when none did
"""

from types import ModuleType

from . import (adapter_rule, alert_namespace, collector_span, custom_metrics_api, dashboards_loaded, hpa_reads,
               metrics_api, pods_ready, rules_loaded, scraped, series)

LINKS: tuple[ModuleType, ...] = (pods_ready, scraped, series, rules_loaded, alert_namespace, adapter_rule,
                                 custom_metrics_api, metrics_api, hpa_reads, collector_span, dashboards_loaded)
