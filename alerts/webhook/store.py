"""The notifications, numbered, in bounded memory.

Each is kept as the bytes of its JSON, so what is held is what is counted. When there are too many,
or too many bytes, the oldest go, and how many went is told. A reader asks for what came after a
number, and may wait for it; one answer has a limit too, and its `last` is the number to go on
from, whether or not there is more.

Threads: any may call anything.
"""

import json
import threading
import time
from collections import deque
from dataclasses import asdict

from .payload import Notification

COUNT_MAX = 2000          # notifications held
BYTES_MAX = 16 << 20      # of their JSON
ANSWER_MAX = 1 << 20      # bytes of one answer; always at least one notification
WAITERS_MAX = 32          # readers that wait at once


class Busy(Exception):
    """Too many readers wait already."""


class Store:
    """Holds notifications from 1 up."""

    def __init__(self, count_max: int = COUNT_MAX, bytes_max: int = BYTES_MAX):
        self.last = 0
        self.forgotten = 0
        self._count_max = count_max
        self._bytes_max = bytes_max
        self._held: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._waiters = 0
        self._closed = False
        self._came = threading.Condition()

    def add(self, notification: Notification) -> int:
        """Takes one up; returns its number."""
        fields = asdict(notification)
        with self._came:
            self.last += 1
            entry = json.dumps({"seq": self.last, "received": time.time(), **fields}).encode()
            self._held.append((self.last, entry))
            self._bytes += len(entry)
            while len(self._held) > 1 and (len(self._held) > self._count_max
                                           or self._bytes > self._bytes_max):
                self._bytes -= len(self._held.popleft()[1])
                self.forgotten += 1
            self._came.notify_all()
            return self.last

    def after(self, seq: int, wait: float = 0) -> bytes:
        """The JSON answer with those numbered above `seq`; waits up to `wait` seconds for the
        first. A number that was never given is of an earlier process: all are newer than that.
        Raises Busy."""
        with self._came:
            if seq > self.last:
                seq = 0
            if wait > 0 and self.last <= seq:
                self._await(seq, wait)
            return self._answer(seq)

    def close(self) -> None:
        """Lets those who wait go."""
        with self._came:
            self._closed = True
            self._came.notify_all()

    def _await(self, seq: int, wait: float) -> None:
        if self._waiters >= WAITERS_MAX:
            raise Busy
        self._waiters += 1
        try:
            self._came.wait_for(lambda: self.last > seq or self._closed, wait)
        finally:
            self._waiters -= 1

    def _answer(self, seq: int) -> bytes:
        chosen: list[bytes] = []
        size, last = 0, max(seq, self.last if not self._held else 0)
        for number, entry in self._held:
            if number <= seq:
                continue
            if chosen and size + len(entry) > ANSWER_MAX:
                break
            chosen.append(entry)
            size += len(entry)
            last = number
        return b'{"last": %d, "notifications": [%s]}\n' % (last, b", ".join(chosen))
