"""The benchmark of the engine: its yardstick, its log, its limits."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchmarks.engine.measures import objective
from benchmarks.engine.problems import Problem, load, store
from benchmarks.engine.processes import output
from benchmarks.engine.records import Log, reached
from scipy import sparse
from sklearn.linear_model import LogisticRegression as Peer
from sklearn.metrics import log_loss

RNG = np.random.default_rng(5)
FIT: dict[str, Any] = {"job": "fit", "set": "a", "scale": 1, "lambda": 1.0, "peer": "p"}


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_the_objective_is_that_of_scikit_learn(n_classes: int, form: Any) -> None:
    X, y = RNG.normal(size=(300, 5)), RNG.integers(0, n_classes, 300)
    model = Peer(C=0.5).fit(X, y)
    found = objective(form(X), y, model.coef_, model.intercept_, 2.0)
    likelihood = log_loss(y, model.predict_proba(X), normalize=False)
    assert found == pytest.approx(likelihood + (model.coef_**2).sum(), rel=1e-12)


def test_a_tolerance_counts_only_if_its_objective_is_close_enough() -> None:
    rows = [(1e-2, 0.1, 1.1), (1e-4, 1.0, 1 + 1e-7), (1e-8, 3.0, 1.0), (1e-9, 2.0, 1 + 1e-11)]
    records = [
        FIT | {"tolerance": tolerance, "seconds": seconds, "objective": value, "round": 0}
        for tolerance, seconds, value in rows
    ]
    best = reached(records, {"set": "a", "scale": 1, "lambda": 1.0}, "p")
    assert {target: row["seconds"] for target, row in best.items()} == {1e-6: 1.0, 1e-10: 2.0}


def test_a_broken_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    done = FIT | {"tolerance": 1e-4, "round": 0, "seconds": 1.0}
    path.write_text(json.dumps(done) + '\n{"job": "fi', encoding="utf-8")
    log = Log(path)
    assert log.find(FIT | {"tolerance": 1e-4, "round": 0}) == done
    assert log.find(FIT | {"tolerance": 1e-8, "round": 0}) is None


def test_one_peer_is_forgotten_and_the_others_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "runs.jsonl"
    mine, theirs = (FIT | {"peer": peer, "tolerance": 1e-4, "round": 0} for peer in "pq")
    log = Log(path)
    log.add(mine)
    log.add(theirs)
    log.forget(["p"])
    for known in (log, Log(path)):
        assert known.find(mine) is None
        assert known.find(theirs) == theirs
        assert known.of({"set": "a", "scale": 1, "lambda": 1.0}) == [theirs]


def run(code: str, limit: float, memory: float = 1e6) -> tuple[list[str], str]:
    return output([sys.executable, "-c", code], limit, memory, Path.cwd())


def test_who_hangs_is_stopped_and_who_fails_is_noted() -> None:
    clock = time.monotonic()
    assert run("print('started', flush=True)\nwhile True: pass", 0.3)[1] == "time"
    assert time.monotonic() - clock < 20
    assert run("x = bytearray(2**26)\nwhile True: pass", 20.0, memory=1.0)[1] == "memory"
    assert run("print('seen')", 20.0) == (["seen"], "")


def test_only_what_is_timed_is_limited() -> None:
    lines = "import time\nprint('started', flush=True)\nprint('{}', flush=True)\ntime.sleep(1)"
    assert run(lines, 0.3) == (["started", "{}"], "")


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix])
def test_a_data_set_comes_back_as_it_was_built(
    form: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.engine.problems.STORE", tmp_path / "data")
    X, y = RNG.integers(0, 2, (20, 3)).astype(float), RNG.integers(0, 2, 20)
    problem = Problem("a name, with signs", lambda _: (form(X), y))
    store(problem, 1)
    found, labels = load(problem, 1)
    assert type(found) is type(form(X))
    np.testing.assert_array_equal(found.toarray() if sparse.issparse(found) else found, X)
    np.testing.assert_array_equal(labels, y)
