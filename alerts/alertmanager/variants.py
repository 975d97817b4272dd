"""Writes alertmanager.local.yaml and alertmanager.local.fast.yaml from alertmanager.yaml.

    python alerts/alertmanager/variants.py            writes them
    python alerts/alertmanager/variants.py --check    says which are stale, exit 1

Both are for one machine: every receiver is the webhook of `alerts/webhook` on loopback, with its
token in a file beside them. Routes, grouping, inhibition and templates are the source's own; `fast`
changes the timings, too, and nothing else.
"""

import sys
from pathlib import Path

import yaml

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "alertmanager.yaml"
WEBHOOK = "http://127.0.0.1:9099"
TOKEN_FILE = "webhook-token"
FAST = {"group_wait": "1s", "group_interval": "5s", "repeat_interval": "1m"}
FAST_BEAT = {"group_wait": "0s", "group_interval": "5s", "repeat_interval": "9s"}
HEADER = """# Written by variants.py from alertmanager.yaml, which says why: do not edit.
# {what}
"""


def receiver(shipped: dict) -> dict:
    """The webhook in place of whatever a receiver has."""
    beat = shipped["name"] == "heartbeat"
    return {"name": shipped["name"], "webhook_configs": [{
        "url": WEBHOOK + ("/heartbeat" if beat else "/alerts"),
        "send_resolved": not beat,
        "max_alerts": 200,
        "http_config": {"authorization": {"credentials_file": TOKEN_FILE}}}]}


def local(shipped: dict) -> dict:
    """The source with its receivers on this machine; no settings of mail and Slack."""
    return {key: value for key, value in shipped.items() if key != "global"} | {
        "receivers": [receiver(each) for each in shipped["receivers"]]}


def hurry(route: dict) -> dict:
    """A route and those below it, with the fast timings where it has timings of its own."""
    timings = FAST_BEAT if route.get("receiver") == "heartbeat" else FAST
    result = {key: timings.get(key, value) for key, value in route.items()}
    if "routes" in route:
        result["routes"] = [hurry(each) for each in route["routes"]]
    return result


def variants() -> dict[Path, str]:
    """The text of each file."""
    shipped = yaml.safe_load(SOURCE.read_text())
    here = local(shipped)
    fast = here | {"route": hurry(here["route"])}
    return {HERE / "alertmanager.local.yaml": written(here, "The local stack, with the real timings."),
            HERE / "alertmanager.local.fast.yaml": written(fast, "The local stack, in a hurry.")}


def written(document: dict, what: str) -> str:
    """YAML without aliases, in the source's order."""
    dumper = type("Dumper", (yaml.SafeDumper,), {"ignore_aliases": lambda *_: True})
    text = yaml.dump(document, Dumper=dumper, sort_keys=False, width=110)
    return HEADER.format(what=what) + text


def main(arguments: list[str]) -> int:
    """Writes or compares."""
    stale = [path for path, text in variants().items()
             if not path.exists() or path.read_text() != text]
    for path in stale:
        if "--check" in arguments:
            print(f"{path.name} is stale: python alerts/alertmanager/variants.py", file=sys.stderr)
        else:
            path.write_text(variants()[path])
    return 1 if stale and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
