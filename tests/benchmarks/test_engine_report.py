"""The page of the engine's benchmark: what loses is bold, kinds and members stand apart."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.engine.__main__ import SUITE
from benchmarks.engine.peers import PLAIN
from benchmarks.engine.plot import least_ratios
from benchmarks.engine.report import page, write
from benchmarks.engine.results import group, results

Seconds = Mapping[str, float | str]
WON, LOST, HELD_OUT = "30,000 x 32", "4,600 x 57", "24,000 x 40"


def case(name: str, seconds: Seconds, lam: float = 1.0) -> list[dict[str, Any]]:
    """Return the records of one case: seconds to 1e-10 per peer, or an error."""
    base = {"job": "fit", "set": name, "scale": 1, "lambda": lam, "tolerance": 1e-8, "round": 0}
    rows = []
    for peer, found in seconds.items():
        if isinstance(found, str):
            rows.append(base | {"peer": peer, "error": found, "limit": 7.0})
        else:
            row = {"seconds": found, "objective": 2.0, "memory": 1.0, "start": 0.1, "version": "1"}
            rows.append(base | {"peer": peer} | row)
    return rows


RECORDS = [
    *case(WON, {"chainrule": 1.0, PLAIN: 4.0, "sklearn lbfgs": 8.0, "glum irls-ls": 2.0}),
    *case(LOST, {"chainrule": 1.0, PLAIN: 0.4, "sklearn lbfgs": 0.5, "torch L-BFGS": "time"}),
    *case(
        HELD_OUT, {"chainrule": 1.0, PLAIN: 2.0, "sklearn lbfgs": 3.0, "cyanure": "ValueError: no"}
    ),
    *case("500 x 10", {"chainrule": 1e-4, "sklearn lbfgs": 1e-3}, lam=0.5),
]


def row_of(text: str, start: str) -> list[str]:
    line = next(
        line for line in text.splitlines() if line.replace(" †", "").startswith(f"| {start} |")
    )
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_figures_of_a_kind() -> None:
    found = [r for r in results(SUITE, RECORDS, 1) if r.problem.name in (WON, LOST)]
    figures = group(found)
    assert figures.cases == 2
    assert figures.mean == pytest.approx(np.sqrt(2.0 * 0.5))
    assert figures.lost == 1
    plain = group(found, ours=PLAIN)
    assert plain.mean == pytest.approx(np.sqrt(0.5 * 1.25))
    assert plain.lost == 1
    assert group(found, prefix="sklearn ").mean == pytest.approx(np.sqrt(8 * 0.5))


def test_a_case_that_only_peers_solve_is_lost_and_one_that_only_we_solve_is_not() -> None:
    theirs = case(WON, {"chainrule": "time", "sklearn lbfgs": 3.0})
    ours = case(LOST, {"chainrule": 1.0, "sklearn lbfgs": "time"})
    figures = group(results(SUITE, theirs + ours, 1))
    assert (figures.cases, figures.lost, figures.alone, figures.ratios) == (2, 1, 1, ())
    assert "**> 7 s**" in page(SUITE, theirs, 1)


def test_what_loses_is_bold_and_members_stand_apart() -> None:
    text = page(SUITE, RECORDS, 1)
    assert "glum irls-ls 2.00 s (2.0x)" in row_of(text, WON)
    assert "**4.00 s**" in row_of(text, WON)
    assert "**sklearn lbfgs 0.50 s (0.5x)**" in row_of(text, LOST)
    assert "0.40 s" in row_of(text, LOST)
    tuned, _, held_out = text.partition("## Dense, held out: time to 1e-10")
    assert HELD_OUT in held_out
    assert HELD_OUT not in tuned
    assert WON not in held_out.partition("\n## ")[0]
    kinds = [line for line in text.splitlines() if line.startswith("| dense | ")]
    assert [line.split(" | ")[1] for line in kinds] == ["tuned on", "held out"]
    assert row_of(text, "small | tuned on")[2:4] == ["1", "10"]


def test_every_time_of_every_peer_is_in_the_table(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    targets = write(SUITE, RECORDS, 1, tmp_path)
    assert [path.name for path in targets] == ["engine.md", "engine.csv", "engine.png"]
    assert all(path.stat().st_size for path in targets)
    with targets[1].open(encoding="utf-8") as file:
        rows = {(row["data"], row["peer"]): row for row in csv.DictReader(file)}
    assert len(rows) == len(RECORDS)
    assert rows[LOST, "torch L-BFGS"]["status"] == "> 7 s"
    assert rows[HELD_OUT, "cyanure"]["status"] == "failed: ValueError: no"
    assert float(rows[WON, "glum irls-ls"]["seconds to 1e-10"]) == 2.0


def test_a_page_without_measurements() -> None:
    assert page(SUITE, [], 1).startswith("# The engine, measured")


def test_the_plot_has_one_bar_per_problem_with_its_least_ratio() -> None:
    records = RECORDS + case(WON, {"chainrule": 1.0, "sklearn lbfgs": 1.5}, lam=0.0)
    pairs = least_ratios(results(SUITE, records, 1), "tuned")
    found = [(result.problem.name, result.lam, ratio) for ratio, result in pairs]
    assert found == [(LOST, 1.0, 0.5), (WON, 0.0, 1.5), ("500 x 10", 0.5, pytest.approx(10.0))]


def test_processes_from_start_to_answer() -> None:
    seconds = {"nothing": 0.2, "chainrule": 0.9, "sklearn.linear_model": 0.7}
    records = [
        {"job": "cold", "set": "100 x 5", "scale": 1, "peer": peer, "round": 0, "seconds": s}
        for peer, s in seconds.items()
    ]
    assert row_of(page(SUITE, records, 1), "100 x 5") == [
        "100 x 5",
        "0.20 s",
        "**0.90 s**",
        "0.70 s",
    ]


def test_a_case_without_every_peer_is_marked() -> None:
    able = [name for name, peer in SUITE.peers.items() if peer.takes("dense", 1.0)]
    whole = case(WON, dict.fromkeys(able, 1.0))
    text = page(SUITE, whole + case(LOST, {"chainrule": 1.0}), 1)
    assert f"| {WON} |" in text
    assert f"| {LOST} † |" in text
    assert "marked †: 1 of 2." in text
