"""Runs measurements, each in a fresh process with limits, and appends them to a log.

A run that was broken off goes on where it stopped: what is in the log is not measured again.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.engine.peers import NAME, Peer
from benchmarks.engine.problems import Problem
from benchmarks.engine.suite import ROOT, Suite

TARGETS: Final = (1e-6, 1e-10)
STARTED: Final = "started"
"""What a worker prints when its clock starts."""

_START: Final = 60.0
_LONGEST_BUILD: Final = 600.0
_KEY: Final = ("job", "set", "scale", "lambda", "peer", "tolerance", "round")

Record = dict[str, Any]


@dataclass
class Log:
    """The measurements so far: one JSON object a line."""

    path: Path
    records: list[Record] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Read what an earlier run left; a half-written last line is dropped."""
        if not self.path.exists():
            return
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                self.records.append(json.loads(line))
            except json.JSONDecodeError:
                continue

    def find(self, job: Record) -> Record | None:
        """Return the record of a job, if it was done."""
        wanted = [job.get(key) for key in _KEY]
        for record in self.records:
            if [record.get(key) for key in _KEY] == wanted:
                return record
        return None

    def add(self, record: Record) -> None:
        """Append a record."""
        self.records.append(record)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


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
        How often each best tolerance is measured; the median counts.
    limit : float
        Seconds that a fit may take at most.
    patience : float
        A peer gets so many times what the baseline took, and at least `shortest` seconds.
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
    patience: float = 60.0
    shortest: float = 10.0
    memory: float = 16_000.0
    thrifty: bool = False

    def prepare(self, problem: Problem) -> int | None:
        """Build a data set, time a read of it, and return how many rows it has."""
        base: Record = {"set": problem.name, "scale": self.scale}
        build = self.do({"job": "build", **base}, self.peers_python, _LONGEST_BUILD)
        if "unavailable" in build or "error" in build:
            return None
        found = self.do({"job": "read", **base}, sys.executable, self.limit)
        return int(found["shape"][0]) if "shape" in found else None

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
        for peer in [first, *others]:
            if peer.package == NAME and not fits(self.log.records, base, peer.name):
                # compiling is done once an installation; it is not what is measured
                job = {"job": "fit", **base, "peer": peer.name, "round": -1}
                job["tolerance"] = self._ladder(peer)[-1]
                self.run(job, self._python(peer), self.limit)
        for tolerance in self._ladder(first):
            self._fit(base, first, tolerance, 0, self.limit)
        ours = self._times(base, first.name)
        limit = self.limit
        if ours:
            limit = min(limit, max(self.shortest, self.patience * max(ours.values())))
        for peer, tolerance in self._order(others):
            if time.monotonic() < deadline and not self._is_done(base, peer):
                self._fit(base, peer, tolerance, 0, limit)
        for number in range(1, self.rounds):
            for peer in [first, *others]:
                for tolerance in sorted(set(self._best(base, peer.name).values()), reverse=True):
                    if time.monotonic() < deadline:
                        self._fit(base, peer, tolerance, number, limit)

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
        self.do(job, self._python(peer), limit)

    def _python(self, peer: Peer) -> str:
        return sys.executable if peer.package == NAME else self.peers_python

    def _is_done(self, base: Record, peer: Peer) -> bool:
        failed = any("error" in record for record in fits(self.log.records, base, peer.name))
        return failed or min(TARGETS) in self._times(base, peer.name)

    def _times(self, base: Record, peer: str) -> dict[float, float]:
        return {t: row["seconds"] for t, row in reached(self.log.records, base, peer).items()}

    def _best(self, base: Record, peer: str) -> dict[float, float]:
        return {t: row["tolerance"] for t, row in reached(self.log.records, base, peer).items()}

    def do(self, job: Record, python: str, limit: float) -> Record:
        """Do a job, unless it was done, and note what was found."""
        known = self.log.find(job)
        if known is not None:
            return known
        if job["job"] == "build":  # not worth a line unless it fails
            found = self.run(job, python, limit)
            return found if not found else self._noted(job, found)
        return self._noted(job, self.run(job, python, limit))

    def _noted(self, job: Record, found: Record) -> Record:
        record = job | found
        self.log.add(record)
        what = found.get("error") or found.get("unavailable")
        if what is None and "seconds" in found:
            what = f"{found['seconds']:.3f} s  {found['memory']:.0f} MB"
        names = [str(job[key]) for key in ("set", "lambda", "peer", "tolerance") if key in job]
        print("  ".join(names), what or "", sep="  ", flush=True)
        return record

    def run(self, job: Record, python: str, limit: float) -> Record:
        """Do a job in a process of its own."""
        command = [python, "-W", "ignore", "-m", self.suite.worker, json.dumps(job)]
        lines, broken = self.output(command, limit)
        if broken:
            return {"error": broken, "limit": limit}
        try:
            found: Record = json.loads(lines[-1])
        except (IndexError, json.JSONDecodeError):
            return {"error": "the process died"}
        if found.get("seconds", 0.0) > limit:
            return {"error": "time", "limit": limit}
        return found

    def output(self, command: list[str], limit: float) -> tuple[list[str], str]:
        """Run a command within the limits; return its lines, and what was too much, if anything."""
        with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=output, stderr=subprocess.DEVNULL, text=True
            )
            try:
                broken = self._watched(process, limit, output.fileno())
            finally:
                process.kill()
                process.wait()
            output.seek(0)
            return output.read().splitlines(), broken

    def _watched(self, process: subprocess.Popen[str], limit: float, output: int) -> str:
        """Wait; say what was too much, if anything.

        The time counts from the first line that the process prints; loading the data does not.
        """
        clock = time.monotonic()
        pause, started = 0.005, False
        while process.poll() is None:
            if not started and os.fstat(output).st_size:
                clock, started = time.monotonic(), True
            if time.monotonic() - clock > (limit if started else limit + _START):
                return "time"
            if resident(process.pid) > self.memory:
                return "memory"
            time.sleep(pause)
            pause = min(0.05, 2 * pause)
        return ""


def resident(pid: int) -> float:
    """Return the memory that a process holds, in MB; 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def fits(records: list[Record], base: Record, peer: str | None = None) -> list[Record]:
    """Return the fits of one problem at one lambda."""
    wanted = {"job": "fit", **base} | ({"peer": peer} if peer else {})
    return [r for r in records if all(r.get(key) == value for key, value in wanted.items())]


def lowest(records: list[Record], base: Record) -> float:
    """Return the lowest objective that any fit found: the reference."""
    found = [r["objective"] for r in fits(records, base) if r.get("objective") is not None]
    return float(min(found, default=float("nan")))


def reached(records: list[Record], base: Record, peer: str) -> dict[float, Record]:
    """Return for each accuracy reached the median run of the tolerance that reaches it fastest."""
    least = lowest(records, base)
    best: dict[float, Record] = {}
    done = [r for r in fits(records, base, peer) if r.get("objective") is not None]
    for target in TARGETS:
        for tolerance in {r["tolerance"] for r in done}:
            group = [r for r in done if r["tolerance"] == tolerance]
            if max(r["objective"] / least - 1 for r in group) > target:
                continue
            group.sort(key=lambda r: float(r["seconds"]))
            middle = group[(len(group) - 1) // 2]
            if target not in best or middle["seconds"] < best[target]["seconds"]:
                best[target] = middle
    return best
