"""The Gateway API's CRDs: a cluster has them once, and often somebody else has brought them.

They are no part of a Helm release: whoever removes it would remove every route of everybody. So they are applied where
there are none, and are left as they are where there are some. From $GATEWAY_API_CRDS, a file, and without that variable
from their public address in the version that the part was tried with.
"""

from __future__ import annotations

import os
from pathlib import Path

from .parts import Part, Refused
from .tools import Tools

GROUP = "gateway.networking.k8s.io"
ADDRESS = "https://github.com/kubernetes-sigs/gateway-api/releases/download/{}/standard-install.yaml"
VARIABLE = "GATEWAY_API_CRDS"
VERSION = f"{GROUP}/bundle-version"  # an annotation of each
WANTED = ("gatewayclasses", "gateways", "httproutes")  # without which nothing leads anywhere
SECONDS = 60


def source(part: Part) -> str:
    """What kubectl is given."""
    given = os.environ.get(VARIABLE)
    if not given:
        return ADDRESS.format(part.definitions)
    if not Path(given).is_file():
        raise Refused(f"{VARIABLE}: no such file: {given}")
    return given


def there(tools: Tools) -> dict[str, str]:
    """Those of the cluster, each with the version that it says it is of."""
    return {each["metadata"]["name"]: (each["metadata"].get("annotations") or {}).get(VERSION, "?")
            for each in tools.items("crds") if each["spec"]["group"] == GROUP}


def install(tools: Tools, part: Part) -> None:
    """Applies them where they are not; else says so where they are not what the part was tried with."""
    names = [f"{kind}.{GROUP}" for kind in WANTED]
    found = {} if tools.dry else there(tools)
    if tools.dry:
        print(f"# only where {', '.join(names)} are absent:")
    if set(names) <= set(found):
        if others := sorted(set(found.values()) - {part.definitions}):
            print(f"   note: the Gateway API's CRDs are there, {', '.join(others)}, and left alone; this was tried with "
                  f"{part.definitions}")
        return
    # On the server: the largest is more than an annotation holds.
    tools.change("kubectl", "apply", "--server-side", "-f", source(part), seconds=SECONDS)
    tools.change("kubectl", "wait", "--for=condition=Established", f"--timeout={SECONDS}s",
                 *(f"crd/{name}" for name in names), seconds=2 * SECONDS)
