"""Certificates made on the spot with the openssl command: authorities and whom they vouch for."""

import shutil
import subprocess
from collections import namedtuple
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

Identity = namedtuple("Identity", "certificate key")

# For `openssl ca`, the one command of OpenSSL 3.0 that sets both dates.
CONFIG = """
[ca]
default_ca = it
[it]
database = index.txt
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
copy_extensions = copy
policy = any
[any]
commonName = supplied
"""

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(folder: Path, *arguments) -> None:
    subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True)


def stamp(hours: float) -> str:
    """A date that many hours from now, as openssl wants it."""
    return (datetime.now(timezone.utc) + timedelta(hours=hours)).strftime("%Y%m%d%H%M%SZ")


def self_signed(folder: Path, name: str, names: str = "DNS:localhost") -> Identity:
    """A certificate that nobody vouches for."""
    openssl(folder, "req", "-x509", *NEW_KEY, "-keyout", f"{name}.key", "-out", f"{name}.pem",
            "-days", 1, "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}",
            "-addext", "basicConstraints=critical,CA:FALSE")
    return Identity(folder / f"{name}.pem", folder / f"{name}.key")


class Authority:
    """A CA in a folder of its own."""

    def __init__(self, folder: Path, name: str):
        if not shutil.which("openssl"):
            pytest.skip("needs the openssl command")
        self.folder = folder / name
        self.folder.mkdir()
        (self.folder / "ca.conf").write_text(CONFIG)
        (self.folder / "index.txt").touch()
        openssl(self.folder, "req", "-x509", *NEW_KEY, "-keyout", "ca.key", "-out", "ca.pem",
                "-days", 1, "-subj", f"/CN={name}")
        self.certificate = self.folder / "ca.pem"

    def issue(self, name: str, names: str = "DNS:localhost", start: float = -1,
              end: float = 1) -> Identity:
        """A certificate for these subjectAltNames, valid from and until these hours from now."""
        openssl(self.folder, "req", "-new", *NEW_KEY, "-keyout", f"{name}.key", "-out",
                f"{name}.csr", "-subj", f"/CN={name}", "-addext", f"subjectAltName={names}")
        openssl(self.folder, "ca", "-batch", "-notext", "-config", "ca.conf", "-keyfile", "ca.key",
                "-cert", "ca.pem", "-in", f"{name}.csr", "-out", f"{name}.pem",
                "-startdate", stamp(start), "-enddate", stamp(end))
        return Identity(self.folder / f"{name}.pem", self.folder / f"{name}.key")
