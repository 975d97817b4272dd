"""Puts texts on stdout without ever holding up who sent them.

A thread of its own writes, from a queue with a limit, straight to the descriptor: a stdout that
nobody reads, or a file on a full disk, loses texts, which are counted and told once it takes them
again; one whose reader is gone (EPIPE) ends the printing, not the process.
"""

import os
import queue
import threading

QUEUE_MAX = 256


class Printer:
    """Prints to a descriptor; `put` never waits."""

    def __init__(self, descriptor: int = 1):
        self.unprinted = 0
        self._descriptor = descriptor
        self._gone = False
        self._texts: queue.Queue[str] = queue.Queue(QUEUE_MAX)
        self._untold = 0
        threading.Thread(target=self._run, daemon=True, name="printer").start()

    def put(self, text: str) -> None:
        """Has it printed, or counted as not."""
        try:
            if self._gone:
                raise queue.Full
            self._texts.put_nowait(text)
        except queue.Full:
            self.unprinted += 1
            self._untold += 1

    def drain(self, seconds: float) -> None:
        """Gives what is waiting that long to be written."""
        waiter = threading.Thread(target=self._texts.join, daemon=True)
        waiter.start()
        waiter.join(seconds)

    def _run(self) -> None:
        while True:
            text = self._texts.get()
            if untold := self._untold:
                text = f"({untold} were not printed: nobody read them, or there was no space)\n{text}"
            if self._write(text.encode("utf-8", "backslashreplace")):
                self._untold -= untold
            else:
                self.unprinted += 1
                self._untold += 1
            self._texts.task_done()

    def _write(self, data: bytes) -> bool:
        """Whether all of it was."""
        while data and not self._gone:
            try:
                data = data[os.write(self._descriptor, data):]
            except BlockingIOError:
                threading.Event().wait(0.05)  # a descriptor that someone made non-blocking
            except OSError as error:
                self._gone = isinstance(error, BrokenPipeError)
                return False
        return not data
