"""The log, gathered problem by problem and kind by kind."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import geometric_mean
from typing import Final

from benchmarks.engine.peers import NAME, PLAIN
from benchmarks.engine.problems import Problem
from benchmarks.engine.records import TARGETS, Record, reached
from benchmarks.engine.suite import Suite

TIGHT: Final = min(TARGETS)
LOOSE: Final = max(TARGETS)

_MEMORY_BOUND: Final = 32.0
"""MB from which a read of X is a read of memory rather than of a cache."""


@dataclass
class Result:
    """Measurements of one problem at one lambda.

    Attributes
    ----------
    problem : Problem
    lam : float
    best : dict
        peer -> target -> the record that counts.
    limits : dict
        peer -> the seconds after which it was stopped.
    failures : dict
        peer -> the error.
    read : float or None
        Seconds of one read of X; nothing where X fits a cache.
    missing : int
        Number of peers that can fit it and were not measured.
    """

    problem: Problem
    lam: float
    best: dict[str, dict[float, Record]] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    read: float | None = None
    missing: int = 0

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

    def ratio(self, prefix: str = "", target: float = TIGHT, ours: str = NAME) -> float | None:
        """Return the time of the fastest of some peers over that of chainrule."""
        own, peer = self.seconds(ours, target), self.fastest(prefix, target)
        return None if own is None or peer is None else peer[1] / own

    def is_unrivalled(self, target: float = TIGHT) -> bool:
        """Return whether peers were measured and none reached the accuracy."""
        asked = any(not peer.startswith(NAME) for peer in self.best)
        return asked and self.fastest(target=target) is None

    def loses(self, target: float = TIGHT, ours: str = NAME) -> bool:
        """Return whether a peer was faster, or chainrule alone did not reach the accuracy."""
        ratio = self.ratio(target=target, ours=ours)
        if ratio is not None:
            return ratio < 1.0
        return ours in self.best and self.fastest(target=target) is not None


def results(suite: Suite, records: list[Record], scale: int) -> list[Result]:
    """Gather the log, problem by problem, in the order of the suite."""
    cases: dict[tuple[str, float], list[Record]] = defaultdict(list)
    reads: dict[str, float] = {}
    for record in records:
        if record["scale"] != scale or record.get("set") not in suite.problems:
            continue
        if record["job"] == "fit":
            cases[record["set"], record["lambda"]].append(record)
        elif record["job"] == "read" and record.get("megabytes", 0.0) > _MEMORY_BOUND:
            reads[record["set"]] = record["read"]
    places = {name: place for place, name in enumerate(suite.problems)}
    order = sorted(cases, key=lambda key: (places[key[0]], key[1] == 0, key[1]))
    return [
        _result(suite, suite.problems[name], lam, cases[name, lam], scale, reads.get(name))
        for name, lam in order
    ]


def _result(
    suite: Suite,
    problem: Problem,
    lam: float,
    rows: list[Record],
    scale: int,
    read: float | None,
) -> Result:
    result = Result(problem, lam, read=read)
    base = {"set": problem.name, "scale": scale, "lambda": lam}
    for peer in suite.peers:
        own = [row for row in rows if row["peer"] == peer]
        if not own:
            result.missing += suite.peers[peer].takes(problem.task, lam)
            continue
        result.best[peer] = reached(rows, base, peer)
        for row in own:
            if row.get("error") in ("time", "memory"):
                result.limits[peer] = float(row["limit"])
            if "error" in row:
                result.failures[peer] = row["error"]
    return result


@dataclass(frozen=True)
class Group:
    """Figures of one kind of data over all its cases, for one installation of chainrule.

    Attributes
    ----------
    cases : int
        Problems times lambdas.
    ratios : tuple of float
        Times of the fastest peer over those of chainrule, of the cases in which both reached the
        accuracy.
    lost : int
        Cases in which a peer was faster, or only peers reached the accuracy.
    alone : int
        Cases in which only chainrule reached the accuracy within the limits.
    """

    cases: int
    ratios: tuple[float, ...]
    lost: int
    alone: int

    @property
    def mean(self) -> float | None:
        """Geometric mean of the ratios."""
        return geometric_mean(self.ratios) if self.ratios else None


def group(
    found: Sequence[Result], *, prefix: str = "", target: float = TIGHT, ours: str = NAME
) -> Group:
    """Return the figures of some results."""
    asked = [result for result in found if ours in result.best]
    ratios = [result.ratio(prefix, target, ours) for result in asked]
    return Group(
        cases=len(asked),
        ratios=tuple(ratio for ratio in ratios if ratio is not None),
        lost=sum(result.loses(target, ours) for result in asked),
        alone=sum(
            result.seconds(ours, target) is not None and result.is_unrivalled(target)
            for result in asked
        ),
    )


def kinds(found: Sequence[Result]) -> dict[tuple[str, str], list[Result]]:
    """Return the results by kind of data and member, in the order in which they occur."""
    by_kind: dict[tuple[str, str], list[Result]] = {}
    for kind in dict.fromkeys(result.problem.kind for result in found):
        for member in ("tuned", "held-out"):
            chosen = [r for r in found if (r.problem.kind, r.problem.member) == (kind, member)]
            if chosen:
                by_kind[kind, member] = chosen
    return by_kind


def is_divided(found: Sequence[Result]) -> bool:
    """Return whether some problems are held out."""
    return any(result.problem.member == "held-out" for result in found)


def has_plain(found: Sequence[Result]) -> bool:
    """Return whether chainrule was measured without numba."""
    return any(PLAIN in result.best for result in found)
