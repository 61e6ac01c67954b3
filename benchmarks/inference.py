"""Time of inference: ``python -m benchmarks.inference [PEERS_PYTHON] [--shape 200x8]``.

Writes inference.json here.

Coefficients are fitted beforehand and not timed. Timed are the table with HC3 errors, and average
marginal effects with their errors; for statsmodels, HC0 (its HC3 is HC0, statsmodels#7798) and
`get_margeff`. Each runs in a fresh process of its own; memory is what the process grew by while it
worked, beside the data.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

HERE = Path(__file__).parent
SHAPES = ((200, 8), (20_000, 20), (200_000, 50), (1_000_000, 100))
LIMIT = 300
DATA = """
import json, resource, sys, time
import numpy as np
n, p = int(sys.argv[1]), int(sys.argv[2])
rng = np.random.default_rng(0)
X = rng.normal(size=(n, p))
y = (rng.random(n) < 1 / (1 + np.exp(-X[:, 0] + 0.5 * X[:, 1]))).astype(int)
def grown():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
"""
OURS = """
from chainrule import LogisticRegression
model = LogisticRegression(C=np.inf).fit(X, y)
model.inference(X[:50 * p], y[:50 * p]).tidy
held = grown()
times = []
for _ in range(5 if n * p < 1e7 else 2):
    start = time.perf_counter()
    inference = model.inference(X, y, cov="HC3")
    inference.tidy
    table = time.perf_counter()
    inference.ame()
    times.append((table - start, time.perf_counter() - table))
table, ame = (min(t[k] for t in times) for k in (0, 1))
print(json.dumps({"table": table, "ame": ame, "MB": grown() - held}))
"""
THEIRS = """
import warnings
warnings.simplefilter("ignore")
import statsmodels.api as sm
D = sm.add_constant(X)
held = grown()
start = time.perf_counter()
fit = sm.Logit(y, D).fit(disp=0, cov_type="HC0")
fitted = time.perf_counter()
fit.summary2()
table = time.perf_counter()
fit.get_margeff().summary_frame()
ame = time.perf_counter() - table
print(json.dumps({"fit and table": table - start, "ame": ame, "MB": grown() - held}))
"""


def measured(python: str, code: str, shape: tuple[int, int]) -> dict[str, float | str]:
    """Return the seconds and megabytes that a process reports, or why it reports none."""
    if shutil.which(python) is None:
        return {"failed": f"there is no {python}"}
    command = [python, "-c", DATA + code, *map(str, shape)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return {"failed": f"more than {LIMIT} s"}
    if done.returncode:
        return {"failed": (done.stderr.strip().splitlines() or ["killed: out of memory"])[-1]}
    found: dict[str, float | str] = json.loads(done.stdout.splitlines()[-1])
    return found


def shape_of(text: str) -> tuple[int, int]:
    """Return rows and columns of a text such as 200x8."""
    rows, _, columns = text.partition("x")
    return int(rows), int(columns)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure all shapes and write the record."""
    parser = ArgumentParser(description="Time of inference, beside statsmodels.")
    parser.add_argument("peers", nargs="?", default=str(HERE / ".peers/bin/python"))
    parser.add_argument("--shape", type=shape_of, action="append", help="rows x columns, as 200x8")
    parser.add_argument("--out", type=Path, default=HERE / "inference.json")
    chosen = parser.parse_args(arguments)
    records = []
    for shape in chosen.shape or SHAPES:
        record = {
            "rows": shape[0],
            "columns": shape[1],
            "chainrule": measured(sys.executable, OURS, shape),
            "statsmodels": measured(chosen.peers, THEIRS, shape),
        }
        records.append(record)
        print(json.dumps(record), flush=True)
    chosen.out.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
