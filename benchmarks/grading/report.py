"""The figures in words: beside what was promised, on the screen and in ``docs/grading.md``."""

from __future__ import annotations

import os
import platform
import re
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.grading import judge
from benchmarks.grading.measures import ANSWERS, MUTANTS, Figures
from benchmarks.grading.noise import HARMFUL

PAGE = Path(__file__).parents[2] / "docs" / "grading.md"
BEGIN, END = "<!-- figures -->", "<!-- end of figures -->"
Row = tuple[str, str, str]


def merged(parts: Sequence[Figures]) -> Figures:
    """Put figures of parts together: counts add, times are put in one list, the slowest counts."""
    whole: Figures = {}
    for part in parts:
        for name, value in part.items():
            whole[name] = _joined(whole[name], value, name) if name in whole else value
    return whole


def _joined(one: Any, other: Any, name: str) -> Any:  # noqa: ANN401
    if isinstance(one, dict):
        return {key: one.get(key, 0) + other.get(key, 0) for key in {**one, **other}}
    if isinstance(one, list):
        return [*one, *other]
    return max(one, other) if name.endswith("slowest") else one + other


def rows(figures: Figures) -> Iterator[Row]:
    """Yield what was measured, the figure, and what is promised."""
    if "right" in figures:
        found = figures["right"]
        yield "right answers, rewritten at random", f"{found['tried']:,}", "3,000"
        yield "of these rejected", str(found["rejected"]), "0"
    for kind, least in zip(MUTANTS, ("95%", "80%"), strict=True):
        if kind in figures:
            yield from _wrong_rows(kind, figures[kind], least)
    if "again" in figures:
        yield "an answer, median", _ms(statistics.median(figures["again"])), "50 ms"
        yield "an answer, slowest", _ms(max(figures["again"])), "1,000 ms"
    if "first" in figures:
        count = len(figures["first"])
        name = (
            f"the first answer to a question, wrong twice, in a fresh process ({count} questions)"
        )
        yield f"{name}, median", _ms(statistics.median(figures["first"])), ""
        yield "the same, slowest", _ms(max(figures["first"])), "1,000 ms"
    if "noise" in figures:
        tried = sum(figures["noise"].values())
        yield "inputs of noise, each with a verdict", f"{tried:,}", "100,000"
        yield "the slowest of these", _ms(figures["noise slowest"]), "1,000 ms"
        name = f"inputs meant to do harm ({len(HARMFUL)}), slowest"
        yield name, _ms(figures["harmful slowest"]), "milliseconds"
    if "class" in figures:
        count = figures["class"]["submissions"]
        name = f"{count:,} submissions of {ANSWERS} answers, on {min(2, os.cpu_count() or 1)} cores"
        yield name, f"{figures['class seconds']:.0f} s", "180 s"


def _wrong_rows(kind: str, tally: dict[str, int], least: str) -> Iterator[Row]:
    tried = sum(tally.values())
    yield f"wrong answers with {kind}", f"{tried:,}", ""
    for name in judge.OUTCOMES:
        count = tally.get(name, 0)
        shown = str(count) if name in (judge.ACCEPTED, judge.ASSERTED) else f"{count / tried:.1%}"
        yield f"of these: {name}", shown, "0" if name in (judge.ACCEPTED, judge.ASSERTED) else ""
    named = sum(tally.get(name, 0) for name in judge.NAMED) / tried
    yield "of these: named, alone or in a tie of at most three", f"{named:.1%}", least


def _ms(seconds: float) -> str:
    return f"{seconds * 1e3:,.1f} ms" if seconds < 0.01 else f"{seconds * 1e3:,.0f} ms"


def table(figures: Figures) -> str:
    """Return the figures as a table in Markdown."""
    machine = f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores"
    lines = [
        f"Written by `python -m benchmarks.grading --write` ({machine}).",
        "",
        "| what | measured | promised |",
        "|---|---|---|",
        *(f"| {what} | {measured} | {promised} |" for what, measured, promised in rows(figures)),
    ]
    return "\n".join(lines)


def write(figures: Figures) -> None:
    """Put the table into the page on grading."""
    page = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(f"{BEGIN}.*?{END}", re.DOTALL)
    filled = f"{BEGIN}\n{table(figures)}\n{END}"
    PAGE.write_text(pattern.sub(lambda _: filled, page), encoding="utf-8")
