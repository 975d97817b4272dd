"""Where the programs of the parts are."""

import os
import shutil
import subprocess

from .files import ROOT


def service() -> str:
    """$GLASSBOX_BIN, else where the release build is left."""
    return os.environ.get("GLASSBOX_BIN") or str(ROOT / "build/release/glassbox")


def collector() -> tuple[str | None, str]:
    """Its path, or None and why. $OTELCOL_BIN may be either, as .ci/tools.sh says it; that builds it
    when it is not there, once, in minutes."""
    line = os.environ.get("OTELCOL_BIN")
    if not line:
        asked = subprocess.run([ROOT / ".ci/tools.sh", "otelcol"], stdout=subprocess.PIPE, text=True,
                               check=False)
        line = asked.stdout.strip() or "tools.sh said nothing"
    return (line, "") if line.startswith("/") else (None, f"the Collector {line}")


def grafana() -> str | None:
    """Its server, if it is installed; it is no package of Debian's."""
    return shutil.which("grafana-server") or shutil.which("grafana-server", path="/usr/sbin:/sbin")


def grafana_home() -> str:
    """What its package brings: its page, its defaults."""
    return os.environ.get("GRAFANA_HOME", "/usr/share/grafana")
