"""The page of a benchmark in docs/, with a table of every measurement beside it."""

from __future__ import annotations

import csv
import io
import os
import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.engine.peers import NAME, PLAIN
from benchmarks.engine.plot import plot
from benchmarks.engine.records import Record
from benchmarks.engine.results import (
    LOOSE,
    TIGHT,
    Result,
    group,
    has_plain,
    is_divided,
    kinds,
    results,
)
from benchmarks.engine.suite import Suite

INCOMPLETE: Final = "†"
MEMBERS: Final = {"tuned": "tuned on", "held-out": "held out"}
"""Members of the table of problems, in words."""

COLUMNS: Final = (
    "data",
    "kind",
    "member",
    "lambda",
    "peer",
    "seconds to 1e-6",
    "seconds to 1e-10",
    "status",
    "tolerance",
    "memory MB",
    "start seconds",
    "reads",
)
"""Of the table of every measurement; `reads` is the time in units of one read of X."""

METHOD: Final = """\
Every peer is run at a ladder of its tolerances. Its coefficients are put into the objective, and
its time is that of the fastest tolerance whose objective lies within 1e-10 (or 1e-6) of the lowest
objective of all solvers, relative to it. The clock covers `fit` alone, in which chainrule proves
its tolerance; the certificate in numbers is asked for after it. Imports and the loading of compiled
code come before the fit. Large data are fitted in a fresh process each time; other data are fitted
repeatedly in one process, and the median counts. A loop of fits is reported per fit. Peers are run
with as many threads as they take by default, and those whose time depends on it also with one
thread of BLAS and OpenMP. A peer is stopped after a multiple of chainrule's time. Memory is the
peak of the process during the fit above its level before. One read is the time of one pass over X
(the sum of its entries on two threads)."""

INSTALLATIONS: Final = """\
chainrule is installed with its compiled passes, `pip install 'chainrule[fast]'`; "without numba"
and `chainrule plain` are the same release from `pip install chainrule`."""

MEMBERSHIP: Final = """\
The engine may be tuned on one half of the data sets; the other half, with other seeds, sizes and
skews, is held out and only measured."""


