"""Whether links lead somewhere, without asking the network: a path to a file or folder of the repository,
an anchor to a heading of the file it is in, an address elsewhere to one that can be.
"""

import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

import markdown

HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\Z")


@lru_cache(maxsize=None)
def document(path: Path) -> markdown.Document:
    """A file, read once."""
    return markdown.read(path)


def external(link: str) -> str | None:
    """What is wrong with an address elsewhere."""
    try:
        parts = urlsplit(link)
        port = parts.port
    except ValueError as error:
        return str(error)
    if parts.scheme == "mailto":
        return None if re.fullmatch(r"[^@\s]+@[^@\s]+", parts.path) else "no address"
    if parts.scheme not in ("http", "https"):
        return f"the scheme {parts.scheme}"
    if not HOST.match(parts.hostname or "") or port == 0:
        return "no host"
    return None


def internal(source: Path, link: str, root: Path) -> str | None:
    """What is wrong with a path, an anchor, or both, in the file `source`."""
    path, _, fragment = link.partition("#")
    if path.startswith("/"):
        return "an absolute path"
    target = (source.parent / unquote(path)).resolve() if path else source
    if not target.is_relative_to(root):
        return "outside of the repository"
    if not target.exists():
        return "no such file"
    if not fragment:
        return None if path else "an empty link"
    if target.suffix != ".md":
        return "an anchor in what is no Markdown"
    if fragment not in document(target).anchors:
        return f"no such heading; there are {', '.join(sorted(document(target).anchors))}"
    return None


def problems(source: Path, root: Path) -> list[str]:
    """All dead links of a file, each with the reason."""
    found = document(source)
    result = [f"[{name}]: defined nowhere" for name in found.undefined]
    for link in found.links:
        reason = external(link) if re.match(r"[a-z][a-z0-9+.-]*:", link) \
            else internal(source, link, root)
        if reason:
            result.append(f"{link}: {reason}")
    return result
