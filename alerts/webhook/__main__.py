"""`python -m webhook`: reads the options, starts the parts, ends on SIGTERM and SIGINT."""

import argparse
import os
import re
import signal
import sys
import threading
from pathlib import Path

from .printer import Printer
from .server import Receiver, Server

UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def seconds(text: str) -> float:
    """`180s`, `3m`, `1.5` -> seconds."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([smh]?)", text)
    if not match or float(match.group(1)) <= 0:
        raise argparse.ArgumentTypeError(f"{text!r}: a time such as 180s or 3m, more than 0")
    return float(match.group(1)) * UNITS[match.group(2)]


def address(text: str) -> tuple[str, int]:
    """`127.0.0.1:9099`, `[::1]:0` -> host and port."""
    host, colon, port = text.rpartition(":")
    if not colon or not re.fullmatch("[0-9]{1,5}", port) or int(port) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r}: an address such as 127.0.0.1:9099")
    return host.strip("[]"), int(port)


def folder(text: str) -> Path:
    """A folder that is there."""
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"{text!r}: no such folder")
    return Path(text)


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="webhook", description="Prints and remembers what "
                                     "Alertmanager tells, and watches the dead man's switch.")
    parser.add_argument("--listen", type=address, required=True, metavar="HOST:PORT",
                        help="port 0 takes a free one; the first line on stderr says which")
    parser.add_argument("--token-file", type=Path, required=True, metavar="FILE",
                        help="what Alertmanager has to show; read anew for each request")
    parser.add_argument("--heartbeat-timeout", type=seconds, default=180.0, metavar="TIME",
                        help="silence for that long is an alarm (default 180s)")
    parser.add_argument("--runbooks", type=folder, metavar="DIR", help="serves DIR/NAME.md")
    return parser


def open_streams() -> None:
    """Whoever started us may have closed these; a socket must not come by their number."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(descriptor)


def main() -> int:
    """Runs until told to end; 0 then, 1 when it cannot start."""
    open_streams()
    given = options().parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    pages, notes = Printer(1), Printer(2)
    receiver = Receiver(given.token_file, given.heartbeat_timeout, given.runbooks, pages, notes,
                        colours=os.isatty(1) and "NO_COLOR" not in os.environ)
    try:
        receiver.token()
        server = Server(given.listen, receiver)
    except (OSError, ValueError) as error:
        print(f"webhook: cannot start: {error}", file=sys.stderr)
        return 1
    host, port = server.server_address[:2]
    notes.put(f"webhook: listening on http://{f'[{host}]' if ':' in host else host}:{port}\n")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=receiver.heartbeat.watch, daemon=True).start()
    ended.wait()
    server.shutdown()
    receiver.store.close()
    pages.drain(1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
