"""Runs measurements in processes of their own, with limits, and appends them to a log.

A run that was broken off goes on where it stopped: what is in the log is not measured again.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benchmarks.engine.peers import NAME, PLAIN, Peer
from benchmarks.engine.problems import Problem
from benchmarks.engine.processes import output
from benchmarks.engine.records import TARGETS, Log, Record, fits, lowest, reached
from benchmarks.engine.suite import ROOT, Suite

_LONGEST_BUILD: Final = 600.0
_OWN_PATIENCE: Final = 6.0
"""How much longer than a peer another installation of the baseline may take."""
_SHORTEST_WARM: Final = 2.0
"""Least limit, in seconds, of a fit that is repeated in its process."""


@dataclass
class Runner:
    """How measurements are made.

    Attributes
    ----------
    log : Log
    peers_python : str
        The interpreter of the environment that holds the peers.
    suite : Suite
    scale : int
        Divides the rows of the synthetic sets.
    rounds : int
        How often each best tolerance is measured, peers in turn; the median counts.
    limit : float
        Seconds that a fit may take at most.
    patience : float
        A peer gets so many times what the baseline took, and at least `shortest` seconds.
    shortest : float
    memory : float
        MB that a process may hold.
    thrifty : bool
        Peer after peer with fewer tolerances, instead of tolerance after tolerance.
    """

    log: Log
    peers_python: str
    suite: Suite
    scale: int = 1
    rounds: int = 3
    limit: float = 300.0
    patience: float = 10.0
    shortest: float = 4.0
    memory: float = 16_000.0
    thrifty: bool = False

    def prepare(self, problem: Problem) -> int | None:
        """Build a data set, time a read of it, and return how many rows each fit has."""
        base: Record = {"set": problem.name, "scale": self.scale}
        build = self.do({"job": "build", **base}, self.peers_python, _LONGEST_BUILD)
        if "unavailable" in build or "error" in build:
            return None
        found = self.do({"job": "read", **base}, sys.executable, self.limit)
        return int(found["shape"][0]) // int(found.get("fits", 1)) if "shape" in found else None

    def measure(
        self, problem: Problem, lam: float, peers: list[Peer], deadline: float = float("inf")
    ) -> None:
        """Measure one problem at one lambda, until the deadline (by `time.monotonic`)."""
        base: Record = {"set": problem.name, "scale": self.scale, "lambda": lam}
        for peer in self.suite.references.values():
            for tolerance in peer.ladder:
                self._fit(base, peer, tolerance, 0, _LONGEST_BUILD)
        first = self.suite.peers[self.suite.baseline]
        others = [peer for peer in peers if peer is not first and peer.takes(problem.task, lam)]
        if problem.warm:
            self._measure_warm(base, first, others, deadline)
        else:
            self._measure_fresh(base, first, others, deadline)

    def _measure_warm(self, base: Record, first: Peer, others: list[Peer], deadline: float) -> None:
        """Measure each peer in one process per round: its tolerances, then the best ones again."""
        self._fits(base, first, first.ladder, 0, self.limit)
        for peer in others:
            if time.monotonic() < deadline:
                self._fits(base, peer, peer.ladder, 0, self._limit(base, peer, _SHORTEST_WARM))
        for number in range(1, self.rounds):
            for peer in [first, *others]:
                best = sorted(set(self._best(base, peer.name).values()), reverse=True)
                if best and time.monotonic() < deadline:
                    limit = self._limit(base, peer, _SHORTEST_WARM)
                    self._fits(base, peer, tuple(best), number, limit)

    def _measure_fresh(
        self, base: Record, first: Peer, others: list[Peer], deadline: float
    ) -> None:
        """Measure each tolerance in a process of its own."""
        for peer in [first, *others]:
            if (
                peer.package == NAME
                and peer.name != PLAIN
                and not fits(self.log.of(base), base, peer.name)
            ):
                # compiling is done once per installation; it is not what is measured
                job = {"job": "fit", **base, "peer": peer.name, "round": -1}
                job["tolerance"] = self._ladder(peer)[-1]
                self.run(job, self._python(peer), self.limit)
        for tolerance in self._ladder(first):
            self._fit(base, first, tolerance, 0, self.limit)
        for peer, tolerance in self._order(others):
            if time.monotonic() < deadline and not self._is_done(base, peer):
                limit = self._limit(base, peer, self.shortest)
                self._fit(base, peer, tolerance, 0, limit)
        for number in range(1, self.rounds):
            for peer in [first, *others]:
                for tolerance in sorted(set(self._best(base, peer.name).values()), reverse=True):
                    if time.monotonic() < deadline:
                        limit = self._limit(base, peer, self.shortest)
                        self._fit(base, peer, tolerance, number, limit)

    def _limit(self, base: Record, peer: Peer, shortest: float) -> float:
        """Return how long a fit may take, from the baseline's time."""
        ours = reached(self.log.of(base), base, self.suite.baseline).values()
        if peer.name == self.suite.baseline or not ours:
            return self.limit
        patience = self.patience * (_OWN_PATIENCE if peer.package == NAME else 1.0)
        took = max(float(row["seconds"]) * row.get("fits", 1) for row in ours)
        return min(self.limit, float(max(shortest, patience * took)))

    def _ladder(self, peer: Peer) -> tuple[float, ...]:
        if not self.thrifty:
            return peer.ladder
        return peer.ladder[1:] if peer.name == self.suite.baseline else peer.ladder[::2]

    def _order(self, peers: list[Peer]) -> list[tuple[Peer, float]]:
        if self.thrifty:
            return [(peer, tolerance) for peer in peers for tolerance in self._ladder(peer)]
        longest = max((len(peer.ladder) for peer in peers), default=0)
        return [
            (peer, peer.ladder[rung])
            for rung in range(longest)
            for peer in peers
            if rung < len(peer.ladder)
        ]

    def _fit(self, base: Record, peer: Peer, tolerance: float, number: int, limit: float) -> None:
        job = {"job": "fit", **base, "peer": peer.name, "tolerance": tolerance, "round": number}
        self.do(job, self._python(peer), limit, peer.environment)

    def _fits(
        self, base: Record, peer: Peer, tolerances: tuple[float, ...], number: int, limit: float
    ) -> None:
        """Fit at some tolerances in one process, unless that was done."""
        job: Record = {"job": "fit", **base, "peer": peer.name, "round": number}
        if any(row["round"] == number for row in fits(self.log.of(base), base, peer.name)):
            return
        least = lowest(self.log.of(base), base)
        asked = job | {"job": "fits", "tolerances": tolerances, "limit": limit}
        if peer.name != self.suite.baseline and least == least:
            asked["lowest"] = least
        lines, broken = self._output(asked, self._python(peer), limit, peer.environment)
        rows = {row["tolerance"]: row for row in parsed(lines) if "tolerance" in row}
        for tolerance, row in rows.items():
            is_late = row["seconds"] * row.get("fits", 1) > limit
            self._noted(
                job | {"tolerance": tolerance},
                {"error": "time", "limit": limit} if is_late else row,
            )
        ends = [row for row in parsed(lines) if "tolerance" not in row]
        left = [tolerance for tolerance in tolerances if tolerance not in rows]
        if broken and left:
            self._noted(job | {"tolerance": left[0]}, {"error": broken, "limit": limit})
        elif left and not broken and (not ends or "error" in ends[-1]):
            error = ends[-1]["error"] if ends else "the process died"
            self._noted(job | {"tolerance": left[0]}, {"error": error})

    def _python(self, peer: Peer) -> str:
        return sys.executable if peer.package == NAME else self.peers_python

    def _is_done(self, base: Record, peer: Peer) -> bool:
        failed = any("error" in row for row in fits(self.log.of(base), base, peer.name))
        return failed or min(TARGETS) in self._best(base, peer.name)

    def _best(self, base: Record, peer: str) -> dict[float, float]:
        found = reached(self.log.of(base), base, peer)
        return {target: row["tolerance"] for target, row in found.items()}

    def do(
        self,
        job: Record,
        python: str,
        limit: float,
        environment: dict[str, str] | None = None,
    ) -> Record:
        """Do a job, unless it was done, and note what was found."""
        known = self.log.find(job)
        if known is not None:
            return known
        found = self.run(job, python, limit, environment)
        if job["job"] == "build" and not found:  # not worth a line unless it fails
            return found
        return self._noted(job, found)

    def _noted(self, job: Record, found: Record) -> Record:
        record = job | found
        self.log.add(record)
        what = found.get("error") or found.get("unavailable")
        if what is None and "seconds" in found:
            what = f"{found['seconds']:.4g} s  {found['memory']:.0f} MB"
        names = [str(job[key]) for key in ("set", "lambda", "peer", "tolerance") if key in job]
        print("  ".join(names), what or "", sep="  ", flush=True)
        return record

    def run(
        self,
        job: Record,
        python: str,
        limit: float,
        environment: dict[str, str] | None = None,
    ) -> Record:
        """Do a job in a process of its own."""
        lines, broken = self._output(job, python, limit, environment)
        if broken:
            return {"error": broken, "limit": limit}
        found = list(parsed(lines))
        if not found:
            return {"error": "the process died"}
        if found[-1].get("seconds", 0.0) > limit:
            return {"error": "time", "limit": limit}
        return found[-1]

    def _output(
        self, job: Record, python: str, limit: float, environment: dict[str, str] | None
    ) -> tuple[list[str], str]:
        command = [python, "-W", "ignore", "-m", self.suite.worker, json.dumps(job)]
        return output(command, limit, self.memory, ROOT, environment)


def parsed(lines: list[str]) -> Iterator[Record]:
    """Yield the objects among the lines that a worker printed."""
    for line in lines:
        if line.startswith("{"):
            try:
                yield json.loads(line)
            except json.JSONDecodeError:
                continue
