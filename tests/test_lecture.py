from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from chainrule.calculus.graph.model import Model
from chainrule.errors import DataError, ModelError
from chainrule.language.reading import load_model, read_model
from chainrule.lecture import assign_roles, bind, find_input

MODELS = Path(__file__).parents[0] / "models"
COLUMNS = (MODELS / "line.cr").read_text(encoding="utf-8")
ROWS = (MODELS / "line_rows.cr").read_text(encoding="utf-8")
TABLE = np.arange(12.0).reshape(4, 3)
TARGET = np.array([0.0, 1.0, 1.0, 0.0])


def names(symbols: tuple[object, ...]) -> list[str]:
    return [getattr(symbol, "name", "") for symbol in symbols]


@pytest.mark.parametrize("text", [COLUMNS, ROWS])
def test_examples_run_along_the_dimension_that_data_share_and_weights_lack(text: str) -> None:
    roles = assign_roles(read_model(text), ["X", "Y"])
    assert roles.examples == "m"
    assert names(roles.learned) == ["w", "b"]


def test_data_take_the_shape_of_the_model() -> None:
    for text, turned in ((COLUMNS, True), (ROWS, False)):
        model = read_model(text)
        binding = bind(assign_roles(model, ["X", "Y"]), {"X": TABLE, "Y": TARGET})
        rows = np.array([2, 0])
        ((values, sizes),) = binding.runs(rows)
        expected = TABLE[[2, 0]]
        assert sizes == {"n": 3, "m": 2}
        np.testing.assert_array_equal(values[model.symbol("X")], expected.T if turned else expected)
        assert values[model.symbol("Y")].shape == ((1, 2) if turned else (2, 1))
        ((everything, sizes),) = binding.runs()
        assert sizes["m"] == 4
        assert everything[model.symbol("X")].size == 12


def test_a_model_of_one_example_is_run_once_for_each() -> None:
    model = load_model("logistic_single")
    binding = bind(assign_roles(model, ["x", "y"]), {"x": TABLE, "y": TARGET})
    assert binding.roles.examples is None
    runs = list(binding.runs(np.array([3, 1])))
    assert [float(values[model.symbol("y")][0, 0]) for values, _ in runs] == [0.0, 1.0]
    np.testing.assert_array_equal(runs[0][0][model.symbol("x")], TABLE[3][:, None])


def test_a_row_vector_for_one_example() -> None:
    model = load_model("board_b4")  # x : (1, n), y : (1, m), W : (n, m)
    roles = assign_roles(model, ["x", "y"])
    assert (roles.examples, names(roles.learned)) == (None, ["W"])
    binding = bind(roles, {"x": TABLE, "y": np.ones((4, 2))})
    assert binding.shape(model.symbol("W")) == (3, 2)


def test_names_in_any_spelling() -> None:
    model = read_model("x̂ : (1, 1)\nW^[1] : (1, 1)\nL = (W^[1] x̂)^2")
    assert find_input(model, "xhat") is model.inputs[0]
    assert find_input(model, "W^{[1]}") is model.inputs[1]


def test_a_lesson_that_asks_for_no_parameter_learns_the_usual_ones() -> None:
    roles = assign_roles(load_model("board_b1"), ["x", "y"])  # asks for the gradient at a unit
    assert names(roles.learned) == ["W^[1]", "b^[1]", "W^[2]", "b^[2]", "W^[3]", "b^[3]"]


def test_constants_fill_their_shape_or_bring_it() -> None:
    text = "X : (n, m)\nY : (1, m)\nw : (1, n)\nS : (n, n)\nJ = norm(w S X - Y)^2"
    roles = assign_roles(read_model(text), ["X", "Y"], constants=["S"])
    filled = bind(roles, {"X": TABLE, "Y": TARGET}, constants={"S": 2.0})
    np.testing.assert_array_equal(next(iter(filled.constants.values())), np.full((3, 3), 2.0))
    with pytest.raises(DataError, match="the size of n is not clear"):
        bind(roles, {"X": TABLE, "Y": TARGET}, constants={"S": np.eye(2)})


def layout_error(text: str | Model, data: list[str], **more: object) -> str:
    model = read_model(text) if isinstance(text, str) else text
    with pytest.raises((DataError, ModelError)) as caught:
        assign_roles(model, data, **more)  # type: ignore[arg-type]
    return str(caught.value)


