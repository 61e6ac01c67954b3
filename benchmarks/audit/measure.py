"""What the audit makes of the transcripts with one wrong line: the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.audit.seeds import Seed
from chainrule.teaching.grading.audit import audit


@dataclass
class Counts:
    """What became of the seeded lines, and of the others.

    Parameters
    ----------
    seeds, found, named : Counter
        By the kind of mistake: how many, how many were found, how many named.
    missed, accused : list of str
        The wrong lines that were not found, and the right lines that were accused.
    """

    seeds: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    named: Counter[str] = field(default_factory=Counter)
    missed: list[str] = field(default_factory=list)
    accused: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        total = self.seeds.total()
        return (
            f"{total} transcripts with one wrong line: {self.found.total()} found, "
            f"{self.named.total()} mistakes named, {len(self.accused)} right lines accused; "
            f"missed: {self.missed}; accused: {self.accused}"
        )


def measured(seeds: Iterable[Seed]) -> Counts:
    """Audit every transcript, and count."""
    counts = Counts()
    for seed in seeds:
        counts.seeds[seed.kind] += 1
        rows = seed.text.splitlines()
        shown = f"{seed.lesson}: {rows[seed.line - 1]}"
        for verdict in audit(seed.text).lines:
            if verdict.line == seed.line:
                counts.found[seed.kind] += verdict.accused
                named = any(word in verdict.mistake for word in seed.words)
                counts.named[seed.kind] += verdict.accused and named
                if not verdict.accused:
                    counts.missed.append(shown)
            elif verdict.accused:
                counts.accused.append(f"{shown} -> {verdict.text}")
    return counts
