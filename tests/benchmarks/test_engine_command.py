"""The command of the engine's benchmark: the choice of cases, and repeated fits in one process."""

from __future__ import annotations

import itertools
import json
from typing import Any

import numpy as np
import pytest
from benchmarks.engine import measures, worker
from benchmarks.engine.__main__ import SUITE
from benchmarks.engine.catalogue import KINDS, PROBLEMS
from benchmarks.engine.command import arguments, cases, chosen_problems, strength
from benchmarks.engine.peers import PEERS, PLAIN
from benchmarks.engine.problems import Problem, load_begins, store
from benchmarks.engine.processes import STARTED
from scipy import sparse
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression as Peer


def test_kinds_members_and_names_choose_the_data_sets() -> None:
    asked = arguments(SUITE, ["--kinds", "sparse,small", "--members", "held-out"])
    found = chosen_problems(SUITE, asked)
    assert {problem.kind for problem in found} == {"sparse", "small"}
    assert {problem.member for problem in found} == {"held-out"}
    assert set(SUITE.kinds) == set(KINDS)
    named = chosen_problems(SUITE, arguments(SUITE, ["--sets", "text 20k", "iris"]))
    assert {problem.name for problem in named} == {
        "text 20k x 170k, tf-idf",
        "text 20k x 60k, counts, noisy",
        "iris",
    }


def test_every_problem_comes_at_the_first_lambda_before_any_at_the_second() -> None:
    found = cases(SUITE, arguments(SUITE, []))
    first = found[: len(PROBLEMS)]
    assert {case.problem.name for case in first} == set(PROBLEMS)
    assert {case.word for case in first} == {"1"}
    words = {case.word for case in found if "sweep" in case.problem.name}
    assert {"1e-6", "1e6"} <= words
    assert not any(case.word == "0" and not case.problem.unpenalised for case in found)
    chosen = cases(SUITE, arguments(SUITE, ["--lambdas", "1e-6", "1e3"]))
    assert {case.word for case in chosen} == {"1e-6", "1e3"}


@pytest.mark.parametrize("words", [["--kinds", "spares"], ["--lambdas", "one"], ["--members", "x"]])
def test_a_wrong_option_is_named(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        arguments(SUITE, words)
    assert words[-1] in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "lam"), [("1", 1.0), ("1e-6", 1e-6), ("1e-3m", 4.0), ("1E6", 1e6)]
)
def test_strength_of_the_penalty(word: str, lam: float) -> None:
    assert strength(word, Problem("a", lambda _: None), 4000) == pytest.approx(lam)


def test_a_choice_of_nothing_is_an_error() -> None:
    from benchmarks.losses.__main__ import SUITE as LOSSES

    with pytest.raises(SystemExit, match="no data set is held-out"):
        chosen_problems(LOSSES, arguments(LOSSES, ["--members", "held-out"]))
    with pytest.raises(SystemExit, match="no name contains abc or def"):
        chosen_problems(SUITE, arguments(SUITE, ["--sets", "abc", "def"]))


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the lines that a worker prints."""
    lines: list[str] = []
    for module in (measures, worker):
        monkeypatch.setattr(module, "say", lines.append)
    return lines


def rows(lines: list[str]) -> dict[float, dict[str, Any]]:
    """Return the last row of each tolerance."""
    found = [json.loads(line) for line in lines if line.startswith("{")]
    return {row["tolerance"]: row for row in found}


@pytest.fixture
def stored(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that stores a problem under a name that the worker finds."""
    monkeypatch.setattr("benchmarks.engine.problems.STORE", tmp_path / "data")

    def put(problem: Problem) -> Problem:
        monkeypatch.setitem(PROBLEMS, problem.name, problem)
        store(problem, 1)
        return problem

    return put


def job(problem: Problem, peer: str, **more: Any) -> dict[str, Any]:
    base = {"job": "fits", "set": problem.name, "scale": 1, "lambda": 2.0, "peer": peer}
    return base | {"round": 0, "tolerances": PEERS[peer].ladder, "limit": 60.0} | more


@pytest.mark.slow
@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
def test_repeated_fits_reach_the_optimum(form: Any, stored: Any, said: list[str]) -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(200, 3)), rng.integers(0, 2, 200)
    problem = stored(Problem("warm", lambda _: (form(X), y), warm=True))

    def objective(theta: Any) -> float:
        z = np.where(y > 0, -1, 1) * (X @ theta[:3] + theta[3])
        return float(np.logaddexp(0, z).sum() + (theta[:3] ** 2).sum())

    least = minimize(objective, np.zeros(4), tol=1e-12).fun
    assert worker.fits(job(problem, "sklearn newton-cg")) == {}
    found = rows(said)
    assert min(row["objective"] for row in found.values()) == pytest.approx(least, rel=1e-12)
    assert max(row.get("times", 0) for row in found.values()) >= 3
    assert said.count(STARTED) > len(found)


def test_a_ladder_ends_at_the_lowest_objective_known(stored: Any, said: list[str]) -> None:
    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(100, 2)), rng.integers(0, 2, 100)
    problem = stored(Problem("short", lambda _: (X, y), warm=True))
    worker.fits(job(problem, "sklearn newton-cholesky"))
    least = min(row["objective"] for row in rows(said).values())
    said.clear()
    worker.fits(job(problem, "sklearn newton-cholesky", lowest=least * (1 + 1e-13)))
    assert len(rows(said)) < len(PEERS["sklearn newton-cholesky"].ladder)


def test_a_loop_of_fits_is_the_sum_of_its_fits(stored: Any, said: list[str]) -> None:
    from benchmarks.engine.dense_data import loop

    data = loop(60, 3, columns=3, fits=5, design="segments")
    problem = stored(Problem("loop", lambda _: data, warm=True))
    begins = load_begins(problem, 1)
    assert begins is not None
    worker.fits(job(problem, "sklearn newton-cg"))
    best = min(rows(said).values(), key=lambda row: row["objective"])
    total = 0.0
    for start, stop in itertools.pairwise(begins):
        X, y = data[0][start:stop], data[1][start:stop]
        model = Peer(C=0.5, tol=1e-12, solver="newton-cholesky").fit(X, y)
        total += measures.objective(X, y, model.coef_, model.intercept_, 2.0)
    assert best["fits"] == 5
    assert best["objective"] == pytest.approx(total, rel=1e-11)


def test_threads_of_a_peer_are_set_for_its_process() -> None:
    one = PEERS["sklearn newton-cg, 1 thread"].environment
    assert one["OPENBLAS_NUM_THREADS"] == one["OMP_NUM_THREADS"] == "1"
    assert PEERS["sklearn newton-cg"].environment == {}
    assert PEERS[PLAIN].package == "chainrule"
