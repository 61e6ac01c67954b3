"""Print what the audit finds, what it names, and how long a long transcript takes.

``python -m benchmarks.audit`` goes through every change of every lesson; ``--every 10`` takes one
in ten.
"""

from __future__ import annotations

import argparse
import time

from benchmarks.audit.measure import measured
from benchmarks.audit.seeds import seeds
from chainrule.teaching.grading.audit import audit

LINES = 40


def network(layers: int) -> str:
    """Write a deep network and its backward pass: two lines of forward, four of backward each."""
    rows = ["X : (n, m)", "Y : (n, m)"]
    for k in range(1, layers + 1):
        rows += [f"W{k} : (n, n)", f"b{k} : (n, 1)"]
    for k in range(1, layers + 1):
        rows += [f"Z{k} = W{k} {f'A{k - 1}' if k > 1 else 'X'} + b{k}", f"A{k} = tanh(Z{k})"]
    rows.append(f"J = sum((A{layers} - Y)^2)")
    rows.append(f"dA{layers} = 2 (A{layers} - Y)")
    for k in range(layers, 0, -1):
        rows.append(f"dZ{k} = dA{k} .* (1 - A{k}^2)")
        rows.append(f"dW{k} = dZ{k} {f'A{k - 1}' if k > 1 else 'X'}^T")
        rows.append(f"db{k} = sum(dZ{k}, axis=1)")
        rows.append(f"dA{k - 1} = W{k}^T dZ{k}" if k > 1 else "dX = W1^T dZ1")
    return "\n".join(rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="take one change in so many")
    chosen = parser.parse_args()
    counts = measured(seeds(chosen.every))
    print(f"{'mistake':28}{'seeds':>7}{'found':>7}{'named':>7}")
    for kind, number in counts.seeds.most_common():
        print(f"{kind:28}{number:7}{counts.found[kind]:7}{counts.named[kind]:7}")
    print(counts)
    text = network(LINES // 4)
    for what, transcript in (
        ("all right", text),
        ("one line wrong", text.replace("dZ5 = dA5 .* (1 - A5^2)", "dZ5 = dA5 .* (1 - A5)")),
    ):
        start = time.perf_counter()
        found = audit(transcript)
        seconds = time.perf_counter() - start
        print(f"{len(found.lines)} lines, {what}: {seconds:.2f} s, {len(found.wrong)} wrong")


if __name__ == "__main__":
    main()
