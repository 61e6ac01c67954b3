"""The log of measurements, and what it says about a problem."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

TARGETS: Final = (1e-6, 1e-10)
"""Distances from the lowest objective, relative to it, that times are measured to."""

Record = dict[str, Any]
Key = tuple[Any, ...]

_KEY: Final = ("job", "set", "scale", "lambda", "peer", "tolerance", "round")
_CASE: Final = ("set", "scale", "lambda")


@dataclass
class Log:
    """The measurements so far: one JSON object per line."""

    path: Path
    records: list[Record] = field(default_factory=list)
    _by_job: dict[Key, Record] = field(default_factory=dict, repr=False)
    _by_case: dict[Key, list[Record]] = field(default_factory=lambda: defaultdict(list), repr=False)

    def __post_init__(self) -> None:
        """Read what an earlier run left; a half-written last line is dropped."""
        for record in self.records:
            self._index(record)
        if not self.path.exists():
            return
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                record = json.loads(line)
            except json.JSONDecodeError:
                continue
            self.records.append(record)
            self._index(record)

    def _index(self, record: Record) -> None:
        self._by_job.setdefault(_values(record, _KEY), record)
        self._by_case[_values(record, _CASE)].append(record)

    def forget(self, peers: Iterable[str]) -> None:
        """Drop the fits and processes of some peers, here and in the file."""
        gone = set(peers)
        kept = [record for record in self.records if record.get("peer") not in gone]
        lines = "".join(json.dumps(record) + "\n" for record in kept)
        self.path.write_text(lines, encoding="utf-8")
        self.records.clear()
        self._by_job.clear()
        self._by_case.clear()
        for record in kept:
            self.records.append(record)
            self._index(record)

    def find(self, job: Record) -> Record | None:
        """Return the record of a job, if it was done."""
        return self._by_job.get(_values(job, _KEY))

    def of(self, case: Record) -> list[Record]:
        """Return the records of one problem at one scale and lambda."""
        return self._by_case[_values(case, _CASE)]

    def add(self, record: Record) -> None:
        """Append a record."""
        self.records.append(record)
        self._index(record)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")


def _values(record: Record, keys: Iterable[str]) -> Key:
    return tuple(record.get(key) for key in keys)


def fits(records: Iterable[Record], base: Record, peer: str | None = None) -> list[Record]:
    """Return the fits of one problem at one lambda."""
    wanted = {"job": "fit", **base} | ({"peer": peer} if peer else {})
    return [r for r in records if all(r.get(key) == value for key, value in wanted.items())]


def lowest(records: Iterable[Record], base: Record) -> float:
    """Return the lowest objective that any fit found: the reference."""
    found = [r["objective"] for r in fits(records, base) if r.get("objective") is not None]
    return float(min(found, default=float("nan")))


def reached(records: Iterable[Record], base: Record, peer: str) -> dict[float, Record]:
    """Return for each accuracy reached the median run of the tolerance that reaches it fastest.

    A tolerance that was run once does not count beside one that was repeated: the least of single
    times is less than any median.
    """
    records = list(records)
    least = lowest(records, base)
    best: dict[float, Record] = {}
    done = [r for r in fits(records, base, peer) if r.get("objective") is not None]
    for target in TARGETS:
        close = []
        for tolerance in {r["tolerance"] for r in done}:
            group = [r for r in done if r["tolerance"] == tolerance]
            if max(r["objective"] / least - 1 for r in group) <= target:
                group.sort(key=lambda r: float(r["seconds"]))
                close.append(group[(len(group) - 1) // 2])
        if close:
            best[target] = min(close, key=lambda r: (r.get("times", 1) == 1, float(r["seconds"])))
    return best
