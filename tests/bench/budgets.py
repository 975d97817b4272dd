"""The budgets, a row each: what was measured, what it may be, whether that is met.

Nothing here fails a build: a missed budget is said, with by how much. The figures of a row are a
median with the least and the most; ratios are medians of the rounds' own ratios.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

from contenders import EXTRAS
from measure import MANY_CONNECTIONS, Figures

COST_EVERYTHING, COST_TENTH, P99, MANY_GROWTH = 1.35, 1.2, 1.5, 1.1
SCRAPE_MS, START_MS = 1.0, 10.0
IDLE_BYTES, CONNECTION_BYTES, IMAGE_BYTES = 6 * 2**20, 1536, 8e6
ARRIVED = 0.99  # of the spans and of the log lines, or the row fails
SAME = 1.25  # two costs that differ by less are called the same


@dataclass(frozen=True)
class Row:
    """A line of the table, ready to print."""

    what: str
    measured: str
    budget: str = ""
    ratio: str = ""
    verdict: str = ""


def spread(values: Iterable[float], unit: str, digits: int = 1) -> str:
    """`median unit (least – most)`."""
    found = sorted(values)
    if not found:
        return "not measured"
    text = f"{median(found):,.{digits}f} {unit}"
    if len(found) > 1:
        text += f" ({found[0]:,.{digits}f} – {found[-1]:,.{digits}f})"
    return text


def judge(value: float, limit: float) -> str:
    """`met`, or by how much not."""
    if value <= limit:
        return "met"
    return f"MISSED by {(value / limit - 1) * 100:.1f} %"


def paired(ours: list[float], theirs: list[float]) -> float | None:
    """Median of the rounds' ratios; None unless both ran."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=False) if b > 0]
    return median(ratios) if ratios else None


def ratio_row(what: str, measured: str, budget: str, ratio: float | None, limit: float) -> Row:
    """A row whose budget is a ratio."""
    if ratio is None:
        return Row(what, measured, budget, "", "not measured")
    return Row(what, measured, budget, f"{ratio:.2f}", judge(ratio, limit))


def limit_row(what: str, measured: str, budget: str, value: float | None, limit: float) -> Row:
    """A row whose budget is a quantity."""
    if value is None:
        return Row(what, "not measured", budget, "", "not measured")
    return Row(what, measured, budget, f"{value / limit:.2f}", judge(value, limit))


def arrived(figures: Figures, name: str) -> float | None:
    """The least share of spans, log lines or log records that arrived in any round, None if none was asked."""
    shares = [
        share
        for turn in figures.cpu.get(name, [])
        for share in (turn.done.exported, turn.done.logged, turn.done.sent)
        if share is not None
    ]
    return min(shares) if shares else None


def cpu_rows(figures: Figures) -> list[Row]:
    """CPU a request."""
    micros = {name: [turn.micros for turn in turns] for name, turns in figures.cpu.items()}
    floor, nginx = micros.get("floor", []), micros.get("nginx", [])

    def row(name: str, limit: float | None) -> Row:
        what, ours = f"CPU a request, {name}", micros.get(name, [])
        text, ratio = spread(ours, "µs", 2), paired(ours, floor)
        share = arrived(figures, name)
        if limit is None:
            return Row(what, text, "", f"{ratio:.2f}" if ratio else "")
        found = ratio_row(what, text, f"{limit} × floor", ratio, limit)
        if share is not None and share < ARRIVED:
            verdict = f"FAILED: only {share:.1%} of spans or log lines arrived"
            return Row(what, text, found.budget, found.ratio, verdict)
        return found

    tenth = micros.get("10 % sampled", [])
    return [
        row("floor", None),
        row("everything", COST_EVERYTHING),
        row("10 % sampled", COST_TENTH),
        ratio_row("the same against nginx", spread(tenth, "µs", 2), "below nginx",
                  paired(tenth, nginx), 1.0),
        row("tracing off", None),
        row("nginx", None),
        *(extra_row(figures, name, micros) for name in EXTRAS),
    ]  # fmt: skip


