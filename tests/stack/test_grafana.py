"""Grafana's part, with a stand-in for its server: no package of it is to be had here.

The stand-in answers where the real one would, and writes down how it was started. That the real one
takes the provisioning is not shown by this; what is: that it is started, with files that are there,
and that what they refer to leads to the parts of this stack.
"""

import json
import os
import re
import signal
import sys
from pathlib import Path

import yaml

from command import ROOT, Command

STAND_IN = """#!{python}
import http.server, json, os, sys
folder = os.environ["GF_PATHS_DATA"]
os.makedirs(folder)
with open(folder + "/started.json", "w") as file:
    json.dump({{"argv": sys.argv[1:], "environment": dict(os.environ)}}, file)
class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/api/health" else 404)
        self.end_headers()
http.server.HTTPServer((os.environ["GF_SERVER_HTTP_ADDR"], int(os.environ["GF_SERVER_HTTP_PORT"])), Answers).serve_forever()
"""


def expanded(path: Path, environment: dict[str, str]) -> dict:
    """The provisioning as Grafana reads it: $NAME from the environment, $$ is a $."""
    text = re.sub(r"\$(\$|\w+)", lambda match: "$" if match[1] == "$" else environment[match[1]],
                  re.sub(r"^\s*#.*$", "", path.read_text(), flags=re.M))
    return yaml.safe_load(text)


def test_grafana_is_started_with_everything_provisioned(folder, tmp_path):
    server = tmp_path / "bin/grafana-server"
    server.parent.mkdir()
    server.write_text(STAND_IN.format(python=sys.executable))
    server.chmod(0o755)
    with Command(folder, env={"PATH": f"{server.parent}:{os.environ['PATH']}"}) as command:
        state = command.comes_up()
        assert f"{state['grafana']}/dashboards" in command.said
        started = json.loads((folder / "data/grafana/started.json").read_text())
        assert command.ends(signal.SIGINT) == 0
        command.left_nothing(state)
    environment = started["environment"]
    assert started["argv"] == ["--homepath", "/usr/share/grafana"]
    provisioning = Path(environment["GF_PATHS_PROVISIONING"])
    sources = expanded(provisioning / "datasources/glassbox.yaml", environment)["datasources"]
    assert {source["uid"]: source["url"] for source in sources} == \
        {"prometheus": state["prometheus"], "alertmanager": state["alertmanager"]}
    exemplars = sources[0]["jsonData"]["exemplarTraceIdDestinations"]
    assert exemplars[0]["name"] == "trace_id"
    assert exemplars[0]["url"] == state["traces"] + "/trace/${__value.raw}"
    provider = expanded(provisioning / "dashboards/glassbox.yaml", environment)["providers"][0]
    assert Path(provider["options"]["path"]) == ROOT / "dashboards/json"
    assert len(list((ROOT / "dashboards/json").glob("*.json"))) == 7
