"""What is added to a file, line by line, also when it is rotated meanwhile: the file that was renamed is read to its
end, then the new one of that name from its beginning."""

import os
from collections.abc import Iterator
from pathlib import Path

from .refused import Refused


class Tail:
    """From where the file ends now; or from its beginning, once it is there."""

    def __init__(self, path: Path, from_end: bool) -> None:
        self.path, self.rest, self.file = path, b"", None
        self.is_cut = False  # whether the first line may have begun before
        try:
            if from_end:
                self.file = path.open("rb")
                size = self.file.seek(0, os.SEEK_END)
                self.is_cut = size > 0 and self._byte_before(size) != b"\n"
        except OSError as error:
            raise Refused(f"{path}: {error.strerror}") from None

    def _byte_before(self, position: int) -> bytes:
        self.file.seek(position - 1)
        return self.file.read(1)

    def close(self) -> None:
        """Twice is fine."""
        if self.file is not None:
            self.file.close()

    def lines(self) -> Iterator[str]:
        """Whole ones that have come since."""
        try:
            if self.file is not None:
                yield from self._read()
            if self._leads_elsewhere():
                if self.file is not None:
                    yield from self._read()  # what came between
                    self.file.close()
                self.file, self.rest, self.is_cut = self.path.open("rb"), b"", False
                yield from self._read()
        except OSError as error:
            raise Refused(f"{self.path}: {error.strerror}") from None

    def _leads_elsewhere(self) -> bool:
        """Whether the name is another file's by now."""
        try:
            there = self.path.stat()
        except FileNotFoundError:
            return False
        return self.file is None or not os.path.samestat(os.fstat(self.file.fileno()), there)

    def _read(self) -> Iterator[str]:
        while block := self.file.read(1 << 20):
            *whole, self.rest = (self.rest + block).split(b"\n")
            for raw in whole:
                if self.is_cut:
                    self.is_cut = False
                    continue
                yield raw.decode(errors="replace")
