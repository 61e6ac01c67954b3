"""``python -m benchmarks.losses``: other losses than logistic, measured into docs/losses.md."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from statistics import median
from typing import Final

from benchmarks.engine.command import main
from benchmarks.engine.peers import NAME
from benchmarks.engine.records import Record, reached
from benchmarks.engine.report import shown_time
from benchmarks.engine.results import TIGHT
from benchmarks.engine.runner import Runner
from benchmarks.engine.suite import Suite
from benchmarks.losses.peers import OWN, PEERS, REFERENCES
from benchmarks.losses.problems import PROBLEMS

ONCE: Final = {
    "first use": "first fit of a new loss beyond the second: derivation, proof, compilation",
    "import": "`import chainrule` beyond an empty process",
}
PREMISE: Final = (
    "Accuracy refers to the deviance: the objective less the sum of the least losses, evaluated\n"
    "in extended precision. The lowest is that of Newton's method with extended sums, or lower if\n"
    "anybody went lower. Coded columns come as a data frame where a library takes one, and else\n"
    "one-hot as a sparse matrix, converted outside the clock. Weights are given to everybody."
)


def before(runner: Runner) -> None:
    """Measure what happens once: the import, and the first use of a loss."""
    for number in range(runner.rounds):
        for job in ONCE:
            record = {"job": job, "scale": runner.scale, "peer": NAME, "round": number}
            runner.do(record, sys.executable, runner.limit)


def more(records: list[Record]) -> Iterator[str]:
    """Return the section on one's own losses."""
    yield "## One's own loss"
    yield ""
    for job, words in ONCE.items():
        seconds = [r["seconds"] for r in records if r["job"] == job and "seconds" in r]
        if seconds:
            yield f"- {words}: {shown_time(median(seconds))} (slowest {shown_time(max(seconds))})"
    yield ""
    yield "| data | lambda | shipped loss | the same as a formula | ratio |"
    yield "|---|---|---|---|---|"
    keys = {(r["set"], r["scale"], r["lambda"]) for r in records if r["job"] == "fit"}
    for name, scale, lam in sorted(keys):
        base = {"set": name, "scale": scale, "lambda": lam}
        shipped, own = (reached(records, base, peer).get(TIGHT) for peer in (NAME, OWN))
        if shipped and own:
            yield (
                f"| {name} | {lam:g} | {shown_time(shipped['seconds'])} | "
                f"{shown_time(own['seconds'])} | {own['seconds'] / shipped['seconds']:.2f} |"
            )
    yield ""


SUITE = Suite(
    "losses",
    "Losses beyond the logistic one, measured",
    NAME,
    PEERS,
    PROBLEMS,
    premise=PREMISE,
    references=REFERENCES,
    before=before,
    more=more,
)

if __name__ == "__main__":
    sys.exit(main(SUITE))
