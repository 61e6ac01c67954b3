"""The benchmark of the engine: its yardstick, its log, its limits."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from benchmarks.engine.__main__ import SUITE
from benchmarks.engine.measures import objective
from benchmarks.engine.problems import Problem, load, store
from benchmarks.engine.processes import output
from benchmarks.engine.records import Log, reached
from benchmarks.engine.runner import Runner
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


def test_a_repeated_fit_counts_before_a_single_one() -> None:
    rows = [(1e-4, 0.1, 1.5, 1), (1e-6, 1.0, 1.0, 3), (1e-8, 0.9, 1.0, 1), (1e-9, 1.2, 1.0, 5)]
    records = [
        FIT | {"tolerance": tolerance, "seconds": s, "objective": f, "times": times, "round": 0}
        for tolerance, s, f, times in rows
    ]
    best = reached(records, {"set": "a", "scale": 1, "lambda": 1.0}, "p")
    assert {target: row["seconds"] for target, row in best.items()} == {1e-6: 1.0, 1e-10: 1.0}


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


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
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


class Scripted(Runner):
    """A runner whose processes print what a test says."""

    lines: ClassVar[dict[str, tuple[list[dict[str, Any]], str]]] = {}
    asked: ClassVar[list[dict[str, Any]]] = []

    def _output(
        self, job: dict[str, Any], python: str, limit: float, environment: dict[str, str] | None
    ) -> tuple[list[str], str]:
        self.asked.append(job)
        rows, broken = self.lines.get(job["peer"], ([], ""))
        return [json.dumps(row) for row in rows], broken


def row(tolerance: float, seconds: float, objective: float, **more: Any) -> dict[str, Any]:
    return {
        "tolerance": tolerance,
        "seconds": seconds,
        "objective": objective,
        "memory": 0.0,
        **more,
    }


def measured(tmp_path: Path, lines: dict[str, tuple[list[dict[str, Any]], str]]) -> Scripted:
    """Return a runner after it measured a warm problem once."""
    Scripted.lines, Scripted.asked = lines, []
    runner = Scripted(Log(tmp_path / "runs.jsonl"), sys.executable, SUITE, rounds=1)
    peers = [SUITE.peers[name] for name in lines]
    runner.measure(Problem("a", lambda _: None, warm=True), 1.0, peers)
    return runner


BASE: dict[str, Any] = {"set": "a", "scale": 1, "lambda": 1.0}
OURS = ([row(1e-8, 9.0, 1.0), row(1e-8, 0.4, 1.0, times=3), {}], "")


def test_the_repeated_time_of_a_tolerance_counts(tmp_path: Path) -> None:
    runner = measured(tmp_path, {"chainrule": OURS})
    assert [r["seconds"] for r in runner.log.of(BASE)] == [0.4]


def test_a_peer_gets_a_multiple_of_the_baselines_time_and_its_objective(tmp_path: Path) -> None:
    measured(tmp_path, {"chainrule": OURS, "glum irls-ls": ([], "")})
    first, second = Scripted.asked
    assert "lowest" not in first
    assert second["lowest"] == 1.0
    assert second["limit"] == pytest.approx(10 * 0.4)


def test_a_loop_is_limited_as_a_whole(tmp_path: Path) -> None:
    ours = ([row(1e-8, 0.01, 1.0, fits=100), {}], "")
    late = [row(1e-4, 0.2, 1.0, fits=100), {}]  # 20 s in all, where the loop may take 10
    runner = measured(tmp_path, {"chainrule": ours, "glum irls-ls": (late, "")})
    assert Scripted.asked[1]["limit"] == pytest.approx(10.0)
    assert runner.log.of(BASE)[-1]["error"] == "time"


@pytest.mark.parametrize(
    ("ending", "broken", "error"),
    [
        ([], "time", "time"),
        ([], "memory", "memory"),
        ([], "", "the process died"),
        ([{"error": "ValueError: x"}], "", "ValueError: x"),
    ],
)
def test_what_was_found_before_a_failure_is_kept(
    tmp_path: Path, ending: list[dict[str, Any]], broken: str, error: str
) -> None:
    theirs = ([row(1e-4, 0.1, 1.5), *ending], broken)
    runner = measured(tmp_path, {"chainrule": OURS, "glum irls-ls": theirs})
    found = [r for r in runner.log.of(BASE) if r["peer"] == "glum irls-ls"]
    assert [r.get("error") for r in found] == [None, error]
    assert [r["tolerance"] for r in found] == [1e-4, 1e-7]


def test_a_ladder_that_ended_early_is_no_failure(tmp_path: Path) -> None:
    theirs = ([row(1e-4, 0.1, 1.0), {}], "")
    runner = measured(tmp_path, {"chainrule": OURS, "glum irls-ls": theirs})
    assert not any("error" in r for r in runner.log.of(BASE))
    count = len(runner.log.records)
    runner.measure(Problem("a", lambda _: None, warm=True), 1.0, [SUITE.peers["glum irls-ls"]])
    assert len(runner.log.records) == count


def test_what_an_earlier_version_kept_is_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("benchmarks.engine.problems.STORE", tmp_path / "data")
    problem = Problem("old", lambda _: (sparse.csr_matrix(np.eye(3)), np.array([0, 1, 1])))
    (tmp_path / "data" / "old-1").mkdir(parents=True)
    (tmp_path / "data" / "old-1" / "shape.json").write_text("[3, 3]", encoding="utf-8")
    store(problem, 1)
    np.testing.assert_array_equal(load(problem, 1)[0].toarray(), np.eye(3))
