"""Rules for a cluster: those of one installation among others.

The idea: a Prometheus in a cluster sees every installation, and all of them are job="glassbox". So each
selector of a rule gets the namespace of its own installation, and whatever the rule makes says it again:
what is recorded, because an aggregation has lost the label and the next rule asks for it; an alert, because
an AlertmanagerConfig takes those of its own namespace alone.
"""

from __future__ import annotations

import re
from typing import Any

# Whoever installs the rules puts its own name in its place: the chart, or sed.
NAMESPACE = "RELEASE_NAMESPACE"
# What a link to a dashboard chooses: an alert's own namespace, if it has one. Of an installation it is known; its
# expressions may have aggregated the label away, and a template sees none of those that a rule adds.
CHOSEN = "{{ with $labels.namespace }}&var-namespace={{ . }}{{ end }}"
OURS = f"&var-namespace={NAMESPACE}"
# How often the rules for demonstrations are judged: a cluster's Prometheus does it each half a minute, which is as long
# as their windows, and would do it so for everybody's rules if it were told otherwise.
FAST_PACE = "5s"
# In PromQL a brace outside of a string opens a selector's matchers, and nothing else.
OPENING = re.compile(r'''("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`)|\{(\s*\})?''')


def selecting(expression: str) -> str:
    """The expression, of this namespace alone. A selector without braces is left as it is: no rule of ours
    may have one, and a test asks a parser."""
    def opened(match: re.Match[str]) -> str:
        if match[1]:
            return match[1]
        return f'{{namespace="{NAMESPACE}"' + ("}" if match[2] else ", ")
    return OPENING.sub(opened, expression)


def linking(rule: dict[str, Any]) -> dict[str, Any]:
    """An alert's texts, with a link to this namespace; a record has none."""
    if "annotations" not in rule:
        return {}
    return {"annotations": {name: text.replace(CHOSEN, OURS) for name, text in rule["annotations"].items()}}


def in_namespace(groups: list[dict[str, Any]], is_fast: bool = False) -> list[dict[str, Any]]:
    """The groups, of this namespace alone."""
    pace = {"interval": FAST_PACE} if is_fast else {}
    return [{"name": group["name"], **pace, "rules": [
        {**rule, **linking(rule), "expr": selecting(rule["expr"]),
         "labels": {**rule.get("labels", {}), "namespace": NAMESPACE}} for rule in group["rules"]]}
        for group in groups]
