"""A child process that cannot outlive us.

It writes into a log of its own, is asked to end by SIGTERM and made to by SIGKILL, and the kernel
kills it when we are gone without having said so (PR_SET_PDEATHSIG): also after a SIGKILL of ours
nothing stays behind. The signal comes when the *thread* that started it ends, so start children
from one that lives as long as they should.
"""

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None)  # looked up here: between fork and exec is no place for it


def _bound_to(parent: int) -> Callable[[], None]:
    """What a child does before it becomes its program."""
    def before_exec() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # gone before we asked to be told
            os._exit(1)
    return before_exec


class Process:
    """Runs from its creation on. Its session is its own, so that Ctrl-C reaches us alone and the
    order of the end is ours."""

    def __init__(self, name: str, command: Sequence[str], environment: Mapping[str, str],
                 log: Path, folder: Path):
        self.name = name
        self.log = log
        with open(log, "ab") as output:
            # pylint: disable=subprocess-popen-preexec-fn
            self._child = subprocess.Popen(
                command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output,
                stderr=output, start_new_session=True, preexec_fn=_bound_to(os.getpid()))

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def status(self) -> int | None:
        """None while it runs; the exit status, or minus the signal."""
        return self._child.poll()

    def epitaph(self) -> str:
        """How it ended, for people."""
        status = self.status
        if status is None:
            return "runs"
        if status < 0:
            return f"ended by {signal.Signals(-status).name}"
        return f"exited with status {status}"

    def send(self, number: signal.Signals) -> None:
        """Nothing when it has ended."""
        self._child.send_signal(number)

    def ask_to_end(self) -> None:
        """A stopped one cannot hear, so it is woken."""
        self.send(signal.SIGTERM)
        self.send(signal.SIGCONT)

    def finish(self, patience: float) -> None:
        """Returns when it has ended: by itself within so many seconds, or not."""
        try:
            self._child.wait(patience)
        except subprocess.TimeoutExpired:
            self.send(signal.SIGKILL)
            self._child.wait()

    def last_lines(self, count: int = 8, most: int = 4096) -> list[str]:
        """The end of its log."""
        with open(self.log, "rb") as log:
            log.seek(max(0, self.log.stat().st_size - most))
            return log.read().decode("utf-8", "replace").splitlines()[-count:]
