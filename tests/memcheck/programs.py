"""Runs every unit program that ctest knows under valgrind's memcheck: `programs.py BUILD_FOLDER`, or
one: `programs.py --one PROGRAM`.

What memcheck says is a failure, whatever the program says. What the program says counts, too, but for
those whose assertions are about time. Prints one line a program that failed, with what was said, and a
closing line that a script can read.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOUND = 99      # our exit status for what memcheck found
PATIENCE = 170  # seconds a program

MEMCHECK = ["valgrind", "--quiet", "--tool=memcheck", f"--error-exitcode={FOUND}",
            "--leak-check=full", "--errors-for-leak-kinds=definite,indirect",
            "--show-leak-kinds=definite,indirect", "--num-callers=24", "--fair-sched=yes",
            f"--suppressions={HERE / 'valgrind.supp'}"]

# Not run, and why.
LEFT_OUT = {
    "service/burner": "measures CPU time by the thousandth, which is memcheck's own there",
    "service/descriptors": "lowers the limit of descriptors, which valgrind keeps for itself",
    "service/listener": "lowers the limit of descriptors, which valgrind keeps for itself",
}
# Run, but what they assert about time is not held against them.
ABOUT_TIME = {
    "telemetry/otlp/tls": "a handshake must end within half a second",
}


def programs(build):
    """(name, command, folder) of each test that is a program of ours."""
    listed = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], check=True,
                            capture_output=True, text=True).stdout
    for test in json.loads(listed)["tests"]:
        command = test.get("command") or ["missing"]
        folder = next((p["value"] for p in test.get("properties", [])
                       if p["name"] == "WORKING_DIRECTORY"), str(build))
        if Path(command[0]).is_relative_to(build):
            yield test["name"], command, folder


def run(test):
    """(name, failed, what was said)"""
    name, command, folder = test
    try:
        done = subprocess.run([*MEMCHECK, *command], cwd=folder, capture_output=True, text=True,
                              errors="replace", timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return name, True, f"no end in {PATIENCE} s"
    fine = done.returncode == 0 or (done.returncode not in (FOUND, *range(128, 256))
                                    and done.returncode > 0 and name in ABOUT_TIME)
    return name, not fine, done.stdout[-2000:] + done.stderr[-6000:]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", nargs="?", type=lambda text: Path(text).resolve())
    parser.add_argument("--one", metavar="PROGRAM")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    if arguments.one:
        _, failed, said = run((arguments.one, [arguments.one], "."))
        print(said)
        return 1 if failed else 0
    start = time.monotonic()
    tests = list(programs(arguments.build))
    names = {name for name, _, _ in tests}
    unknown = (LEFT_OUT.keys() | ABOUT_TIME.keys()) - names
    wanted = [test for test in tests if test[0] not in LEFT_OUT]
    with ThreadPoolExecutor(arguments.jobs) as pool:
        results = list(pool.map(run, wanted))
    failed = [(name, said) for name, bad, said in results if bad]
    for name, said in failed:
        print(f"FAILED: {name}\n{said}", file=sys.stderr)
    for name in sorted(unknown):
        print(f"FAILED: {name} is in a list of exceptions, but is no program", file=sys.stderr)
    for name, why in LEFT_OUT.items():
        print(f"left out: {name}: {why}", file=sys.stderr)
    print(f"memcheck: {time.monotonic() - start:.0f} s", file=sys.stderr)
    print(f"{len(results) - len(failed)} passed, {len(failed) + len(unknown)} failed, 0 skipped")
    return 1 if failed or unknown or not results else 0


if __name__ == "__main__":
    sys.exit(main())
