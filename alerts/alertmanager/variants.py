"""Writes what is made of alertmanager.yaml and templates/.

    python alerts/alertmanager/variants.py            writes them
    python alerts/alertmanager/variants.py --check    says which are stale, exit 1

    alertmanager.local.yaml         for one machine: every receiver is the webhook of `alerts/webhook` on
                                    loopback, its token in a file beside the configuration
    alertmanager.local.fast.yaml    the same with short timings, and nothing else changed
    values.kubernetes.yaml          values for kube-prometheus-stack: configuration, templates and secrets
    values.demo.yaml                the same for a demonstration: every receiver is the webhook's pod, in a hurry

Routes, grouping, inhibition and messages are the source's own in all of them.
"""

import sys
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "alertmanager.yaml"
WEBHOOK = "http://127.0.0.1:9099"
TOKEN_FILE = "webhook-token"
# In a cluster: the Service beside Alertmanager, and where the operator mounts the secret `glassbox`.
POD_WEBHOOK = "http://webhook:9099"
POD_TOKEN_FILE = "/etc/alertmanager/secrets/glassbox/webhook-token"
FAST = {"group_wait": "1s", "group_interval": "5s", "repeat_interval": "1m"}
FAST_BEAT = {"group_wait": "0s", "group_interval": "5s", "repeat_interval": "9s"}

# kube-prometheus-stack's own, which a list of ours would replace: its InfoInhibitor is no news, and
# its severities silence each other. It fires beside each `info` of a namespace without a `warning` or
# `critical`, which ours, with `ticket` and `page`, never has: that a drill is under way would never be told.
CHART_INHIBITS = [
    {"source_matchers": ['severity="critical"'], "target_matchers": ['severity=~"warning|info"'],
     "equal": ["namespace", "alertname"]},
    {"source_matchers": ['severity="warning"'], "target_matchers": ['severity="info"'],
     "equal": ["namespace", "alertname"]},
    {"source_matchers": ['alertname="InfoInhibitor"'], "target_matchers": ['severity="info"', 'service!="glassbox"'],
     "equal": ["namespace"]},
    {"target_matchers": ['alertname="InfoInhibitor"']}]

HEADER = """# Written by variants.py from alertmanager.yaml, which says why: do not edit.
# {what}
"""


def receiver(shipped: dict, webhook: str, token_file: str) -> dict:
    """The webhook in place of whatever a receiver has."""
    beat = shipped["name"] == "heartbeat"
    return {"name": shipped["name"], "webhook_configs": [{
        "url": webhook + ("/heartbeat" if beat else "/alerts"),
        "send_resolved": not beat,
        "max_alerts": 200,
        "http_config": {"authorization": {"credentials_file": token_file}}}]}


def local(shipped: dict, webhook: str = WEBHOOK, token_file: str = TOKEN_FILE) -> dict:
    """The source with the webhook as every receiver; no settings of mail and Slack."""
    return {key: value for key, value in shipped.items() if key != "global"} | {
        "receivers": [receiver(each, webhook, token_file) for each in shipped["receivers"]]}


def hurry(route: dict) -> dict:
    """A route and those below it, with the fast timings where it has timings of its own."""
    timings = FAST_BEAT if route.get("receiver") == "heartbeat" else FAST
    result = {key: timings.get(key, value) for key, value in route.items()}
    if "routes" in route:
        result["routes"] = [hurry(each) for each in route["routes"]]
    return result


def kubernetes(shipped: dict) -> dict:
    """Values for kube-prometheus-stack. Its operator mounts a secret named glassbox where the source
    has its files, and templates where the chart has them."""
    return {"alertmanager": {
        "alertmanagerSpec": {"secrets": ["glassbox"]},
        "config": shipped | {"templates": ["/etc/alertmanager/config/*.tmpl"],
                             "inhibit_rules": shipped["inhibit_rules"] + CHART_INHIBITS},
        "templateFiles": {path.name: path.read_text() for path in
                          sorted((HERE / "templates").glob("*.tmpl"))}}}


def variants() -> dict[Path, str]:
    """The text of each file."""
    shipped = yaml.safe_load(SOURCE.read_text())
    here = local(shipped)
    fast = here | {"route": hurry(here["route"])}
    demo = local(shipped, POD_WEBHOOK, POD_TOKEN_FILE) | {"route": fast["route"]}
    return {HERE / "alertmanager.local.yaml": written(here, "The local stack, with the real timings."),
            HERE / "alertmanager.local.fast.yaml": written(fast, "The local stack, in a hurry."),
            HERE / "values.kubernetes.yaml": written(
                kubernetes(shipped), "Values for kube-prometheus-stack; README.md says how."),
            HERE / "values.demo.yaml": written(
                kubernetes(demo), "Values for kube-prometheus-stack where the webhook is a pod beside it.")}


class Dumper(yaml.SafeDumper):
    """YAML for people: no aliases, and texts of several lines as such."""

    def ignore_aliases(self, data: object) -> bool:
        return True


Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar(
    "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None))


def written(document: dict, what: str) -> str:
    """The text of a file, in the source's order."""
    text = yaml.dump(document, Dumper=Dumper, sort_keys=False, width=110, allow_unicode=True)
    return HEADER.format(what=what) + text


def main(arguments: list[str]) -> int:
    """Writes or compares."""
    files = variants()
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    for path in stale:
        if "--check" in arguments:
            print(f"{path.name} is stale: python alerts/alertmanager/variants.py", file=sys.stderr)
        else:
            path.write_text(files[path])
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
