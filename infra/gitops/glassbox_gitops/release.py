"""release.yaml: all that moves from environment to environment, and the only file that a promotion changes.

It has one form, which `text` writes and `parse` reads, so that a copy of it is the same bytes and a difference is a
difference of releases. To add a field: FIELDS, the dataclass, bootstrap/applicationset.yaml and apps/values.schema.json.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ENVIRONMENTS = ("dev", "staging", "prod")  # in the order of promotion
FOLDER = "infra/gitops/environments"

HEAD = "# Written by infra/gitops/promote: what this environment is to run. The next one gets a copy of it.\n"
DIGEST = r"sha256:[0-9a-f]{64}"
REPOSITORY = r"[a-z0-9][a-z0-9._:/-]*[a-z0-9]"
TAG = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"

# key, pattern, what is allowed: in the order of the file
FIELDS = (
    ("repository", REPOSITORY, "an image's name with its registry, such as registry.example.org/glassbox"),
    ("digest", DIGEST, "sha256: and 64 hexadecimal digits"),
    ("tag", TAG, "letters, digits, `.`, `_`, `-`"),
    ("revision", r"[0-9a-f]{40}", "a commit's whole name, 40 hexadecimal digits"),
    ("version", r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}", "such as 1.2.0 or v1.2.0-3-g0123abc"),
)


class Refused(Exception):
    """What was asked for cannot be begun: exit status 2."""


@dataclass(frozen=True)
class Release:
    """What was built of one commit."""

    repository: str
    digest: str
    tag: str
    revision: str
    version: str

    def __post_init__(self) -> None:
        faults = [f"{key} {getattr(self, key)!r}: must be {allowed}" for key, pattern, allowed in FIELDS
                  if not re.fullmatch(pattern, getattr(self, key))]
        if faults:
            raise Refused("; ".join(faults))

    @property
    def named(self) -> str:
        """For people: v1.2.0 (0123456789ab)."""
        return f"{self.version} ({self.revision[:12]})"

    def text(self) -> str:
        """The file."""
        # Quoted, all of them: a commit's name of digits alone would be read as a number.
        return (f'{HEAD}image:\n  repository: "{self.repository}"\n  digest: "{self.digest}"\n  tag: "{self.tag}"\n'
                f'revision: "{self.revision}"\nversion: "{self.version}"\n')


def parse(text: str, where: str) -> Release:
    """Reads what `text` writes, and nothing else."""
    found = dict(re.findall(r'^ *([a-z]+): "([^"\n]*)"$', text, re.MULTILINE))
    try:
        release = Release(**found)
    except TypeError:
        names = ", ".join(key for key, _, _ in FIELDS)
        raise Refused(f"{where}: must have {names}, as infra/gitops/promote writes them, and has "
                      f"{', '.join(found) or 'none of them'}") from None
    except Refused as error:
        raise Refused(f"{where}: {error}") from None
    if text != release.text():
        raise Refused(f"{where}: is not as infra/gitops/promote writes it, which would be:\n{release.text()}")
    return release


def path_of(environment: str) -> str:
    """Where an environment's release is, from the root."""
    return f"{FOLDER}/{environment}/release.yaml"


def known(environment: str) -> str:
    """The name of an environment, if it is one."""
    if environment not in ENVIRONMENTS:
        raise Refused(f"no such environment: {environment!r}; there are {', '.join(ENVIRONMENTS)}")
    return environment


def read(root: Path, environment: str) -> Release:
    """What an environment is to run."""
    path = root / path_of(environment)
    try:
        return parse(path.read_text(), path_of(environment))
    except FileNotFoundError:
        raise Refused(f"{environment} has no release yet: there is no {path_of(environment)} in {root}") from None


def image(text: str) -> tuple[str, str, str]:
    """REPOSITORY[:TAG]@sha256:… as repository, tag or "", digest."""
    # A port has a slash after it, a tag has none: so the last part of the name has no colon.
    match = re.fullmatch(rf"((?:[a-z0-9._:/-]+/)?[a-z0-9._-]+)(?::({TAG}))?@({DIGEST})", text)
    if not match:
        raise Refused(f"--image {text!r}: must be REPOSITORY@sha256:… or REPOSITORY:TAG@sha256:…, for what a tag "
                      "means may change")
    return match[1], match[2] or "", match[3]
