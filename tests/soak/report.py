"""A soak as a picture and as text."""

import os
import platform

from glassbox_load.plot import Line, Panel, Period, Picture
from verdict import HOUR, MIB, second_half, slope

COLOURS = {"dead": "#fbd5d5", "hang": "#fde8c8", "slow": "#fde8c8", "throttled": "#fdf3c4",
           "unavailable": "#fdf3c4", "partial": "#e3ecfa", "cut": "#ecdff5"}
NAMES = {"dead": "collector killed", "hang": "hangs", "slow": "hangs", "throttled": "429 or 503",
         "unavailable": "429 or 503", "partial": "takes all but one", "cut": "cuts its answers"}
RED, BLUE, GREEN, ORANGE, VIOLET = "#c0392b", "#2563a8", "#2e7d4f", "#c9730a", "#7a4fa3"


def column(samples, name, scale=1.0):
    return [(sample["seconds"], sample[name] * scale) for sample in samples]


def rate(samples, name, scale=1.0):
    """Growth a second between neighbours."""
    return [(later["seconds"], scale * (later[name] - earlier[name])
             / max(later["seconds"] - earlier["seconds"], 1e-9))
            for earlier, later in zip(samples, samples[1:])]


def added(samples, *names):
    return [(sample["seconds"], sum(sample[name] for name in names)) for sample in samples]


def trend(samples, name, scale):
    """The line of Theil and Sen through the middle of the second half."""
    points = second_half(samples, name)
    per_second = slope(points)
    ordered = sorted(value - per_second * at for at, value in points)
    base = ordered[len(ordered) // 2]
    return [(at, (base + per_second * at) * scale) for at in (points[0][0], points[-1][0])]


def panels(samples):
    mib = 1 / MIB
    return [
        Panel("Memory", "MiB", [Line("resident", BLUE, column(samples, "rss", mib)),
                                Line("proportional", GREEN, column(samples, "pss", mib)),
                                Line("private dirty", ORANGE, column(samples, "dirty", mib)),
                                Line("trend of resident", RED, trend(samples, "rss", mib), True)]),
        Panel("Descriptors", "open", [
            Line("descriptors", BLUE, column(samples, "descriptors")),
            Line("public connections", ORANGE, column(samples, "connections")),
            Line("threads", GREEN, column(samples, "threads"))]),
        Panel("Requests", "finished a second", [
            Line("requests", BLUE, rate(samples, "finished"))], logarithmic=True),
        Panel("CPU", "% of one CPU", [Line("service", VIOLET,
                                           rate(samples, "cpu_seconds", 100.0))]),
        Panel("Queues", "waiting", [Line("spans", BLUE, column(samples, "span_queue")),
                                    Line("log records", ORANGE, column(samples, "record_queue")),
                                    Line("log lines", GREEN, column(samples, "log_waiting"))]),
        Panel("Losses, all counted", "so far", [
            Line("spans", BLUE, added(samples, "spans_dropped", "spans_failed")),
            Line("log records", ORANGE, added(samples, "records_dropped", "records_failed")),
            Line("log lines", GREEN, column(samples, "log_dropped"))]),
    ]


def write_picture(path, soak, line, when):
    samples = soak.samples
    hourly = slope(second_half(samples, "rss")) * HOUR / MIB
    periods = [Period(NAMES[period["mode"]], COLOURS[period["mode"]], period["start"],
                      period["end"]) for period in soak.periods if period["mode"] in COLOURS]
    picture = Picture(
        f"glassbox: {soak.seconds / 60:g} minutes of soak, {line['finished']:,} requests",
        f"{when}, {machine()}; resident memory of the second half: {hourly:+.2f} MiB an hour",
        soak.seconds, panels(samples), periods, soak.rotations, "log rotated")
    path.write_text(picture.svg(), encoding="utf-8")


def machine():
    return f"Linux {platform.release().partition('-')[0]} {platform.machine()}, " \
           f"{len(os.sched_getaffinity(0))} CPUs"


def write_verdict(path, soak, findings, line, when):
    """Writes it; whether everything was good."""
    good = all(finding.good for finding in findings)
    tally = soak.tally
    rows = [f"soak of {soak.seconds / 60:g} minutes, {when}, {machine()}",
            f"{line['finished']:,} requests finished; {tally['sent']:,} well-behaved, "
            f"{tally['rude_clients']:,} rude clients, {tally['bursts']:,} bursts of wrk; "
            f"slowest pipeline {tally['slowest']} s",
            f"{len(soak.rotations)} rotations, {soak.sink.kills} kills of the collector, "
            f"{soak.scrapes} expositions read whole, {len(soak.samples)} samples", ""]
    rows += [f"{'good' if finding.good else 'BAD '}  {finding.what}: {finding.said}"
             for finding in findings]
    rows += ["", "flat, and the books balance" if good else "NOT GOOD"]
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return good
