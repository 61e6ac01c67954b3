"""Torture: ``python -m tests.torture [--minutes 30] [--seed 0] [--kind files] [--case N]``.

Runs seeded cases of every kind until the time is up. A fault is printed with the command that
repeats it; the counts are printed in the end, and written where `--out` says.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.torture import files, fits, models, texts

Case = Callable[[Random, Path], str]

KINDS: dict[str, tuple[Case, float]] = {
    "files": (files.case, 0.2),
    "damaged files": (files.damaged, 0.2),
    "model files": (models.case, 0.1),
    "fits": (fits.case, 0.25),
    "forward passes": (texts.forward_pass, 0.1),
    "answers": (texts.answer, 0.05),
    "derivations": (texts.derivation, 0.1),
}
"""Cases of each kind, and their share of the time."""


def run(kind: str, number: int, seed: int) -> tuple[str, str]:
    """Run one case; return how it ended, and the traceback of a fault."""
    case, _ = KINDS[kind]
    with TemporaryDirectory(prefix="torture-") as folder:
        try:
            return case(Random(f"{seed} {kind} {number}"), Path(folder)), ""
        except (Exception, texts.TooSlowError):
            return "FAULT", traceback.format_exc(limit=-6)


def tortured(seconds: float, seed: int, kinds: list[str]) -> dict[str, Counter[str]]:
    """Run cases for some seconds of this process, each kind for its share."""
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in kinds}
    whole = sum(KINDS[kind][1] for kind in kinds)
    for kind in kinds:
        end, number = time.process_time() + seconds * KINDS[kind][1] / whole, 0
        while time.process_time() < end:
            ending, fault = run(kind, number, seed)
            counts[kind][ending] += 1
            if fault:
                print(f"python -m tests.torture --seed {seed} --kind '{kind}' --case {number}")
                print(fault, flush=True)
            number += 1
    return counts


def main() -> int:
    """Run what is asked for; the exit status is 1 where a fault was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0, help="Minutes of CPU.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=list(KINDS), help="One kind alone.")
    parser.add_argument("--case", type=int, help="One case alone.")
    parser.add_argument("--out", type=Path, help="File for the counts, as JSON; added to.")
    given = parser.parse_args()
    kinds = [given.kind] if given.kind else list(KINDS)
    if given.case is not None:
        ending, fault = run(kinds[0], given.case, given.seed)
        print(fault or ending)
        return int(bool(fault))
    counts = tortured(60 * given.minutes, given.seed, kinds)
    for kind, found in counts.items():
        endings = ", ".join(f"{ending} {count}" for ending, count in found.most_common())
        print(f"{kind}: {found.total()} ({endings})")
    if given.out is not None:
        known = json.loads(given.out.read_text()) if given.out.exists() else {}
        merged = {
            kind: dict(Counter(known.get(kind, {})) + counts.get(kind, Counter()))
            for kind in {**known, **counts}
        }
        given.out.write_text(json.dumps(merged, indent=1, sort_keys=True) + "\n")
    return int(any(found["FAULT"] for found in counts.values()))


if __name__ == "__main__":
    sys.exit(main())
