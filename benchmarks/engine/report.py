"""The page of a benchmark in docs/ and its plot, from the log of measurements."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import geometric_mean, median
from typing import Any, Final

from benchmarks.engine.peers import NAME
from benchmarks.engine.problems import Problem
from benchmarks.engine.records import TARGETS, Record, fits, reached
from benchmarks.engine.suite import Suite

TIGHT: Final = min(TARGETS)


@dataclass
class Result:
    """What was found out about one problem at one lambda.

    Attributes
    ----------
    problem : Problem
    lam : float
    best : dict
        peer -> target -> the record that counts.
    limits : dict
        peer -> the seconds after which it was stopped.
    failures : dict
        peer -> what went wrong.
    read : float or None
        Seconds of one read of X.
    """

    problem: Problem
    lam: float
    best: dict[str, dict[float, Record]] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    read: float | None = None

    def seconds(self, peer: str, target: float = TIGHT) -> float | None:
        """Return the time that a peer took to an accuracy."""
        row = self.best.get(peer, {}).get(target)
        return None if row is None else float(row["seconds"])

    def fastest(self, prefix: str = "", target: float = TIGHT) -> tuple[str, float] | None:
        """Return the fastest peer, other than chainrule, whose name begins like this."""
        found = [
            (seconds, peer)
            for peer in self.best
            if not peer.startswith(NAME) and peer.startswith(prefix)
            if (seconds := self.seconds(peer, target)) is not None
        ]
        return (min(found)[1], min(found)[0]) if found else None

    def ratio(self, prefix: str = "") -> float | None:
        """Return how many times longer the fastest of some peers took than chainrule."""
        ours, peer = self.seconds(NAME), self.fastest(prefix)
        return None if ours is None or peer is None else peer[1] / ours


def results(suite: Suite, records: list[Record], scale: int) -> list[Result]:
    """Gather the log, problem by problem."""
    found = []
    keys = {(r["set"], r["lambda"]) for r in records if r["job"] == "fit" and r["scale"] == scale}
    places = list(suite.problems)
    keys = {key for key in keys if key[0] in suite.problems}
    for name, lam in sorted(keys, key=lambda key: (places.index(key[0]), key[1] == 0, key[1])):
        base = {"set": name, "scale": scale, "lambda": lam}
        result = Result(suite.problems[name], lam)
        for peer in suite.peers:
            rows = fits(records, base, peer)
            if not rows:
                continue
            result.best[peer] = reached(records, base, peer)
            for row in rows:
                if row.get("error") in ("time", "memory"):
                    result.limits[peer] = float(row["limit"])
                if "error" in row:
                    result.failures[peer] = row["error"]
        for record in records:
            if record["job"] == "read" and (record["set"], record["scale"]) == (name, scale):
                # what fits a cache is no read of memory
                result.read = record.get("read") if record.get("megabytes", 0) > 32 else None
        found.append(result)
    return found


def page(suite: Suite, records: list[Record], scale: int) -> str:
    """Return the page."""
    found = results(suite, records, scale)
    lines = [
        f"# {suite.title}",
        "",
        f"Written by `make bench-{suite.name}`. " + " ".join(_machine(suite, records)),
        "",
        "Each fit runs in a fresh process. Every peer is run at a ladder of its tolerances; its",
        "coefficients are put into the objective, and the time that counts is that of the fastest",
        "tolerance whose objective lies within 1e-10 (or 1e-6) of the lowest that anybody found,",
        "relative to it. The clock covers `fit` alone, chainrule's proof included. What a library",
        "imports and loads before is in the column `start`, for chainrule as for all others: its",
        "passes are compiled once an installation, and loaded by `warm_up` (or by the first large",
        "fit). Memory is the peak of the process above what it held with X in place. A read is a",
        "plain sum of X on two threads. `> s`: stopped after so long.",
        "",
        *([suite.premise, ""] if suite.premise else []),
        f"![Times of the peers as multiples of chainrule's]({suite.image})",
        "",
        *_summary(found),
        "",
        *_headline(found),
        "",
        *_passes(records, scale),
        *suite.more(records),
        *_everything(found),
    ]
    return "\n".join(lines) + "\n"


def _machine(suite: Suite, records: list[Record]) -> Iterator[str]:
    versions = {
        suite.peers[r["peer"]].package: r["version"]
        for r in records
        if "version" in r and r["peer"] in suite.peers
    }
    yield f"{_processor()}, {os.cpu_count()} cores, Python {platform.python_version()};"
    versions |= {lib: version(lib) for lib in ("numpy", "scipy", "numba")}
    yield ", ".join(f"{name} {number}" for name, number in sorted(versions.items())) + "."
    cold = {
        module: [r["seconds"] for r in records if r["job"] == "cold" and r["peer"] == module]
        for module in ("chainrule", "sklearn.linear_model")
    }
    if all(cold.values()):
        ours, theirs = (median(times) for times in cold.values())
        yield (
            "A process that starts, imports, fits breast cancer and ends takes "
            f"{ours:.2f} s, with scikit-learn {theirs:.2f} s."
        )


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":")[1].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()


def _summary(found: list[Result]) -> Iterator[str]:
    yield "## In short"
    yield ""
    for title, prefix in (("the fastest peer", ""), ("the fastest solver of sklearn", "sklearn ")):
        for which in ("tall sets", "all sets"):
            ratios = [
                ratio
                for result in found
                if result.problem.kind == "tall" or which == "all sets"
                if (ratio := result.ratio(prefix)) is not None
            ]
            if ratios:
                yield (
                    f"- To 1e-10, geometric mean over {len(ratios)} problems ({which}): {title} "
                    f"takes {geometric_mean(ratios):.1f} times as long as chainrule "
                    f"(least {min(ratios):.2f})."
                )


def _headline(found: list[Result]) -> Iterator[str]:
    yield "## Time to 1e-10"
    yield ""
    yield (
        "| data | lambda | chainrule | solver | passes | reads' time | memory | certified gap | "
        "fastest peer | fastest of sklearn |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for result in found:
        row = result.best.get(NAME, {}).get(TIGHT)
        cells = [result.problem.name, f"{result.lam:g}"]
        if row is None:
            cells += ["not reached", "", "", "", "", ""]
        else:
            times = f"{row['seconds'] / result.read:.1f}" if result.read else ""
            cells += [
                shown_time(row["seconds"]),
                row.get("solver") or "",
                f"{row['passes']:.1f}" if row.get("passes") is not None else "",
                times,
                f"{row['memory']:.0f} MB",
                f"{row['proven']:.0e}" if row.get("proven") is not None else "",
            ]
        for prefix in ("", "sklearn "):
            peer, ratio = result.fastest(prefix), result.ratio(prefix)
            cells.append("" if peer is None else f"{peer[0]} {shown_time(peer[1])}")
            if ratio is not None:
                cells[-1] += f" ({ratio:.1f}x)"
        yield "| " + " | ".join(cells) + " |"


def _passes(records: list[Record], scale: int) -> Iterator[str]:
    shown = [
        record
        for record in records
        if record["job"] == "read" and record["scale"] == scale and "pass" in record
        if record["megabytes"] >= 32
    ]
    if not shown:
        return
    yield "## One pass for loss and gradient, against a read of X"
    yield ""
    yield "| data | X | read | pass | share of the read's speed |"
    yield "|---|---|---|---|---|"
    for record in shown:
        yield (
            f"| {record['set']} | {record['megabytes']:.0f} MB | {shown_time(record['read'])} | "
            f"{shown_time(record['pass'])} | {100 * record['read'] / record['pass']:.0f}% |"
        )
    yield ""


def _everything(found: list[Result]) -> Iterator[str]:
    yield "## Every peer"
    for result in found:
        yield ""
        yield f"### {result.problem.name}, lambda = {result.lam:g}"
        yield ""
        yield "| | to 1e-6 | to 1e-10 | reads' time | memory | start |"
        yield "|---|---|---|---|---|---|"
        for peer, best in result.best.items():
            cells = [peer]
            for target in TARGETS:
                row = best.get(target)
                cells.append(shown_time(row["seconds"]) if row else _why(result, peer))
            row = best.get(TIGHT) or best.get(max(TARGETS))
            ratio = row["seconds"] / result.read if row and result.read else None
            cells.append(f"{ratio:.1f}" if ratio else "")
            cells.append(f"{row['memory']:.0f} MB" if row else "")
            cells.append(f"{row['start']:.1f} s" if row and "start" in row else "")
            yield "| " + " | ".join(cells) + " |"


def _why(result: Result, peer: str) -> str:
    if peer in result.limits:
        what = "" if result.failures[peer] == "time" else " (memory)"
        return f"> {result.limits[peer]:.0f} s{what}"
    return f"failed: {result.failures[peer][:60]}" if peer in result.failures else "not reached"


def shown_time(seconds: float) -> str:
    """Return seconds as text, in milliseconds where they are few."""
    return f"{seconds * 1e3:.1f} ms" if seconds < 0.1 else f"{seconds:.2f} s"


def plot(suite: Suite, found: list[Result], target: Path) -> None:
    """Draw each peer's time to 1e-10 as a multiple of chainrule's."""
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    shown = [result for result in found if result.seconds(NAME) is not None]
    figure, axes = plt.subplots(figsize=(9, 1.2 + 0.32 * len(shown)), layout="constrained")
    marks = "osD^v<>Pphd*X"
    names = [name for name in suite.peers if name != NAME]
    for place, name in enumerate(names):
        points: list[Any] = []
        for row, result in enumerate(shown):
            ours, theirs = result.seconds(NAME), result.seconds(name)
            if ours and theirs:
                points.append((theirs / ours, row))
        if points:
            across, down = zip(*points, strict=True)
            colour = f"C{place % 10}"
            axes.scatter(
                across, down, label=name, marker=marks[place % len(marks)], s=32, color=colour
            )
    axes.axvline(1.0, color="black", linewidth=1)
    axes.set_xscale("log")
    axes.set_yticks(
        range(len(shown)), [f"{result.problem.name}, λ = {result.lam:g}" for result in shown]
    )
    axes.invert_yaxis()
    axes.grid(axis="x", alpha=0.3)
    axes.set_xlabel("time to 1e-10, as a multiple of chainrule's")
    if axes.collections:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8, frameon=False)
    target.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(target, dpi=130)
    plt.close(figure)


def write(suite: Suite, records: list[Record], scale: int, docs: Path | None) -> list[Path]:
    """Write page and plot; print the page where there are no docs to write to."""
    text = page(suite, records, scale)
    if docs is None:
        print(text)
        return []
    target = docs / f"{suite.name}.md"
    target.write_text(text, encoding="utf-8")
    plot(suite, results(suite, records, scale), docs / suite.image)
    return [target, docs / suite.image]
