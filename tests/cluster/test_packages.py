"""What .ci/deps.sh asks of apt: nothing that would put a machine's Docker out of order."""

import os
import subprocess
from pathlib import Path

import pytest

DEPS = Path(__file__).resolve().parents[2] / ".ci/deps.sh"
# dpkg-query as of a machine that has all but these two by their own names: `-W -f FORMAT` of Debian's dpkg, whose
# answer to ${db:Status-Abbrev} is three characters.
DPKG = """#!/usr/bin/python3
import subprocess, sys
names = subprocess.check_output([{deps!r}, "--list", "image"], text=True).split()
for name in [name for name in names if name != "runc"] + {others!r}:
    package, _, provides = name.partition(":")
    fields = {{"Status-Abbrev": "ii ", "Package": package, "Provides": provides}}
    print(sys.argv[sys.argv.index("-f") + 1].replace("db:", "").replace("$", "").format(**fields).replace("\\\\n", "\\n"), end="")
"""


@pytest.mark.parametrize("others, asked", [
    ([], "runc"),
    (["containerd.io:containerd (= 1.7.27-1), runc"], ""),  # as Docker's package says; Debian's runc would remove it
    (["runcible:runcible-spoon"], "runc"),
])
def test_what_another_package_provides_is_there(others: list[str], asked: str, tmp_path: Path) -> None:
    for name, text in (("dpkg-query", DPKG.format(deps=str(DEPS), others=others)), ("tee", "#!/bin/sh\ncat >/dev/null"),
                       ("chmod", "#!/bin/sh"), ("sudo", '#!/bin/sh\nexec "$@"'),
                       ("apt-get", f'#!/bin/sh\necho "$@" >>{tmp_path}/asked')):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    subprocess.run([DEPS, "image"], check=True, capture_output=True, timeout=60,
                   env=os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    log = tmp_path / "asked"
    calls = log.read_text().splitlines() if log.exists() else []
    assert [call.partition(" install ")[2] for call in calls if " install " in call] == ([asked] if asked else [])
    # Nothing that is there goes, whatever conflicts.
    assert all("--no-remove" in call for call in calls if " install " in call)
