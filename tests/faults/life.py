"""One short life of the program: it starts or does not, is asked, is told to end.

Leaner than `Service`, because a start that is refused something is made a thousand times.
"""

import json
import re
import selectors
import signal
import subprocess
import time
from dataclasses import dataclass, field

from service import binary, check_reconciliation, environment, parse_address
from wire import Closed, ask

PATIENCE = 20.0  # seconds until a start or an end counts as hanging


@dataclass
class Life:
    status: int = None
    messages: list = field(default_factory=list)
    answers: list = field(default_factory=list)  # statuses; None where none came
    noise: list = field(default_factory=list)    # what is not JSON

    @property
    def addresses(self):
        return [parse_address(m["address"]) for m in self.messages if m["message"] == "listening"]

    @property
    def reconciliation(self):
        return next((m for m in self.messages if m["component"] == "reconciliation"), None)

    def hear(self, raw):
        for line in raw.splitlines():
            try:
                self.messages.append(json.loads(line))
            except ValueError:
                self.noise.append(line)

    @property
    def errors(self):
        return [m for m in self.messages if m["level"] == "error"]


def read_until(stream, life, wanted):
    """Reads lines until `wanted()` or the end; whether it came to be wanted."""
    held = b""
    deadline = time.monotonic() + PATIENCE
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while not wanted():
            assert selector.select(max(0, deadline - time.monotonic())), \
                f"it hangs: {life.messages[-3:]}"
            chunk = stream.read1(65536)
            if not chunk:
                life.hear(held)
                return wanted()
            whole, newline, held = (held + chunk).rpartition(b"\n")
            life.hear(whole + newline)
    return True


def request(address):
    try:
        return ask(address).status
    except (Closed, OSError):
        return None


def live(control, *arguments, env, requests=1):
    """Runs it to its end; nothing is asserted but that it does not hang."""
    command = [binary(), "--listen", "127.0.0.1:0", "--drain-delay", "0", "--workers", "2",
               *arguments]
    life = Life()
    process = subprocess.Popen(command, env=environment(control.env(env)), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        if read_until(process.stderr, life, lambda: life.addresses):
            life.answers = [request(life.addresses[0]) for _ in range(requests)]
            process.send_signal(signal.SIGTERM)
        read_until(process.stderr, life, lambda: False)
        life.status = process.wait(PATIENCE)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        process.stderr.close()
    return life


# What strerror(3) may call it. A thread's memory is the C library's to ask for.
REASONS = {"memory": {"Cannot allocate memory", "Resource temporarily unavailable"},
           "descriptors": {"Too many open files"},
           "threads": {"Resource temporarily unavailable"}}


def reason_of(error):
    """Why a part could not be had, of an error that names both; else None."""
    made = re.match(r"cannot make the [a-z ]+: (.*)", error["message"])
    if made:
        return made.group(1)
    names_part = error.keys() & {"part", "address", "descriptor_limit"}
    return error["error"] if names_part else None


def check(life, refused=None):
    """What every life must have been; `refused` is the kind of what was refused to it, if it was."""
    assert life.noise == [], life.noise
    if life.status == 1:
        assert refused, "it could not start, for no reason"
        assert life.answers == [] and life.reconciliation is None
        reasons = {reason for reason in map(reason_of, life.errors) if reason}
        assert reasons and reasons <= REASONS[refused], \
            f"what was lacking for what? {life.messages}"
        return
    assert life.status == 0, f"status {life.status}: {life.messages[-3:]}"
    check_reconciliation(life.reconciliation)
    assert life.reconciliation["finished"] == sum(a is not None for a in life.answers)
