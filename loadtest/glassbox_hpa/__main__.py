"""Holds a prediction against a recording of a real autoscaler, side by side: `python -m glassbox_hpa RECORDING`.

    0  it did as foretold      1  it did not      2  no recording, or one that cannot be foretold
"""

import argparse
import sys
from pathlib import Path
from typing import Mapping, Optional, Sequence

from .compare import DEMO_LIMITS, compare
from .model import predict
from .recording import WORLD, read

EVERY = 15  # seconds between two lines, besides those where something changes


def shown(metrics: Mapping[str, Optional[float]]) -> str:
    """Values, in the order of the spec."""
    return "  ".join("      -" if value is None else f"{value:7.1f}" for value in metrics.values())


def main(argv: Optional[Sequence[str]] = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m glassbox_hpa", description=__doc__.splitlines()[0],
                                     epilog="exit status: 0 as foretold; 1 not; 2 cannot be read, or not be foretold")
    parser.add_argument("recording", type=Path, help="a file of tests/e2e/recordings")
    try:
        recording = read(parser.parse_args(argv).recording)
        moments = predict(recording.spec, recording.profile, WORLD, recording.samples[0].current)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    names = ", ".join(metric.name for metric in recording.spec.metrics)
    print(f"{recording.what}. Wanted, current, ready, {names}: foretold, with the least and the most in brackets; "
          "recorded.\n")
    last = None
    for one in recording.samples:
        told = moments[min(round(one.t), len(moments) - 1)]
        key = (told.wanted, told.current, told.ready, one.desired, one.current, one.ready, int(one.t) // EVERY)
        if key != last:
            print(f"{one.t:6.0f} s   {told.wanted} {told.current} {told.ready} [{told.low}-{told.high}] "
                  f"{shown(told.metrics)}   |   "
                  f"{one.desired} {one.current} {one.ready} {shown(one.metrics)}")
        last = key
    result = compare(moments, recording.samples, DEMO_LIMITS)
    print(f"\n{result.markdown()}")
    print("\n".join(result.faults) or "as foretold")
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())
