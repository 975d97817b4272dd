"""A reader of the W3C Extended Log File Format (WD-logfile-960323), as strict as the draft.

`Log` takes lines as they come, from a file or a stream, and keeps entries (a dict of field name to
value), directives and remarks. Anything the draft forbids is an AssertionError with the line.
"""

import re
import threading

DIRECTIVES = {"Version", "Fields", "Software", "Start-Date", "End-Date", "Date", "Remark"}
FIELD = re.compile(r"(date|time|time-taken|bytes|cached"
                   r"|(c|s|cs|sc|x)-[a-z0-9-]+|(cs|sc|c|s|x)\([A-Za-z0-9-]+\))\Z")
FORMS = {
    "date": re.compile(r"\d{4}-\d\d-\d\d\Z"),
    "time": re.compile(r"\d\d:\d\d:\d\d(\.\d+)?\Z"),
    "time-taken": re.compile(r"\d+(\.\d+)?\Z"),
    "sc-status": re.compile(r"\d{3}\Z"),
    "sc-bytes": re.compile(r"\d+\Z"),
    "cs-bytes": re.compile(r"\d+\Z"),
    "x-trace-id": re.compile(r"[0-9a-f]{32}\Z"),
    "x-span-id": re.compile(r"[0-9a-f]{16}\Z"),
}


def split(line):
    """The raw values of an entry: separated by white space, quoted strings kept whole."""
    values, position = [], 0
    pattern = re.compile(r'"(?:[^"]|"")*"|[^"\s]\S*')
    while position < len(line):
        match = pattern.match(line, position)
        assert match, f"column {position} of {line!r}"
        values.append(match.group())
        position = match.end()
        if position < len(line):
            assert line[position] in "\t ", f"no separator at {position} of {line!r}"
            position += 1
            assert position < len(line), f"trailing separator in {line!r}"
    return values


def unquote(value):
    """None for `-`, the string inside quotes, else the value itself."""
    if value == "-":
        return None
    if value.startswith('"'):
        return value[1:-1].replace('""', '"')
    return value


class Log:
    """The entries of one stream or file, in order."""

    def __init__(self, iis=False):
        self.iis = iis
        self.entries = []
        self.directives = []  # (name, value)
        self.fields = None
        self.bytes = 0
        self.error = None
        self.changed = threading.Condition()

    @property
    def remarks(self):
        return [value for name, value in self.directives if name == "Remark"]

    def feed(self, raw):
        """One line, its LF included."""
        self.bytes += len(raw)
        assert raw.endswith(b"\n") and not raw.endswith(b"\r\n"), f"line end: {raw[-40:]!r}"
        body = raw[:-1]
        assert all(byte == 9 or 32 <= byte < 127 for byte in body), f"not printable ASCII: {raw!r}"
        line = body.decode("ascii")
        if line.startswith("#"):
            self._directive(line)
        else:
            self._entry(line)

    def _directive(self, line):
        name, colon, value = line[1:].partition(": ")
        assert colon and name in DIRECTIVES, f"directive {line!r}"
        if name == "Version":
            assert value == "1.0"
        if name == "Fields":
            self.fields = value.split()
            for field in self.fields:
                assert FIELD.match(field), f"field name {field!r}"
        self.directives.append((name, value))

    def _entry(self, line):
        names = [name for name, _ in self.directives]
        assert "Version" in names and self.fields, "an entry before #Version and #Fields"
        values = line.split(" ") if self.iis else split(line)
        assert len(values) == len(self.fields), f"{len(values)} values: {line!r}"
        entry = {}
        for field, value in zip(self.fields, values):
            if field.endswith(")") and not self.iis:
                assert value == "-" or value[0] == '"', f"{field} is not quoted: {line!r}"
            if field in FORMS and value != "-":
                assert FORMS[field].match(value), f"{field} {value!r} in {line!r}"
            entry[field] = value if self.iis and value != "-" else unquote(value)
        self.entries.append(entry)

    def read(self, stream):
        """Feeds a stream to its end, from a thread; the first fault is kept in `error`."""
        try:
            for raw in stream:
                with self.changed:
                    if self.error is None:
                        self.feed(raw)
                    self.changed.notify_all()
        except (AssertionError, ValueError, OSError) as error:
            with self.changed:
                self.error = error
                self.changed.notify_all()
            for _ in stream:  # a fault of ours must not block the writer
                pass

    def wait(self, wanted, timeout=5.0):
        """The first entry for which `wanted(entry)` holds, waiting for it; None after `timeout`."""
        with self.changed:
            self.changed.wait_for(
                lambda: self.error or any(wanted(entry) for entry in self.entries), timeout)
            if self.error:
                raise self.error
            return next((entry for entry in self.entries if wanted(entry)), None)

    def wait_count(self, count, timeout=5.0):
        """Waits for that many entries; how many there are."""
        with self.changed:
            self.changed.wait_for(lambda: self.error or len(self.entries) >= count, timeout)
            if self.error:
                raise self.error
            return len(self.entries)


def load(path, iis=False):
    """A whole file; its last line must be whole."""
    log = Log(iis)
    with open(path, "rb") as file:
        for raw in file:
            log.feed(raw)
    return log
