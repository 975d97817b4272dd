"""Requests for the page to show: a few at a time, steady, bounded in number, until told to stop."""

import threading
from itertools import cycle, islice

from wire import Closed, ask

TARGETS = ("/demo/hello", "/demo/hello?delay=5", "/", "/demo/hello", "/demo/hello?delay=40",
           "/demo/random-error", "/demo/work?cpu_ms=2", "/demo/hello")
MOST = 20_000
PAUSE = 0.015


class Traffic:
    def __init__(self, address: tuple[str, int]):
        self.address = address
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Traffic":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.thread.join(30)

    def _run(self) -> None:
        for target in islice(cycle(TARGETS), MOST):
            if self.done.wait(PAUSE):
                return
            try:
                ask(self.address, target)
            except (OSError, Closed):
                continue  # a fault breaks what it is there to break, and the end of the service the rest