def page(suite: Suite, records: list[Record], scale: int) -> str:
    """Return the page."""
    found = results(suite, records, scale)
    lines = [
        f"# {suite.title}",
        "",
        f"Written by `make bench-{suite.name}`. " + " ".join(_machine(suite, records)),
        "",
        METHOD,
        "",
        *([suite.premise, ""] if suite.premise else []),
        f"![Time of the fastest peer over that of chainrule, per data set]({suite.image})",
        "",
        *_summary(found),
        *_first(suite, records, scale),
        *_passes(suite, records, scale),
        *suite.more(records),
        *_by_kind(found),
        *_peers(suite, found),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _machine(suite: Suite, records: list[Record]) -> Iterator[str]:
    versions = {
        suite.peers[r["peer"]].package: r["version"]
        for r in records
        if "version" in r and r["peer"] in suite.peers
    }
    yield f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()};"
    for library in ("numpy", "scipy", "numba"):
        try:
            versions[library] = version(library)
        except PackageNotFoundError:
            continue
    yield ", ".join(f"{name} {number}" for name, number in sorted(versions.items())) + "."


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":")[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def _summary(found: Sequence[Result]) -> Iterator[str]:
    """Yield the geometric means, per kind of data and per member."""
    yield "## In short"
    yield ""
    if is_divided(found):
        yield MEMBERSHIP
        yield ""
    yield "Ratios are geometric means, over all cases (data set and lambda), of the time of the"
    yield "fastest peer over that of chainrule: above 1, chainrule is faster. Losses are in bold."
    yield ""
    plain = has_plain(found)
    head = ["kind", "data sets", "cases", "to 1e-10", "least", "slower in", "to 1e-6"]
    head += ["over scikit-learn"] + (["without numba", "slower in"] if plain else [])
    yield _row(head)
    yield _row(["---"] * len(head))
    for (kind, member), chosen in kinds(found).items():
        tight = group(chosen)
        loose = group(chosen, target=LOOSE)
        theirs = group(chosen, prefix="sklearn ")
        cells = [
            kind,
            MEMBERS[member] if is_divided(found) else "all",
            str(tight.cases),
            _times(tight.mean),
        ]
        cells += [_times(min(tight.ratios, default=None)), _lost(tight.lost), _times(loose.mean)]
        cells.append(_times(theirs.mean))
        if plain:
            own = group(chosen, ours=PLAIN)
            cells += [_times(own.mean), _lost(own.lost)]
        yield _row(cells)
    yield ""
    alone = group(found).alone
    if alone:
        yield f"Cases in which no peer reached 1e-10 within its limit, in no mean: {alone}."
        yield ""
    incomplete = sum(result.missing > 0 for result in found)
    if incomplete:
        yield (
            f"Cases in which not every peer was measured, marked {INCOMPLETE}: {incomplete} of "
            f"{len(found)}."
        )
        yield ""
    if plain:
        yield INSTALLATIONS
        yield ""


def _first(suite: Suite, records: list[Record], scale: int) -> Iterator[str]:
    """Yield whole processes, from their start to the answer."""
    times: dict[tuple[str, str], list[float]] = {}
    for record in records:
        if record["job"] == "cold" and record["scale"] == scale and "seconds" in record:
            times.setdefault((record["set"], record["peer"]), []).append(record["seconds"])
    if not times:
        return
    peers = list(dict.fromkeys(peer for _, peer in times))
    yield "## From the start of a process to the answer"
    yield ""
    yield "Each process starts, loads the data, imports the library, fits once with default"
    yield "arguments, and ends. `nothing` ends after loading the data."
    yield ""
    yield _row(["data", *peers])
    yield _row(["---"] * (1 + len(peers)))
    for name in suite.problems:
        found = {peer: median(times[name, peer]) for peer in peers if (name, peer) in times}
        if found:
            ours = found.get(NAME, float("inf"))
            cells = [f"{found[peer]:.2f} s" if peer in found else "" for peer in peers]
            others = [found[peer] for peer in found if not peer.startswith((NAME, "nothing"))]
            if others and min(others) < ours < float("inf"):
                cells[peers.index(NAME)] = f"**{ours:.2f} s**"
            yield _row([name, *cells])
    yield ""


def _passes(suite: Suite, records: list[Record], scale: int) -> Iterator[str]:
    of = {
        (record["job"], record.get("set")): record
        for record in records
        if record["job"] in ("read", "pass") and record["scale"] == scale
    }
    shown = [name for name in suite.problems if "seconds" in of.get(("pass", name), {})]
    if not shown:
        return
    yield "## One pass for loss and gradient, against a read of X"
    yield ""
    yield _row(["data", "X", "read", "pass", "share of the read's speed"])
    yield _row(["---"] * 5)
    for name in shown:
        read, seconds = of["read", name], of["pass", name]["seconds"]
        cells = [name, f"{read['megabytes']:.0f} MB", shown_time(read["read"])]
        yield _row([*cells, shown_time(seconds), f"{100 * read['read'] / seconds:.0f}%"])
    yield ""


def _by_kind(found: Sequence[Result]) -> Iterator[str]:
    """Yield one table per kind of data and member, with the fastest peer of each case."""
    plain = has_plain(found)
    head = ["data", "lambda", NAME, "solver", "passes", "certified gap", "memory"]
    head += [PLAIN] if plain else []
    head += ["fastest peer", "to 1e-6", "fastest of scikit-learn"]
    for (kind, member), chosen in kinds(found).items():
        title = f"{kind[0].upper()}{kind[1:]}"
        title += f", {MEMBERS[member]}" if is_divided(found) else ""
        yield f"## {title}: time to 1e-10"
        yield ""
        yield _row(head)
        yield _row(["---"] * len(head))
        for result in chosen:
            yield _row(_case(result, plain))
        yield ""


def _case(result: Result, plain: bool) -> list[str]:
    mark = f" {INCOMPLETE}" if result.missing else ""
    cells = [result.problem.name + mark, f"{result.lam:g}"]
    row = result.best.get(NAME, {}).get(TIGHT)
    if row is None:
        cells += [f"**{status(result, NAME)}**", "", "", "", ""]
    else:
        cells += [
            shown_time(row["seconds"]),
            row.get("solver") or "",
            f"{row['passes']:.1f}" if row.get("passes") is not None else "",
            f"{row['proven']:.0e}" if row.get("proven") is not None else "",
            f"{row['memory']:.0f} MB",
        ]
    if plain:
        seconds = result.seconds(PLAIN)
        shown = status(result, PLAIN) if seconds is None else shown_time(seconds)
        cells.append(f"**{shown}**" if result.loses(ours=PLAIN) else shown)
    cells += [_peer(result, "", TIGHT), _peer(result, "", LOOSE), _peer(result, "sklearn ", TIGHT)]
    return cells


def _peer(result: Result, prefix: str, target: float) -> str:
    """Return the fastest peer with its time and ratio, in bold where it was faster."""
    peer, ratio = result.fastest(prefix, target), result.ratio(prefix, target)
    if peer is None:
        return ""
    if ratio is None:
        return f"{peer[0]} {shown_time(peer[1])}"
    shown = f"{peer[0]} {shown_time(peer[1])} ({_ratio(ratio)}x)"
    return f"**{shown}**" if ratio < 1 else shown


def _peers(suite: Suite, found: Sequence[Result]) -> Iterator[str]:
    """Yield how every peer did over all cases."""
    yield "## Every peer"
    yield ""
    yield f"Every time of every peer is in [{suite.name}.csv]({suite.name}.csv)."
    yield ""
    yield _row(["peer", "library", "cases", "reached 1e-10", "stopped", "failed", "fastest of all"])
    yield _row(["---"] * 7)
    for name, peer in suite.peers.items():
        asked = [result for result in found if name in result.best]
        if not asked:
            continue
        reached = [result for result in asked if result.seconds(name) is not None]
        stopped = [r for r in asked if name in r.limits and r.seconds(name) is None]
        failed = [
            result
            for result in asked
            if name in result.failures and name not in result.limits
            if result.seconds(name) is None
        ]
        first = sum(
            result.seconds(name)
            == min(s for other in result.best if (s := result.seconds(other)) is not None)
            for result in reached
        )
        counts = [len(asked), len(reached), len(stopped), len(failed), first]
        yield _row([name, peer.package, *map(str, counts)])


def table(suite: Suite, found: Sequence[Result]) -> str:
    """Return every time of every peer as comma-separated values."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for result in found:
        problem = result.problem
        for peer, best in result.best.items():
            row = best.get(TIGHT) or best.get(LOOSE) or {}
            read = row["seconds"] / result.read if row and result.read else None
            writer.writerow(
                [problem.name, problem.kind, MEMBERS[problem.member], f"{result.lam:g}", peer]
                + [_digits(result.seconds(peer, target)) for target in (LOOSE, TIGHT)]
                + ["" if TIGHT in best else status(result, peer), row.get("tolerance", "")]
                + [_digits(value) for value in (row.get("memory"), row.get("start"), read)]
            )
    return text.getvalue()


def status(result: Result, peer: str) -> str:
    """Return why a peer has no time to 1e-10."""
    if peer in result.limits:
        cause = "" if result.failures[peer] == "time" else " (memory)"
        return f"> {result.limits[peer]:.2g} s{cause}"
    if peer in result.failures:
        return f"failed: {result.failures[peer][:60]}"
    return "not reached" if peer in result.best else "not measured"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _digits(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _ratio(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def _times(ratio: float | None) -> str:
    if ratio is None:
        return ""
    return _ratio(ratio) if ratio >= 1 else f"**{_ratio(ratio)}**"


def _lost(count: int) -> str:
    return f"**{count}**" if count else "0"


def shown_time(seconds: float) -> str:
    """Return seconds as text, in milliseconds where they are few."""
    if seconds < 1e-3:
        return f"{seconds * 1e3:.2f} ms"
    return f"{seconds * 1e3:.1f} ms" if seconds < 0.1 else f"{seconds:.2f} s"


def write(suite: Suite, records: list[Record], scale: int, docs: Path | None) -> list[Path]:
    """Write page, table and plot; print the page where there are no docs to write to."""
    text = page(suite, records, scale)
    if docs is None:
        print(text)
        return []
    found = results(suite, records, scale)
    targets = [docs / f"{suite.name}.md", docs / f"{suite.name}.csv", docs / suite.image]
    targets[0].write_text(text, encoding="utf-8")
    targets[1].write_text(table(suite, found), encoding="utf-8")
    plot(found, targets[2])
    return targets
