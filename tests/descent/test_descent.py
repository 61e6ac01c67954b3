"""Where descent arrives, against optima known from elsewhere; and when it must not go on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

from chainrule.deriving import derive
from chainrule.descent.descend import descend
from chainrule.descent.initial import initial_values
from chainrule.descent.loop import Descent
from chainrule.descent.objective import DescentObjective
from chainrule.descent.result import CostRecord, DescentResult, StopReason
from chainrule.errors import DataError, DivergenceError
from chainrule.language.reading import load_model, read_model
from chainrule.lecture import assign_roles, bind

MODELS = Path(__file__).parents[1] / "models"
NET = (MODELS / "net.cr").read_text(encoding="utf-8")
LINE = (MODELS / "line.cr").read_text(encoding="utf-8")
ROWS = (MODELS / "line_rows.cr").read_text(encoding="utf-8")
RNG = np.random.default_rng(11)
X = RNG.normal(size=(60, 3))
Y = X @ [1.0, -2.0, 0.5] + 0.7 + 0.1 * RNG.normal(size=60)


def cancer() -> tuple[np.ndarray, np.ndarray]:
    raw, label = load_breast_cancer(return_X_y=True)
    return (raw - raw.mean(0)) / raw.std(0), 1.0 - label


def test_it_approaches_what_scikit_learn_finds() -> None:
    features, label = cancer()
    result = descend(load_model("logistic_l2"), {"X": features, "Y": label}, rate=1.0, steps=6000)
    known = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(features, label)
    score = features @ known.coef_[0] + known.intercept_[0]
    optimum = np.sum(np.logaddexp(0, score) - label * score) + 0.5 * np.sum(known.coef_**2)
    assert result.stopped is StopReason.ALL_STEPS
    assert optimum <= result.cost * (1 + 1e-12)
    assert result.cost / optimum - 1 < 1e-3
    np.testing.assert_allclose(result.values["w"], known.coef_, atol=0.02)
    np.testing.assert_allclose(result.values["b"][0], known.intercept_, atol=0.02)
    assert result.accuracy == pytest.approx(known.score(features, label), abs=0.005)


def test_it_approaches_what_fit_finds() -> None:
    from chainrule import LogisticRegression as Fit

    features, label = cancer()
    fit = Fit(C=1.0).fit(features, label)
    assert fit.certificate_.proven
    result = descend(load_model("logistic_l2"), {"X": features, "Y": label}, rate=1.0, steps=6000)
    assert result.cost / fit.objective_ - 1 < 1e-3
    assert result.cost >= fit.objective_ * (1 - 1e-7)
    costs = [cost for _, cost in result.costs]
    assert costs == sorted(costs, reverse=True)


@pytest.mark.slow
def test_batches_with_a_penalty_approach_the_same_optimum() -> None:
    features, label = cancer()
    data = {"X": features, "Y": label}
    model = load_model("logistic_l2")
    whole = descend(model, data, rate=0.5, steps=2000)
    parts = descend(model, data, rate=0.05, steps=6000, batch=64)
    assert parts.scaling.fixed
    assert parts.cost == pytest.approx(whole.cost, rel=0.05)


@pytest.mark.parametrize("text", [LINE, ROWS])
@pytest.mark.parametrize("batch", [None, 60, 1000])
def test_least_squares_reaches_its_closed_form(text: str, batch: int | None) -> None:
    result = descend(text, {"X": X, "Y": Y}, rate=0.2, steps=600, batch=batch)
    design = np.column_stack([X, np.ones(60)])
    exact = np.linalg.lstsq(design, Y, rcond=None)[0]
    np.testing.assert_allclose(result.values["w"].ravel(), exact[:3], rtol=1e-9)
    np.testing.assert_allclose(result.values["b"].ravel(), exact[3:], rtol=1e-9)
    assert result.gradient_norm < 1e-9
    assert result.cost == pytest.approx(float(np.sum((design @ exact - Y) ** 2)), rel=1e-12)


def test_rows_and_columns_give_the_same_descent() -> None:
    one = descend(LINE, {"X": X, "Y": Y}, rate=0.1, steps=50, batch=7, seed=3)
    other = descend(ROWS, {"X": X, "Y": Y}, rate=0.1, steps=50, batch=7, seed=3)
    np.testing.assert_allclose(one.values["w"], other.values["w"].T, rtol=1e-12)
    np.testing.assert_allclose([c for _, c in one.costs], [c for _, c in other.costs], rtol=1e-12)


def test_one_example_a_step_is_the_same_in_both_manners_of_writing() -> None:
    label = (Y > 0).astype(float)
    single = descend(
        load_model("logistic_single"), {"x": X, "y": label}, rate=0.3, steps=90, seed=2
    )
    batch = descend(
        load_model("logistic_batch"), {"X": X, "Y": label}, rate=0.3, steps=90, seed=2, batch=1
    )
    assert single.batch == 1
    np.testing.assert_allclose(single.values["w"], batch.values["w"], rtol=1e-10)
    averaged = descend(
        load_model("logistic_single"), {"x": X, "y": label}, rate=0.3, steps=20, seed=2, batch=8
    )
    together = descend(
        load_model("logistic_batch"), {"X": X, "Y": label}, rate=0.3, steps=20, seed=2, batch=8
    )
    np.testing.assert_allclose(averaged.values["w"], together.values["w"], rtol=1e-10)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_two_layer_net_learns_exclusive_or(seed: int) -> None:
    corners = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    result = descend(
        NET, {"X": corners, "Y": [0, 1, 1, 0]}, rate=1, steps=2000, sizes={"h": 4}, seed=seed
    )
    assert result.cost < 0.01
    assert result.accuracy == 1.0
    assert result.check is not None
    assert result.check.passed


def test_the_same_seed_gives_the_same_descent_and_another_does_not() -> None:
    def run(seed: int) -> DescentResult:
        return descend(LINE, {"X": X, "Y": Y}, rate=0.05, steps=40, batch=8, seed=seed)

    assert run(4).costs == run(4).costs
    assert run(4).costs != run(5).costs


def test_every_pass_sees_each_example_once() -> None:
    model = read_model(LINE)
    binding = bind(assign_roles(model, ["X", "Y"]), {"X": X, "Y": Y})
    objective = DescentObjective(derive(model), binding)
    descent = Descent(objective, initial_values(binding, 0), rate=0.1, steps=10, batch=16, seed=1)
    batches = descent._batches()
    orders = []
    for _ in range(3):
        seen = [next(batches) for _ in range(4)]  # 16 + 16 + 16 + 12
        assert [len(rows) for rows in seen] == [16, 16, 16, 12]
        orders.append(np.concatenate(seen))
        assert sorted(orders[-1]) == list(range(60))
    assert not np.array_equal(orders[0], orders[1])


def test_a_step_is_rate_times_gradient_over_the_examples() -> None:
    start = {"w": np.zeros((1, 3)), "b": np.zeros((1, 1))}
    result = descend(LINE, {"X": X, "Y": Y}, rate=0.3, steps=1, start=start)
    np.testing.assert_allclose(result.values["w"], [0.3 * 2 * Y @ X / 60])
    mean = LINE.replace("norm(Z - Y)^2", "mean((Z - Y)^2)")
    same = descend(mean, {"X": X, "Y": Y}, rate=0.3, steps=1, start=start)
    np.testing.assert_allclose(same.values["w"], result.values["w"])


def test_a_batch_does_not_count_a_penalty_in_full() -> None:
    """Averaged over the batches of one pass, the steps are the step of the whole."""
    text = LINE.replace("norm(Z - Y)^2", "norm(Z - Y)^2 + 50 norm(w)^2")
    start = {"w": np.array([[1.0, 2.0, 3.0]]), "b": np.array([[0.5]])}
    whole = descend(text, {"X": X, "Y": Y}, rate=1e-9, steps=1, start=start)
    parts = descend(text, {"X": X, "Y": Y}, rate=1e-9, steps=6, batch=10, start=start)
    moved = (parts.values["w"] - start["w"]) / 6
    np.testing.assert_allclose(moved, whole.values["w"] - start["w"], rtol=1e-4)


def test_the_costs_are_recorded_within_bounds_and_told() -> None:
    told: list[CostRecord] = []
    result = descend(LINE, {"X": X, "Y": Y}, rate=0.01, steps=5000, batch=4, callback=told.append)
    assert [(record.step, record.cost) for record in told] == list(result.costs)
    assert result.costs[0][0] == 0
    assert result.costs[-1][0] == 5000
    assert 20 <= len(result.costs) <= 402
    assert told[-1].passes == pytest.approx(5000 * 4 / 60)


def test_values_are_those_of_the_lowest_recorded_cost() -> None:
    result = descend(LINE, {"X": X, "Y": Y}, rate=0.4, steps=300, batch=2, seed=1)
    assert result.cost == min(cost for _, cost in result.costs)
    model = read_model(LINE)
    binding = bind(assign_roles(model, ["X", "Y"]), {"X": X, "Y": Y})
    there = {model.symbol(name): value for name, value in result.values.items()}
    assert DescentObjective(derive(model), binding).cost(there) == pytest.approx(
        result.cost, rel=1e-12
    )


# ---- when it must not go on ------------------------------------------------------------------


@pytest.mark.parametrize("batch", [None, 16, 1])
@pytest.mark.parametrize("rate", [2.0, 50.0, 1e200])
def test_divergence_is_noticed_said_and_the_best_is_kept(rate: float, batch: int | None) -> None:
    result = descend(LINE, {"X": X, "Y": Y}, rate=rate, steps=4000, batch=batch)
    assert result.stopped.failed
    assert result.taken < 4000
    assert "at step" in result.report
    assert "Take a lower rate, such as" in result.report
    assert np.isfinite(result.cost)
    assert result.cost <= result.start_cost
    assert all(np.isfinite(value).all() for value in result.values.values())
    with pytest.raises(DivergenceError, match="at step"):
        result.raise_if_failed()


def test_the_advised_rate_does_not_run_away() -> None:
    features, label = cancer()
    for text, data in (
        (LINE, {"X": X, "Y": Y}),
        (LINE, {"X": 30 * X + 4, "Y": Y}),
        ((load_model("logistic_l2")), {"X": features, "Y": label}),
    ):
        failed = descend(text, data, rate=1e4, steps=200)
        assert failed.stopped.failed
        advised = float(failed.report.partition("such as ")[2].partition(". ")[0])
        again = descend(text, data, rate=advised, steps=200)
        assert not again.stopped.failed
        assert again.cost < again.start_cost


def test_what_went_non_finite_first_is_named() -> None:
    text = "x : (1, 1)\ny : (1, 1)\nw : (1, 1)\na = w x\ns = log(a)\nL = (s - y)^2"
    start = {"w": np.array([[1.0]])}
    result = descend(text, {"x": [1.0, 2.0], "y": [-9.0, -9.0]}, rate=5.0, steps=50, start=start)
    assert result.stopped is StopReason.NOT_FINITE
    assert "in s, log(a) is not a number, where a is -" in result.report


def test_a_start_that_is_not_finite_is_said() -> None:
    text = "x : (1, 1)\ny : (1, 1)\nw : (1, 1)\na = w x\ns = log(a)\nL = (s - y)^2"
    start = {"w": np.array([[-1.0]])}
    result = descend(text, {"x": [1.0], "y": [1.0]}, rate=0.1, steps=5, start=start)
    assert result.stopped is StopReason.NOT_FINITE
    assert result.check is None
    assert "at the starting values already" in result.report
    np.testing.assert_array_equal(result.values["w"], [[-1.0]])


def test_noise_of_single_examples_is_not_taken_for_divergence() -> None:
    result = descend(LINE, {"X": X, "Y": Y}, rate=0.05, steps=3000, batch=1)
    assert result.stopped is StopReason.ALL_STEPS


def test_a_hand_on_the_keyboard_keeps_the_best() -> None:
    def stop(record: CostRecord) -> None:
        if record.step >= 20:
            raise KeyboardInterrupt

    result = descend(LINE, {"X": X, "Y": Y}, rate=0.05, steps=500, callback=stop)
    assert result.stopped is StopReason.INTERRUPTED
    assert result.step > 0
    assert result.cost == min(cost for _, cost in result.costs)


def test_it_ends_where_nothing_changes() -> None:
    start = {"w": np.ones((1, 1)), "b": np.zeros((1, 1))}
    result = descend(LINE, {"X": [1.0, 2.0], "Y": [1.0, 2.0]}, rate=0.1, steps=99, start=start)
    assert result.stopped is StopReason.FLAT
    assert result.cost == 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rate": 0.0}, "must be a number above 0"),
        ({"rate": float("nan")}, "must be a number above 0"),
        ({"steps": 0}, "take at least 1"),
        ({"batch": 0}, "at least 1"),
        ({"start": {"w": np.ones((3, 1))}}, r"shape \(3, 1\); w is \(1, n\) = \(1, 3\)"),
        ({"start": {"X": np.ones((3, 1))}}, "what is learned: w, b"),
        ({"start": {"b": [[np.inf]]}}, "is not finite"),
    ],
)
def test_what_is_said_about_settings(settings: dict[str, object], said: str) -> None:
    with pytest.raises(DataError, match=said):
        descend(LINE, {"X": X, "Y": Y}, **settings)  # type: ignore[arg-type]


def test_batches_of_what_is_no_sum_are_refused() -> None:
    text = "X : (n, m)\nY : (1, m)\nw : (1, n)\nJ = norm(w X - Y)"
    with pytest.raises(DataError, match="neither a sum nor a mean"):
        descend(text, {"X": X, "Y": Y}, batch=8)
    assert descend(text, {"X": X, "Y": Y}, rate=0.01, steps=20).stopped is StopReason.ALL_STEPS
