"""How images are made: functions that take the image's name and the programs that it needs, and give
the image, or the path of an archive that holds it. What is not ours comes from Debian's packages, with the
shared libraries that it names."""

import hashlib
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from .oci import Image
from .places import HERE, ROOT, cache_folder
from .refused import CANNOT, Refused

BUSYBOX = Path("/bin/busybox")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PYTHON = "python3.11"
# Of Python's library, what no service needs.
LEFT_OUT = re.compile(r"/(__pycache__|test|tests|ensurepip|idlelib|lib2to3|distutils|pydoc_data|tkinter|turtledemo)(/|$)")


def _output(*command: str) -> str:
    """Of a program that must be there."""
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    except OSError as error:
        raise Refused(f"{command[0]} is not installed (on Debian: .ci/deps.sh cluster)", CANNOT) from error
    except subprocess.CalledProcessError as error:
        raise Refused(f"{' '.join(command)}: {error.stderr.strip()}") from error


def program(path: str, user: int = 65534, folders: tuple[str, ...] = ()) -> Callable[[str, list[Path]], Image]:
    """One static program at this path."""
    def make(name: str, programs: list[Path]) -> Image:
        return Image(name, (path,), {path: programs[0]}, user=user, folders=folders)
    return make


def pause(name: str, _: list[Path]) -> Image:
    """Ours, compiled once for each content of its source."""
    source = HERE / "pause/pause.c"
    target = cache_folder() / f"pause-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:  # others may be at it, too
            draft = Path(folder, "pause")
            _output("gcc", "-std=c11", "-Os", "-static", "-s", "-Wall", "-Wextra", "-Werror",
                    "-o", str(draft), str(source))
            draft.rename(target)
    return Image(name, ("/pause",), {"/pause": target}, user=65535)


def _libraries(programs: Iterable[Path]) -> dict[str, Path]:
    """The shared libraries of these, and their loader, where they look for them."""
    found = re.findall(r"(/\S+) \(0x", _output("ldd", *map(str, programs)))
    return {path: Path(path).resolve() for path in found}


def _shell() -> tuple[dict[str, Path], dict[str, str]]:
    """BusyBox, and the links by which it is all its programs: files and links of an image."""
    if not BUSYBOX.exists() or "not a dynamic" not in subprocess.run(
            ["ldd", BUSYBOX], capture_output=True, text=True, check=False).stderr:
        raise Refused(f"{BUSYBOX} is not a static one (on Debian: .ci/deps.sh cluster)", CANNOT)
    links = {f"/bin/{name}": "/bin/busybox" for name in _output(str(BUSYBOX), "--list").split() if name != "busybox"}
    return {"/bin/busybox": BUSYBOX}, links


def tools(name: str, _: list[Path]) -> Image:
    """A shell, and what fetches and reads: for tests, and beside programs that have none."""
    files, links = _shell()
    curl = Path("/usr/bin/curl")
    files |= {str(curl): curl, str(CERTIFICATES): CERTIFICATES} | _libraries([curl])
    return Image(name, ("/bin/sh",), files, user=65532, links=links)


def k6(name: str, programs: list[Path]) -> Image:
    """Like its makers' image it has a shell."""
    files, links = _shell()
    files |= {"/usr/bin/k6": programs[0], str(CERTIFICATES): CERTIFICATES}
    return Image(name, ("/usr/bin/k6",), files, user=12345, links=links, folders=("/home/k6",), working_dir="/home/k6")


def _python() -> Iterator[Path]:
    """The interpreter and its library, as Debian's packages have them."""
    packages = (f"{PYTHON}-minimal", f"lib{PYTHON}-minimal", f"lib{PYTHON}-stdlib")
    for line in _output("dpkg", "-L", *packages).splitlines():
        wanted = line == f"/usr/bin/{PYTHON}" or line.startswith(f"/usr/lib/{PYTHON}/")
        if wanted and not LEFT_OUT.search(line) and Path(line).is_file():
            yield Path(line)


def webhook(name: str, _: list[Path]) -> Image:
    """alerts/webhook, which needs Python alone."""
    files = {str(path): path for path in _python()}
    files |= _libraries(path for path in map(Path, list(files)) if path.suffix == ".so" or path.name == PYTHON)
    files |= {f"/app/webhook/{path.name}": path for path in (ROOT / "alerts/webhook").glob("*.py")}
    return Image(name, (f"/usr/bin/{PYTHON}", "-B", "-u", "-m", "webhook"), files, user=65532, working_dir="/app")


def glassbox_version() -> str:
    return (ROOT / "telemetry/VERSION").read_text().strip()


def _sources() -> Iterator[Path]:
    """What the Dockerfile copies and what it is made by; the packages that it installs are asked apart."""
    for name in ("Dockerfile", "CMakeLists.txt", "CMakePresets.json", "src", "telemetry", "tests/CMakeLists.txt",
                 "tests/faults", "tests/testserver", "tests/unit"):
        path = ROOT / name
        for found in sorted(path.rglob("*")) if path.is_dir() else [path]:
            parts = found.relative_to(ROOT).parts
            if found.is_file() and found.name != "README.md" and not {"build", "__pycache__"} & set(parts):
                yield found


def glassbox(name: str, _: list[Path]) -> Path:
    """Our own, by our own Dockerfile. It takes minutes, with tests among them, so its archive is kept
    under the digest of all that goes into it."""
    digest = hashlib.sha256(name.encode() + _output(str(ROOT / ".ci/deps.sh"), "--list", "build", "unit").encode())
    for source in _sources():
        digest.update(f"{source.relative_to(ROOT)}\0{source.stat().st_size}\0".encode() + source.read_bytes())
    target = cache_folder() / f"image-glassbox-{digest.hexdigest()[:16]}.tar"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        built = subprocess.run([ROOT / ".ci/image.sh", "--archive", target, name], check=False, stdout=2,
                               stdin=subprocess.DEVNULL)
        if built.returncode != 0:
            raise Refused(f"our own image cannot be built: .ci/image.sh --archive {target} {name}",
                          CANNOT if built.returncode == CANNOT else 1)
    return target
