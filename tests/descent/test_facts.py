"""Data that break what the forward pass says of them, by kind; and how labels are read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from chainrule.cli.main import cli
from chainrule.descent.columns import Reading
from chainrule.descent.descend import descend
from chainrule.descent.meaning import Meaning, meaning
from chainrule.errors import DataError, ModelError
from chainrule.language.reading import read_model
from chainrule.language.typeset import model_text
from chainrule.lecture import Draw, assign_roles

HEAD = "X : (n, m)\nY : (1, m)\nw : (1, n)\nb : (1, 1)\nZ = w X + b\n"
CLASSES = "X : (n, m)\nY : (k, m)\nW : (k, n)\nb : (k, 1)\nS = W X + b\n"
LOGISTIC = HEAD + "A = sigmoid(Z)\nJ = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))\n"

MEANINGS = [
    (LOGISTIC, Meaning.BINARY),
    (HEAD + "J = -sum(Y .* log(Phi(Z)) + (1 - Y) .* log(1 - Phi(Z)))", Meaning.BINARY),
    (HEAD + "J = sum(softplus(Z) - Y .* Z)", Meaning.BINARY),
    (HEAD + "J = sum(log(1 + exp(Z)) - Y .* Z)/m + norm(w)^2", Meaning.BINARY),
    (HEAD + "J = sum(log1p(exp(Z)) - Y .* Z)", Meaning.BINARY),
    (HEAD + "J = sum(exp(Z) - Y .* Z)", Meaning.NUMBERS),  # counts
    (HEAD + "A = sigmoid(Z)\nJ = norm(A - Y)^2", Meaning.BINARY),
    (HEAD + "E = Y - sigmoid(Z)\nJ = sum(E .* E)", Meaning.BINARY),
    (HEAD + "A = tanh(Z)\nJ = norm(A - Y)^2", Meaning.NUMBERS),
    (HEAD + "J = norm(Z - Y)^2", Meaning.NUMBERS),
    (HEAD + "J = sum(max(0, 1 - Y .* Z))", Meaning.MARGIN),
    (HEAD + "J = sum(max(0, 1 - Y .* Z))/m + norm(w)^2", Meaning.MARGIN),
    (HEAD + "M = Y .* Z\nJ = mean(max(0, 1 - M)^2)", Meaning.MARGIN),
    (HEAD + "J = sum(log(1 + exp(-Y .* Z)))", Meaning.MARGIN),
    (HEAD + "J = sum(softplus(-Y .* Z))", Meaning.MARGIN),
    (HEAD + "J = sum(exp(-Y .* Z))", Meaning.MARGIN),
    (HEAD + "J = sum(Y .* Z^2)", Meaning.NUMBERS),  # a weight
    (HEAD + "J = norm(Y .* Z)^2", Meaning.NUMBERS),  # a mask
    (CLASSES + "P = softmax(S, axis=0)\nJ = cross_entropy(Y, P)", Meaning.CLASSES),
    (CLASSES + "J = -sum(Y .* (S - logsumexp(S, axis=0)))", Meaning.CLASSES),
    (CLASSES + "J = multiclass_hinge(Y, S)", Meaning.CLASSES),
    (CLASSES + "J = norm(S - Y)^2", Meaning.NUMBERS),
    (
        "X : (m, n)\nY : (m, k)\nW : (n, k)\nP = softmax(X W, axis=1)\nJ = -sum(Y .* log(P))",
        Meaning.CLASSES,
    ),
    ("X : (n, m)\nY : (k, m)\nonehot: Y\nW : (k, n)\nJ = norm(W X - Y)^2", Meaning.CLASSES),
    (
        CLASSES.replace("(k, m)", "(1, m)") + "J = cross_entropy(onehot(Y, k), softmax(S, axis=0))",
        Meaning.PLACES,
    ),
]


@pytest.mark.parametrize(("text", "found"), MEANINGS)
def test_the_meaning_of_labels_is_found_from_their_use(text: str, found: Meaning) -> None:
    model = read_model(text)
    roles = assign_roles(model, ["X", "Y"])
    assert meaning(roles, model.symbol("Y")) is found
    assert meaning(roles, model.symbol("X")) is Meaning.NUMBERS


X = np.random.default_rng(0).normal(size=(6, 2))
BROKEN = [
    (LOGISTIC, {"Y": [1, 1, 1, 1, 1, 1]}, r"Y is 1 in all 6 examples, so there is nothing to tell"),
    (LOGISTIC, {"Y": [0, 1, 2, 0, 1, 0]}, r"example 3: Y is 2; Y is a label between 0 and 1"),
    (LOGISTIC, {"Y": [0, -1, 1, 0, 1, -1]}, r"example 2: Y is -1 \(2 such rows\)"),
    (HEAD + "J = sum(max(0, 1 - Y .* Z))", {"Y": [1, 0, 1, 0, 1, 0]}, "margin loss are -1 and 1"),
    (HEAD + "J = sum(exp(-Y .* Z))", {"Y": [1, 2, 1, 1, 1, 1]}, "example 2: Y is 2"),
    (
        CLASSES + "P = softmax(S, axis=0)\nJ = cross_entropy(Y, P)",
        {"Y": [0.0, 0, 0, 0, 0, 0]},
        r"softmax\(S, axis=0\) is over one row \(a size k of 1\)",
    ),
    (
        CLASSES + "J = -sum(Y .* (S - logsumexp(S, axis=0)))\nonehot: Y",
        {"Y": np.array([[1, 0], [0, 1], [1, 1], [0, 1], [1, 0], [1, 0]])},
        "example 3: Y is declared one-hot, and its 2 entries add to 2",
    ),
]


@pytest.mark.parametrize(("text", "data", "said"), BROKEN)
def test_data_that_break_a_fact_are_named_by_row(
    text: str, data: dict[str, object], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        descend(text, {"X": X, **data}, steps=2)  # type: ignore[dict-item]


def test_class_labels_in_python_are_numbers_or_rows() -> None:
    text = CLASSES + "P = softmax(S, axis=0)\nJ = cross_entropy(Y, P)"
    labels = np.array([0, 2, 1, 0, 2, 2])
    one = descend(text, {"X": X, "Y": labels}, steps=9)
    other = descend(text, {"X": X, "Y": np.eye(3)[labels]}, steps=9)
    np.testing.assert_array_equal(one.values["W"], other.values["W"])
    assert one.accuracy is not None
    assert descend(text, {"X": X, "Y": labels}, steps=2, sizes={"k": 5}).values["W"].shape[0] == 5
    for wrong, sizes in ((labels + 0.5, {}), (labels - 1, {}), (labels, {"k": 2})):
        with pytest.raises(DataError, match="class"):
            descend(text, {"X": X, "Y": wrong}, steps=2, sizes=sizes)


LOOKUP = "ids : (1, m)\nY : (1, m)\nE : (2, v)\nw : (1, 2)\nJ = norm(w lookup(E, ids) - Y)^2"


@pytest.mark.parametrize(
    ("ids", "said"),
    [
        ([0, 1, 12, 3], "example 3: ids is 12; the 10 places of v are numbered from 0 to 9"),
        ([0, 1, 2, -1], "example 4: ids is -1"),
        ([0, 1.5, 2, 3], "example 2: ids is 1.5; ids holds numbers of places"),
    ],
)
def test_numbers_of_places_are_whole_and_in_range(ids: list[float], said: str) -> None:
    with pytest.raises(DataError, match=said):
        descend(LOOKUP, {"ids": ids, "Y": [1, 2, 3, 4]}, sizes={"v": 10}, steps=2)


# ---- from a table ----------------------------------------------------------------------------


def run(tmp_path: Path, text: str, rows: list[str], *arguments: str) -> Result:
    (tmp_path / "m.cr").write_text(text)
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    base = ["train", str(tmp_path / "m.cr"), "--data", str(tmp_path / "t.csv")]
    return CliRunner().invoke(cli, [*base, "--steps", "3", *arguments])


def table(labels: list[object]) -> list[str]:
    rng = np.random.default_rng(1)
    return ["a,b,y", *(f"{rng.normal()},{rng.normal()},{y}" for y in labels)]


XY = ("--bind", "X=a,b", "--bind", "Y=y")


@pytest.mark.parametrize(
    "line",
    [
        "P = softmax(S, axis=0)\nJ = cross_entropy(Y, P)\nonehot: Y\n",
        "P = softmax(S, axis=0)\nJ = cross_entropy(Y, P)\n",
        "J = -sum(Y .* (S - logsumexp(S, axis=0)))\n",
        "J = multiclass_hinge(Y, S)\n",
    ],
)
@pytest.mark.parametrize("labels", [[0, 1, 2, 1, 0, 2], [3, 11, 20, 3, 11, 20], list("cabcab")])
def test_labels_of_classes_give_a_row_each(tmp_path: Path, line: str, labels: list[object]) -> None:
    result = run(tmp_path, CLASSES + line, table(labels), *XY, "--json")
    assert result.exit_code == 0, result.output
    known = json.loads(result.stdout)
    order = sorted({str(label) for label in labels}, key=lambda w: (len(w), w))
    assert known["labels"]["Y"] == order
    assert known["sizes"]["k"] == 3
    assert known["score"]["name"] == "accuracy"


def test_a_given_number_of_classes_is_kept(tmp_path: Path) -> None:
    text = CLASSES + "P = softmax(S, axis=0)\nJ = cross_entropy(Y, P)\n"
    known = run(tmp_path, text, table([0, 1, 3, 3, 1, 0]), *XY, "--size", "k=5", "--json")
    assert json.loads(known.stdout)["labels"]["Y"] == ["0", "1", "2", "3", "4"]
    wrong = run(tmp_path, text, table([0, 7, 3, 3, 1, 0]), *XY, "--size", "k=3")
    assert "holds 4 labels" in wrong.stderr


@pytest.mark.parametrize("labels", [["no", "yes"], [0, 1], [1, 2], [-1, 1]])
def test_margin_labels_become_signs_and_say_so(tmp_path: Path, labels: list[object]) -> None:
    text = HEAD + "J = sum(max(0, 1 - Y .* Z))/m\n"
    rows = table(labels * 4)
    shown = run(tmp_path, text, rows, *XY)
    assert shown.exit_code == 0, shown.output
    if labels != [-1, 1]:
        assert f"Y is 1 for {labels[1]} and -1 for {labels[0]}" in shown.stdout
        assert "a margin loss" in shown.stdout
    known = json.loads(run(tmp_path, text, rows, *XY, "--json").stdout)
    assert known["score"]["name"] == "accuracy"


def test_two_numbers_that_are_not_0_and_1_become_labels(tmp_path: Path) -> None:
    shown = run(tmp_path, LOGISTIC, table([1, 2] * 4), *XY)
    assert "Y is 1 for 2 and 0 for 1" in shown.stdout
    wrong = run(tmp_path, LOGISTIC, table([0, 1, 5, 1, 0, 2]), *XY)
    assert "t.csv, row 3: Y is 5" in wrong.stderr


def test_raw_drops_nothing_and_changes_nothing(tmp_path: Path) -> None:
    rows = ["a,b,c,y", *(f"0.1,{k}.3,7,{k}" for k in range(5))]
    text = "X : (n, m)\nY : (1, m)\nw : (1, n)\nJ = norm(w X - Y)^2\n"
    base = ("--bind", "X=features", "--bind", "Y=y", "--rate", "1e-4", "--json")
    known = json.loads(run(tmp_path, text, rows, *base, "--raw").stdout)
    assert [f["name"] for f in known["features"]] == ["a", "b", "c"]
    assert known["reading"]["inputs"][0]["reading"] == Reading.FEATURES.value
    standard = run(tmp_path, text, rows, *base[:-1])
    assert "column 'a' is constant (0.1): left out" in standard.stdout


def test_what_is_learned_is_found_by_role_and_listed(tmp_path: Path) -> None:
    text = (
        "X : (n, m)\nY : (1, m)\nK : (h, n)\nU : (h, h)\ng : (h, 1)\nw : (1, h)\nc : (1, 1)\n"
        "J = norm(w tanh(g .* (U (K X))) - Y)^2/m + c norm(w)^2\n"
    )
    rows = ["a,b,y", *(f"{k},{k % 3},{k % 2}" for k in range(8))]
    asked = run(tmp_path, text, rows, *XY, "--size", "h=3")
    assert "c is neither bound to data nor learned" in asked.stderr
    shown = run(tmp_path, text, rows, *XY, "--size", "h=3", "--bind", "c=0.1")
    assert "learned    K (h, n) = (3, 2), U (h, h) = (3, 3), g (h, 1) = (3, 1), w" in shown.stdout
    assert "constant   c (1, 1), 0.1 everywhere" in shown.stdout


def test_constants_fill_any_shape_and_examples_are_what_all_data_share(tmp_path: Path) -> None:
    text = (
        "p : (1, m)\nq : (1, m)\ny : (1, m)\nh : (d, m)\nU : (d, 1)\nv : (1, d)\n"
        "A = v tanh(U p + U q + h)\nJ = sum((A - y)^2)/m\n"
    )
    rows = ["p,q,y", *(f"{k},{k % 3},{k % 2}" for k in range(8))]
    binds = ("--bind", "p=p", "--bind", "q=q", "--bind", "y=y", "--bind", "h=0", "--size", "d=2")
    for more in ((), ("--examples", "m")):
        shown = run(tmp_path, text, rows, *binds, *more)
        assert "examples   8, along m" in shown.stdout, shown.output


# ---- masks that the forward pass names -------------------------------------------------------

MASKED = (
    "X : (n, m)\nY : (1, m)\nD : (h, m)\n{mask}\nW : (h, n)\nv : (1, h)\n"
    "J = norm(v (tanh(W X) .* D) - Y)^2/m\n"
)


@pytest.mark.parametrize(
    "line", ["mask D with 0.5", "mask: D with 0.5", "  mask D with 1/2  # half of the units"]
)
def test_a_forward_pass_names_what_is_drawn(line: str) -> None:
    model = read_model(MASKED.format(mask=line))
    assert [(m.symbol.name, m.keep) for m in model.masks] == [("D", 0.5)]
    assert read_model(model_text(model)).masks == model.masks
    data = {"X": X, "Y": np.arange(6.0)}
    own = descend(model, data, sizes={"h": 3}, steps=5, seed=1)
    given = descend(
        MASKED.format(mask=""),
        data,
        sizes={"h": 3},
        steps=5,
        seed=1,
        draws={"D": Draw("mask", 0.5)},
    )
    np.testing.assert_array_equal(own.values["W"], given.values["W"])
    fixed = descend(model, data, sizes={"h": 3}, steps=5, seed=1, constants={"D": 1.0})
    assert not np.array_equal(fixed.values["W"], own.values["W"])


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("mask D with 2", "a probability above 0, at most 1"),
        ("mask D with half", "a probability above 0, at most 1"),
        ("mask Q with 0.5", "Q"),
        ("mask J with 0.5", "J is a definition"),
        ("mask D with 0.5\nmask D with 0.7", "drawn twice"),
    ],
)
def test_what_is_said_about_a_mask(line: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        read_model(MASKED.format(mask=line))


def test_an_input_may_be_called_mask() -> None:
    model = read_model("mask : (1, m)\nw : (1, 1)\nJ = sum(w mask)")
    assert model.inputs[0].name == "mask"
    assert not model.masks
