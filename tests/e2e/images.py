#!/usr/bin/env python3
"""Values of the chart for a cluster of somebody's, on stdout: E2E_IMAGE is the service's image, E2E_TOOLS_IMAGE the one
of the Helm tests; what is not given stays as the chart has it."""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any


def image(reference: str) -> dict[str, str]:
    """repository, tag and digest of a reference; a colon before a slash is a registry's port."""
    rest, _, digest = reference.partition("@")
    head, colon, tag = rest.rpartition(":")
    if not colon or "/" in tag:
        head, tag = rest, ""
    return {"repository": head, "tag": tag, "digest": digest}


def values(environment: Mapping[str, str]) -> dict[str, Any]:
    """What goes over the chart's own."""
    made: dict[str, Any] = {}
    if reference := environment.get("E2E_IMAGE"):
        made["image"] = image(reference)
    if reference := environment.get("E2E_TOOLS_IMAGE"):
        made["tests"] = {"image": reference}
    return made


if __name__ == "__main__":
    json.dump(values(os.environ), sys.stdout)
