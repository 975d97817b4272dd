"""The cluster that is tested, from outside: kubectl, helm and the rest as processes, and the API as plain HTTP.

    programs ──> infra/cluster/cluster enter ──> inside the node's namespaces   (with E2E_KUBECONFIG: as they are)
    API ──> http://127.0.0.1:PORT ──> a socket file ──> kubectl proxy ──> API server ──> Services, pods

A node of infra/cluster has a network of its own, to which nothing leads but a file: so kubectl proxy listens on a
socket file, and the door to it is here. With a cluster of somebody's the way is the same, so that both are tested
alike. Nothing of this process's environment may choose the cluster: KUBECONFIG is taken out of it.
"""

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

from wire import eventually

ROOT = Path(__file__).resolve().parents[2]
NODE = ROOT / "infra/cluster/cluster"
NEVER = {"KUBECONFIG", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"}
PATIENCE = 120  # seconds for a program; what waits longer says so
TRIES = 5       # of a question to the API
MANAGER = "e2e"  # of what tests apply
NOT_NOW = (429, 502, 503, 504)  # what it says when who is asked does not answer in time
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def given() -> str | None:
    """The file of E2E_KUBECONFIG, or None."""
    return os.environ.get("E2E_KUBECONFIG") or None


def environment() -> dict[str, str]:
    """For programs: the caller's, without what could lead them elsewhere."""
    kept = {name: value for name, value in os.environ.items() if name not in NEVER}
    if given():
        folder = subprocess.run([ROOT / ".ci/kubectl.sh"], capture_output=True, text=True, check=False).stdout.strip()
        assert folder.startswith("/"), f"helm and kubectl: {folder}"
        kept |= {"KUBECONFIG": str(Path(str(given())).resolve()), "PATH": f"{folder}:{kept['PATH']}"}
    return kept


class Door:
    """A port of the loopback that leads to a socket file."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                ours, _ = self.listener.accept()
            except OSError:  # closed
                return
            theirs = socket.socket(socket.AF_UNIX)
            try:
                theirs.connect(str(self.file))
            except OSError:
                ours.close()
                continue
            for pair in ((ours, theirs), (theirs, ours)):
                threading.Thread(target=self._carry, args=pair, daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, sink: socket.socket) -> None:
        """One direction, to its end."""
        try:
            while data := source.recv(65536):
                sink.sendall(data)
        except OSError:
            pass
        for end, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
            try:
                end.shutdown(how)
            except OSError:
                pass

    def close(self) -> None:
        self.listener.close()


class Cluster:
    """Programs and the API of one cluster, from `with` to its end."""

    def __init__(self) -> None:
        self.is_node = given() is None
        self.environment = environment()
        self.enter = [str(NODE), "enter"] if self.is_node else []
        self.folder = Path(tempfile.mkdtemp(prefix="glassbox-e2e."))  # mode 0700: nobody else's
        self.door = Door(self.folder / "api")

    def __enter__(self) -> "Cluster":
        self.proxy = subprocess.Popen(
            [*self.enter, "kubectl", "proxy", f"--unix-socket={self.folder}/api"], cwd=ROOT, env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{self.door.port}"
        if not eventually(self.answers, PATIENCE, 0.1):
            self.proxy.terminate()
            raise AssertionError(f"no cluster answers: {self.proxy.communicate()[1]}")
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.terminate()
        self.proxy.wait(20)
        self.door.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def answers(self) -> bool:
        """Whether the API server is ready."""
        try:
            return self.text("/readyz") == "ok"
        except (OSError, HTTPException):
            return False

    # ---- programs -------------------------------------------------------------------------------

    def run(self, *words: str | Path, document: Any = None, check: bool = True,
            timeout: float = PATIENCE) -> subprocess.CompletedProcess[str]:
        """A program to its end, from the repository's root. `document` is its stdin, as JSON unless it is a text."""
        told = document if document is None or isinstance(document, str) else json.dumps(document)
        done = subprocess.run([*self.enter, *map(str, words)], input=told, capture_output=True, text=True, cwd=ROOT,
                              env=self.environment, check=False, timeout=timeout)
        assert not check or done.returncode == 0, f"{' '.join(map(str, words))}: {done.returncode}\n" \
            f"{done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done

    def kubectl(self, *words: str, **more: Any) -> str:
        """What it printed."""
        return self.run("kubectl", *words, **more).stdout

    def helm(self, *words: str, **more: Any) -> str:
        """What it printed."""
        return self.run("helm", *words, **more).stdout

    def apply(self, *documents: Any) -> None:
        """Objects as they have to be."""
        self.kubectl("apply", "--server-side", "--force-conflicts", f"--field-manager={MANAGER}", "-f", "-",
                     document={"apiVersion": "v1", "kind": "List", "items": list(documents)})

    def patch(self, namespace: str, what: str, document: Any, kind: str = "merge") -> None:
        """Changes an object: `what` is kind/name; `kind` is merge, json or strategic. What was changed belongs to nobody
        then: Helm would refuse to change what is another's."""
        self.kubectl("--namespace", namespace, "patch", what, "--type", kind, "--field-manager", MANAGER,
                     "--patch", json.dumps(document))
        assert eventually(lambda: self._disown(namespace, what), 30, 0.2), f"{what} stays ours"

    def _disown(self, namespace: str, what: str) -> bool:
        """Takes our name off an object's fields; not while somebody else writes to it."""
        found = json.loads(self.kubectl("--namespace", namespace, "get", what, "--output=json", "--show-managed-fields"))
        others = [entry for entry in found["metadata"]["managedFields"] if entry["manager"] != MANAGER]
        document = {"metadata": {"resourceVersion": found["metadata"]["resourceVersion"], "managedFields": others}}
        return self.run("kubectl", "--namespace", namespace, "patch", what, "--type=merge", "--patch-file=/dev/stdin",
                        document=document, check=False).returncode == 0

    # ---- the API --------------------------------------------------------------------------------

    def open(self, path: str, timeout: float | None = 30, headers: dict[str, str] | None = None) -> Any:
        """A GET whose answer is read as it comes."""
        return _OPENER.open(urllib.request.Request(self.url + path, headers=headers or {}), timeout=timeout)

    def text(self, path: str, timeout: float = 30) -> str:
        """A GET, by path or by one of the URLs below; asked again where nobody answers in time: a busy machine."""
        for attempt in range(TRIES):
            try:
                with self.open(path.removeprefix(self.url), timeout) as answer:
                    return answer.read().decode()
            except (OSError, HTTPException) as error:
                last = attempt == TRIES - 1
                if last or isinstance(error, urllib.error.HTTPError) and error.code not in NOT_NOW:
                    raise
                time.sleep(1)
        raise AssertionError("no try was made")

    def get(self, path: str) -> Any:
        """A GET, as JSON."""
        return json.loads(self.text(path))

    def items(self, namespace: str, kind: str, selector: str = "", group: str = "api/v1") -> list[dict[str, Any]]:
        """Objects of a namespace; `group` is that of the API: apis/apps/v1."""
        return self.get(f"/{group}/namespaces/{namespace}/{kind}?labelSelector={selector}")["items"]

    def of_service(self, namespace: str, name: str, port: str | int) -> str:
        """URL of a Service: one of its endpoints answers."""
        return f"{self.url}/api/v1/namespaces/{namespace}/services/{name}:{port}/proxy"

    def of_pod(self, namespace: str, name: str, port: int) -> str:
        """URL of one pod, ready or not."""
        return f"{self.url}/api/v1/namespaces/{namespace}/pods/{name}:{port}/proxy"
