"""The derived gradient against other people's differentiation, on real batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import autograd.numpy as anp
import numpy as np
import pytest
from autograd import grad

from chainrule.calculus.derivation.steps import Gradient
from chainrule.deriving import derive
from chainrule.descent.check import check_gradient
from chainrule.descent.initial import initial_values
from chainrule.descent.objective import DescentObjective
from chainrule.descent.scaling import ExampleAggregation, find_scaling
from chainrule.errors import DataError
from chainrule.language.reading import load_model, read_model
from chainrule.lecture import assign_roles, bind

MODELS = Path(__file__).parents[1] / "models"
NET = (MODELS / "net.cr").read_text(encoding="utf-8")
MEAN = "X : (m, n)\nY : (m, 1)\nw : (n, 1)\nJ = mean((X w - Y)^2)"
NORM = "X : (n, m)\nY : (1, m)\nw : (1, n)\nJ = norm(w X - Y)"
RELU = """
X : (n, m)
Y : (1, m)
W : (h, n)
c : (h, 1)
v : (1, h)
J = norm(v relu(W X + c) - Y)^2
wrt: W, c, v
"""
RNG = np.random.default_rng(5)
X = RNG.normal(size=(30, 3))
Y = (RNG.random(30) > 0.5).astype(float)


def objective(text: str, **sizes: int) -> DescentObjective:
    model = read_model(text)
    roles = assign_roles(model, ["X", "Y"])
    binding = bind(roles, {"X": X, "Y": Y}, sizes=sizes)
    return DescentObjective(derive(model, [s.name for s in roles.learned]), binding)


def net_cost(values: dict[str, Any], rows: Any) -> Any:
    hidden = anp.tanh(anp.dot(values["W^[1]"], X[rows].T) + values["b^[1]"])
    a = 1 / (1 + anp.exp(-(anp.dot(values["W^[2]"], hidden) + values["b^[2]"])))
    return -anp.sum(Y[rows] * anp.log(a) + (1 - Y[rows]) * anp.log(1 - a))


def mean_cost(values: dict[str, Any], rows: Any) -> Any:
    return anp.mean((anp.dot(X[rows], values["w"])[:, 0] - Y[rows]) ** 2)


def relu_cost(values: dict[str, Any], rows: Any) -> Any:
    hidden = anp.maximum(anp.dot(values["W"], X[rows].T) + values["c"], 0)
    return anp.sum((anp.dot(values["v"], hidden) - Y[rows]) ** 2)


@pytest.mark.parametrize(
    ("text", "sizes", "cost"),
    [(NET, {"h": 4}, net_cost), (MEAN, {}, mean_cost), (RELU, {"h": 5}, relu_cost)],
)
@pytest.mark.parametrize("rows", [np.arange(30), np.array([3, 17, 5])])
def test_the_gradient_is_that_of_autograd(
    text: str, sizes: dict[str, int], cost: Callable[..., Any], rows: Any
) -> None:
    found = objective(text, **sizes)
    values = {
        s: v + 0.1 * RNG.normal(size=v.shape) for s, v in initial_values(found.binding, 1).items()
    }
    here = found.evaluate(values, rows)
    by_name = {s.name: v for s, v in values.items()}
    assert here.cost == pytest.approx(float(cost(by_name, rows)), rel=1e-12)
    expected = grad(cost)(by_name, rows)
    for symbol, gradient in here.gradient.items():
        np.testing.assert_allclose(gradient, expected[symbol.name], rtol=1e-9, atol=1e-12)


def test_a_model_of_one_example_adds_its_examples_up() -> None:
    batch, single = load_model("logistic_batch"), load_model("logistic_single")
    many = DescentObjective(derive(batch), bind(assign_roles(batch, ["X", "Y"]), {"X": X, "Y": Y}))
    one = DescentObjective(derive(single), bind(assign_roles(single, ["x", "y"]), {"x": X, "y": Y}))
    values = initial_values(many.binding, 0)
    a, b = many.evaluate(values), one.evaluate(values)
    assert a.cost == pytest.approx(b.cost, rel=1e-12)
    for symbol in values:
        np.testing.assert_allclose(a.gradient[symbol], b.gradient[symbol], rtol=1e-12)


def test_a_cost_is_a_number_where_the_plain_formula_is_not() -> None:
    model = load_model("logistic_batch")
    data = {"X": np.array([[1.0], [1.0]]), "Y": np.array([1.0, 0.0])}
    found = DescentObjective(derive(model), bind(assign_roles(model, ["X", "Y"]), data))
    w, b = found.learned
    # At a score of 800 the plain log(1 - A) is log(0); the cost is the score itself.
    assert found.cost({w: np.array([[800.0]]), b: np.zeros((1, 1))}) == pytest.approx(800.0)
    assert found.cost({w: np.array([[-800.0]]), b: np.zeros((1, 1))}) == pytest.approx(800.0)
    assert [definition.target.name for definition in found.rewritten] == ["J"]


@pytest.mark.parametrize(
    ("text", "adding", "fixed"),
    [
        (NET.replace("h", "2"), ExampleAggregation.SUM, False),
        (MEAN, ExampleAggregation.MEAN, False),
        (MEAN + " + norm(w)^2", ExampleAggregation.MEAN, False),
        (NORM, ExampleAggregation.NEITHER, False),
        (
            MEAN.replace("mean((X w - Y)^2)", "norm(X w - Y)^2 + norm(w)^2 / 2"),
            ExampleAggregation.SUM,
            True,
        ),
    ],
)
def test_what_a_step_divides_by_is_found(
    text: str, adding: ExampleAggregation, fixed: bool
) -> None:
    text = text.replace("tan2", "tanh")
    found = objective(text)
    scaling = find_scaling(found, initial_values(found.binding, 0), 0)
    assert (scaling.adding, scaling.fixed) == (adding, fixed)
    assert "J is" in scaling.sentence("J")


def test_the_check_passes_and_says_how_much_it_saw() -> None:
    found = objective(NET, h=4)
    check = check_gradient(found, initial_values(found.binding, 0), 0)
    assert check.passed
    assert check.entries == 12 + 4 + 4 + 1
    assert str(check).startswith("passed: 21 entries, 30 examples")


def test_the_check_finds_a_wrong_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    found = objective(MEAN)
    values = initial_values(found.binding, 0)
    right = found.evaluate

    def wrong(*args: Any) -> Any:
        here = right(*args)
        (gradient,) = here.gradient.values()
        gradient[1, 0] *= 1.001
        return here

    monkeypatch.setattr(found, "evaluate", wrong)
    check = check_gradient(found, values, 0)
    assert not check.passed
    assert check.worst == "w(2, 1)"
    assert "FAILED at w(2, 1): derived" in str(check)


def test_a_kink_is_no_failure() -> None:
    model = read_model(RELU)
    roles = assign_roles(model, ["X", "Y"])
    binding = bind(roles, {"X": np.zeros((3, 2)), "Y": np.ones(3)}, sizes={"h": 2})
    found = DescentObjective(derive(model, ["W", "c", "v"]), binding)
    check = check_gradient(found, initial_values(binding, 0), 0)  # W 0 + 0: on the kink
    assert check.passed
    assert check.left_out == 2
    assert "kink" in str(check)


@pytest.mark.parametrize("scale", [1e-4, 1e2, 1e4])
@pytest.mark.parametrize("seed", range(4))
def test_steep_and_flat_data_do_not_fail_the_check(scale: float, seed: int) -> None:
    model = read_model(NET)
    binding = bind(assign_roles(model, ["X", "Y"]), {"X": scale * X, "Y": Y}, sizes={"h": 3})
    found = DescentObjective(derive(model), binding)
    check = check_gradient(found, initial_values(binding, seed), seed)
    assert check.passed
    assert check.left_out <= 5
    assert check.entries >= 11


def without_matrix(found: DescentObjective) -> DescentObjective:
    """The same objective whose gradients are known entry by entry only."""
    derivation = found.derivation

    def entries(gradients: Mapping[Any, Gradient]) -> dict[Any, Gradient]:
        return {
            key: replace(g, matrix=None, no_matrix_form="for the test")
            for key, g in gradients.items()
        }

    changed = replace(
        derivation,
        gradients=entries(derivation.gradients),
        layers=entries(derivation.layers),
    )
    return DescentObjective(changed, found.binding)


@pytest.mark.parametrize(("text", "sizes"), [(NET, {"h": 4}), (MEAN, {}), (RELU, {"h": 5})])
def test_index_forms_give_the_same_gradient(text: str, sizes: dict[str, int]) -> None:
    found = objective(text, **sizes)
    values = initial_values(found.binding, 3)
    expected = found.evaluate(values).gradient
    for symbol, gradient in without_matrix(found).evaluate(values).gradient.items():
        np.testing.assert_allclose(gradient, expected[symbol], rtol=1e-10, atol=1e-12)


def test_an_index_form_that_would_fill_the_memory_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("chainrule.descent.objective.LARGEST_INDEX_FORM", 80)
    found = without_matrix(objective(MEAN))  # 30 x 3 cells
    with pytest.raises(DataError, match=r"no matrix form .* 9.0e\+01 cells"):
        found.evaluate(initial_values(found.binding, 0))


def test_inputs_of_three_dimensions_are_refused_in_words() -> None:
    model = read_model("X : (n, m)\nW : (h, k, n)\nJ = sum(W X)")
    with pytest.raises(DataError, match="W has 3 dimensions"):
        assign_roles(model, ["X"])
