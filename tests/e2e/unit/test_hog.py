"""When is a process gone? Not before its last thread is: until then its sockets are open."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

import hog
from wire import eventually

# The first thread ends, as it may first when all are killed at once; the other lives on.
HALF = """
import ctypes, os, threading
threading.Thread(target=lambda: __import__("time").sleep(60)).start()
print("begun", flush=True)
EXIT = {"x86_64": 60, "aarch64": 93}  # exit(2) is of one thread
ctypes.CDLL(None).syscall(EXIT[os.uname().machine], 0)
"""


@pytest.fixture
def half() -> Iterator[subprocess.Popen]:
    """A process whose first thread has ended."""
    process = subprocess.Popen([sys.executable, "-c", HALF], stdout=subprocess.PIPE, text=True)
    assert process.stdout and process.stdout.readline() == "begun\n"
    yield process
    process.kill()
    process.communicate(timeout=10)


def state(pid: int) -> str:
    """Of its first thread."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0]


def test_it_is_gone_with_its_last_thread(half: subprocess.Popen) -> None:
    assert eventually(lambda: state(half.pid) == "Z", 10, 0.01)
    assert not hog.is_gone(half.pid), "its other thread lives"
    half.kill()
    assert eventually(lambda: hog.is_gone(half.pid), 10, 0.001)
    assert state(half.pid) == "Z", "and nobody has taken note yet"


def test_who_was_never_there_is_gone() -> None:
    assert hog.is_gone(2 ** 22 + 1)
