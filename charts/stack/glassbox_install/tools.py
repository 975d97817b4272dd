"""helm and kubectl: found, new enough, and every command that is run, or, on a dry run, printed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from typing import Any

from .parts import Refused

# The oldest that will do. kubectl's and the cluster's: an HPA on a container's CPU is stable since 1.30.
HELM = (3, 14)
KUBERNETES = (1, 30)
# In what is printed to be typed.
COMMAND = re.compile(r"\b(kubectl|helm) (?=(?:-n \S+ )?(?:create|delete|describe|get|logs|rollback|uninstall)\b)")
ASK_SECONDS = 60  # for a question; a change has the part's own limit


class Failed(Exception):
    """It was begun and did not succeed: exit status 1."""


def version(text: str) -> tuple[int, int] | None:
    """`v1.35.2+x`, `1.29` -> (1, 35), (1, 29)."""
    match = re.search(r"v?(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else None


def too_old(name: str, found: str, least: tuple[int, int]) -> None:
    """Refuses a version below the least, or one that cannot be read."""
    have = version(found)
    if have is None or have < least:
        raise Refused(f"{name} is {found.strip() or 'of no version'}: {least[0]}.{least[1]} or later is needed")


def last_words(program: str, done: subprocess.CompletedProcess[str]) -> str:
    """Why it failed: the last line on its stderr."""
    return (done.stderr.strip().splitlines() or [f"{program} says nothing"])[-1]


def meant(text: str, context: str) -> str:
    """What is to be typed, for the cluster that was asked for and not for the shell's current one."""
    flags = {"kubectl": f"--context {context}", "helm": f"--kube-context {context}"}
    return COMMAND.sub(lambda found: f"{found[1]} {flags[found[1]]} ", text) if context else text


class Tools:
    """The two programs, for one context."""

    def __init__(self, context: str, dry: bool) -> None:
        self.dry = dry
        self.context = context

    def _line(self, program: str, arguments: list[str]) -> list[str]:
        flag = "--kube-context" if program == "helm" else "--context"
        return [program, *arguments, *([flag, self.context] if self.context else [])]

    def ask(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs what only looks, also on a dry run."""
        try:
            return subprocess.run(self._line(program, list(arguments)), capture_output=True, text=True,
                                  timeout=ASK_SECONDS, check=False, stdin=subprocess.DEVNULL)
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess(arguments, 1, "", f"no answer within {ASK_SECONDS} s")

    def get(self, *arguments: str) -> Any:
        """`kubectl get … -o json`; None where that is not, or cannot be had."""
        done = self.ask("kubectl", "get", *arguments, "-o", "json")
        return json.loads(done.stdout) if done.returncode == 0 and done.stdout else None

    def items(self, *arguments: str) -> list[dict]:
        """The objects of a list; none where their kind is not."""
        return (self.get(*arguments) or {}).get("items", [])

    def silent(self) -> str:
        """Why the API server does not answer just now; "" when it does. Without this nothing found would look
        like nothing there."""
        done = self.ask("kubectl", "get", "--raw", "/readyz", "--request-timeout=10s")
        return "" if done.returncode == 0 else f"the API server does not answer: {last_words('kubectl', done)}"

    def change(self, program: str, *arguments: str, stdin: str = "", seconds: int = ASK_SECONDS,
               shown: str = "") -> str:
        """Runs what changes the cluster; its stdout. `shown` is printed instead of stdin."""
        line = self._line(program, list(arguments))
        if self.dry:
            said = f"echo {shlex.quote(shown or stdin)} | " if stdin else ""
            print(f"{said}{shlex.join(line)}")
            return ""
        try:
            done = subprocess.run(line, input=stdin, capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            raise Failed(f"no end within {seconds} s: {shlex.join(line)}") from None
        if done.returncode:
            raise Failed(f"{shlex.join(line)}\n{done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def check(self, cluster: bool = True) -> None:
        """Both are there and new enough, and the cluster answers, if there is to be one."""
        for program, where in (("helm", "helm.sh/docs/intro/install"), ("kubectl", "kubernetes.io/docs/tasks/tools")):
            if shutil.which(program) is None:
                raise Refused(f"{program} is not in PATH: https://{where}")
        helm = self.ask("helm", "version", "--template", "{{.Version}}")
        too_old("helm", helm.stdout, HELM)
        told = self.ask("kubectl", "version", "-o", "json", "--request-timeout=10s" if cluster else "--client")
        try:
            versions = json.loads(told.stdout)
        except ValueError:
            versions = {}
        too_old("kubectl", versions.get("clientVersion", {}).get("gitVersion", ""), KUBERNETES)
        if not cluster:
            return
        if "serverVersion" not in versions:
            context = f"context {self.context}" if self.context else "the current context"
            raise Refused(f"the cluster of {context} does not answer: {last_words('kubectl', told)}\n"
                          "kubectl config get-contexts lists what there is; --context takes one")
        too_old("the cluster", versions["serverVersion"]["gitVersion"], KUBERNETES)