def extra_row(figures: Figures, name: str, micros: dict[str, list[float]]) -> Row:
    """What it costs to switch on what `everything` leaves off: against everything, and the floor."""
    ours = micros.get(name, [])
    extra = paired(ours, micros.get("everything", []))
    ratio = paired(ours, micros.get("floor", []))
    share = arrived(figures, name)
    verdict = f"{extra:.2f} × everything" if extra else "not measured"
    if share is not None and share < ARRIVED:
        verdict = f"FAILED: only {share:.1%} of the records arrived"
    return Row(f"CPU a request, {name}", spread(ours, "µs", 2), "none",
               f"{ratio:.2f}" if ratio else "", verdict)  # fmt: skip


def speed_rows(figures: Figures) -> list[Row]:
    """Throughput and latency."""
    rows = []
    for name, turns in figures.cpu.items():
        busy = median(turn.busy for turn in turns)
        text = spread((turn.per_second for turn in turns), "/s", 0) + f", {busy:.2f} cores"
        rows.append(Row(f"throughput, {name}", text))
    floor = [found.p99 for found in figures.latency.get("floor", [])]
    for name, found in figures.latency.items():
        rows.append(Row(f"p50 at half load, {name}", spread((one.p50 for one in found), "µs", 0)))
        what, p99 = f"p99 at half load, {name}", [one.p99 for one in found]
        text, ratio = spread(p99, "µs", 0), paired(p99, floor)
        if name == "everything":
            rows.append(ratio_row(what, text, f"{P99} × floor", ratio, P99))
        else:
            rows.append(Row(what, text, "", f"{ratio:.2f}" if ratio else ""))
    return rows


def many_row(figures: Figures) -> Row:
    """Growth of CPU a request with the number of connections."""
    growth = {
        name: [most / few for few, most in turns] for name, turns in figures.many.items() if turns
    }
    ours, floor = growth.get("everything", []), growth.get("floor", [])
    text = f"{spread(ours, '×', 2)}; floor {spread(floor, '×', 2)}"
    return ratio_row(
        f"CPU a request at {MANY_CONNECTIONS:,} connections against 64", text,
        "floor's growth + 10 %", paired(ours, floor), MANY_GROWTH,
    )  # fmt: skip


def scrape_rows(figures: Figures) -> list[Row]:
    """What a scrape costs, and whom."""
    few, loaded, many = figures.scrape_few_ms, figures.scrape_loaded_ms, figures.scrape_many_ms
    plain = [found.p99 for found in figures.latency.get("everything", [])]
    scraped = [found.p99 for found in figures.latency_scraped]
    requests = " and ".join(f"{count:,}" for count in figures.scrape_requests)
    # Equal is what lies within the rounds' own spread.
    tolerance = max(1.1, max(plain) / median(plain)) if plain else 1.1
    return [
        limit_row("CPU of a scrape while loaded", spread(loaded, "ms", 3), "under 1 ms",
                  median(loaded) if loaded else None, SCRAPE_MS),
        ratio_row(f"CPU of a scrape after {requests} requests",
                  f"{spread(few, 'ms', 3)}; {spread(many, 'ms', 3)}", f"the same (to {SAME})",
                  median(many) / median(few) if few and many else None, SAME),
        ratio_row("p99 at half load while scraped each second", spread(scraped, "µs", 0),
                  f"the same (to {tolerance:.2f})", paired(scraped, plain), tolerance),
    ]  # fmt: skip


def size_rows(figures: Figures) -> list[Row]:
    """Memory, start, image."""
    idle = figures.idle_bytes or None
    each = figures.connection_bytes.get("everything")
    floor = figures.connection_bytes.get("floor")
    image = figures.image[0] if figures.image else None
    beside = f" (floor: {floor:,.0f})" if floor is not None else ""
    return [
        limit_row("memory, idle, default options", f"{(idle or 0) / 2**20:.2f} MiB", "6 MiB", idle,
                  IDLE_BYTES),
        limit_row("memory an idle connection", f"{each or 0:,.0f} bytes{beside}", "1,536 bytes",
                  each, CONNECTION_BYTES),
        limit_row("start to first 200", spread(figures.start_ms, "ms", 2), "10 ms",
                  median(figures.start_ms) if figures.start_ms else None, START_MS),
        limit_row("image", f"{(image or 0) / 1e6:.2f} MB"
                  + (f", {figures.image[1]}" if figures.image else ""), "8 MB", image, IMAGE_BYTES),
    ]  # fmt: skip


def rows(figures: Figures) -> list[Row]:
    """The whole table."""
    return [
        *cpu_rows(figures),
        *speed_rows(figures),
        many_row(figures),
        *scrape_rows(figures),
        *size_rows(figures),
    ]