def test_what_is_said_when_an_input_has_no_use() -> None:
    asked = load_model("board_b2")  # asks for w alone
    said = layout_error(asked, ["x", "y"])
    assert "b is neither bound to data nor learned" in said
    assert "--bind b=COLUMN" in said
    assert "--wrt 'w,b'" in said


@pytest.mark.parametrize(
    ("text", "data", "more", "said"),
    [
        (COLUMNS, ["Q"], {}, "no input Q; it has X, Y, w, b"),
        (COLUMNS, ["Z"], {}, "Z is computed by the forward pass"),
        (COLUMNS, ["X", "Y"], {"wrt": ["X", "w", "b"]}, "X is both bound and to be learned"),
        (COLUMNS, ["X", "Y", "w", "b"], {}, "nothing is left to learn"),
        (COLUMNS, [], {}, "no input is bound to data"),
        (COLUMNS, ["X", "Y"], {"examples": "q"}, "--examples q: not a dimension of all the data"),
        (
            "X : (n, m)\nY : (1, k)\nw : (1, n)\nJ = norm(w X)^2 + norm(Y)^2",
            ["X", "Y"],
            {},
            "no dimension is common to all",
        ),
        (
            "X : (n, m)\nY : (1, m)\nw : (1, n)\nb : (1, m)\nJ = norm(w X + b - Y)^2",
            ["X", "Y"],
            {},
            "b is (1, m): it would have one value for each example along m",
        ),
        (
            "X : (k, m)\nY : (k, m)\nw : (1, 1)\nJ = norm(w .* X - Y)^2",
            ["X", "Y"],
            {},
            "the examples may run along k or m (X is (k, m) and Y is (k, m)). Say which: "
            "--examples m",
        ),
        ("X : (m, m)\nw : (1, 1)\nJ = norm(w .* X)^2", ["X"], {}, "must count columns"),
    ],
)
def test_what_is_said_about_a_layout(
    text: str, data: list[str], more: dict[str, object], said: str
) -> None:
    assert said in layout_error(text, data, **more)


def test_the_examples_dimension_can_be_chosen() -> None:
    text = "X : (k, m)\nY : (k, m)\nw : (1, 1)\nJ = norm(w .* X - Y)^2"
    assert assign_roles(read_model(text), ["X", "Y"], examples="k").examples == "k"


@pytest.mark.parametrize(
    ("change", "sizes", "said"),
    [
        ({"Y": np.ones((4, 2))}, {}, "Y is (1, m) and is bound to 2 columns; bind it to 1"),
        ({"Y": np.ones(3)}, {}, "differ in their number of examples: X 4, Y 3"),
        ({"X": np.ones((4, 3, 1))}, {}, "the data of X have 3 dimensions"),
        ({"X": np.full((4, 3), np.nan)}, {}, "the data of X hold values that are missing"),
        ({"X": np.ones((0, 3)), "Y": np.ones(0)}, {}, "no example"),
        ({}, {"n": 5}, "the size of n is not clear: --size n=5, but X is bound to 3 columns"),
        ({}, {"h": 5}, "no dimension h; it has m, n"),
        ({}, {"m": 4}, "m counts the examples"),
        ({}, {"n": 0}, "a size is at least 1"),
    ],
)
def test_what_is_said_about_data(
    change: dict[str, np.ndarray], sizes: dict[str, int], said: str
) -> None:
    roles = assign_roles(read_model(COLUMNS), ["X", "Y"])
    with pytest.raises(DataError, match=re.escape(said)):
        bind(roles, {"X": TABLE, "Y": TARGET} | change, sizes=sizes)


def test_a_size_that_no_data_tell_is_asked_for() -> None:
    text = "X : (n, m)\nV : (h, n)\nw : (1, h)\nJ = norm(w (V X))^2"
    roles = assign_roles(read_model(text), ["X"], wrt=["V", "w"])
    with pytest.raises(DataError, match=re.escape("the size of h is not determined by the data")):
        bind(roles, {"X": TABLE})
    assert bind(roles, {"X": TABLE}, sizes={"h": 7}).shape(roles.learned[0]) == (7, 3)
