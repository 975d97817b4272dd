"""What people see while a cluster starts: each step with the seconds since the beginning."""

import sys
import time


class Progress:
    def __init__(self) -> None:
        self.begun = time.monotonic()

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.begun:5.1f} s  {text}", file=sys.stderr, flush=True)
