"""Time of derivation and proof: ``python -m benchmarks.proofs [ROUNDS]``.

Networks of 2 to 64 layers, whose cost should grow with their depth and no faster, ten layers under
a softmax, and every forward pass that ships with the package or its tests. Each is timed in a fresh
process after one warm-up; the median of ROUNDS, 5 by default, counts.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
RESULTS = HERE / "proofs.json"
DEPTHS = (2, 4, 8, 16, 32, 64)
CODE = """
import sys, time
from chainrule.calculus.derivation.derive import derivation_of
from chainrule.language.reading import read_model
from chainrule.calculus.proof.certify import certify
text, rounds = sys.stdin.read(), int(sys.argv[1])
for _ in range(rounds + 1):
    start = time.perf_counter()
    derivation = derivation_of(read_model(text))
    made = time.perf_counter()
    certify(derivation)
    print(made - start, time.perf_counter() - made, len(derivation.steps))
"""


def network(depth: int, activation: str = "tanh", head: str = "squares") -> str:
    """Write a network for a batch, every layer of another width.

    Parameters
    ----------
    depth : int
        How many layers.
    activation : str, optional
        Of every layer; under a softmax, of all but the last.
    head : str, optional
        ``"squares"``, or ``"softmax"`` for shares and their cross-entropy.
    """
    lines = ["X : (n_0, m)", f"Y : (n_{depth}, m)"]
    for k in range(1, depth + 1):
        lines += [f"W^[{k}] : (n_{k}, n_{k - 1})", f"b^[{k}] : (n_{k}, 1)"]
    below = "X"
    for k in range(1, depth + 1):
        lines.append(f"Z^[{k}] = W^[{k}] {below} + b^[{k}]")
        below = f"A^[{k}]"
        last = head == "softmax" and k == depth
        lines.append(f"{below} = " + ("softmax" if last else activation) + f"(Z^[{k}]")
        lines[-1] += ", axis=0)" if last else ")"
    if head == "softmax":
        return "\n".join([*lines, f"J = cross_entropy(Y, {below})", "onehot: Y"])
    return "\n".join([*lines, f"J = sum((Y - {below})^2)/2"])


def passes() -> dict[str, str]:
    """Return the forward passes that are measured, by name."""
    found = {f"{depth} layers of tanh": network(depth) for depth in DEPTHS}
    for activation in ("tanh", "relu"):
        name = f"ten layers of {activation} under a softmax"
        found[name] = network(10, activation, "softmax")
    for folder in ("examples", "tests/models"):
        for file in sorted((HERE.parent / folder).glob("*.cr")):
            found[f"{folder}/{file.stem}"] = file.read_text(encoding="utf-8")
    return found


def measured(text: str, rounds: int) -> dict[str, float]:
    """Return the median seconds to derive and to prove, and the number of steps."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(rounds)],
        input=text,
        check=True,
        capture_output=True,
        text=True,
    )
    rows = [[float(word) for word in line.split()] for line in done.stdout.splitlines()[1:]]
    derive, prove, steps = (statistics.median(column) for column in zip(*rows, strict=True))
    return {"derive": derive, "prove": prove, "steps": steps}


def main() -> None:
    """Measure, print and write down."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    results = {}
    for name, text in passes().items():
        found = results[name] = measured(text, rounds)
        print(
            f"{name:40} {found['derive']:8.4f} s to derive {found['prove']:8.4f} s to prove "
            f"{found['steps']:6.0f} steps",
            flush=True,
        )
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"wrote {RESULTS.relative_to(HERE.parent)}")


if __name__ == "__main__":
    main()
