from pathlib import Path

import pytest

from chainrule.calculus.graph.model import Asked
from chainrule.calculus.graph.node import Symbol
from chainrule.calculus.ops import log, reduce_sum, relu, sigmoid, squared_norm, tanh
from chainrule.errors import ModelError, ParseError
from chainrule.language.reading import example_names, load_model, read_model

BATCH = """
# logistic regression, many examples
X : (n, m)   # features, one column per example
Y : (1, m)
w : (1, n)
b : (1, 1)

Z = w X + b
A = sigmoid(Z)
J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))
"""


def test_the_batch_example_reads_as_the_builders_build() -> None:
    model = read_model(BATCH)
    X, Y, w, b = Symbol("X", ("n", "m")), Symbol("Y", (1, "m")), Symbol("w", (1, "n")), Symbol("b")
    Z, A, J = Symbol("Z", (1, "m")), Symbol("A", (1, "m")), Symbol("J")
    assert model.inputs == (X, Y, w, b)
    assert model.values == {
        Z: w @ X + b,
        A: sigmoid(Z),
        J: -reduce_sum(Y * log(A) + (1 - Y) * log(1 - A)),
    }
    assert model.objective is J
    assert model.title == "logistic regression, many examples"
    assert model.notes == {"X": "features, one column per example"}
    assert [definition.line for definition in model.definitions] == [8, 9, 10]
    assert model.asked == ()


def test_the_same_text_with_other_line_ends_reads_the_same() -> None:
    for ending in ("\r\n", "\r"):
        other = read_model("\ufeff" + BATCH.replace("\n", ending))
        assert other == read_model(BATCH)


def test_directives_and_lists_of_names() -> None:
    model = read_model(
        """
        W1, W2 : (h, n)
        x : (n, 1)
        c : ()
        d : (1)
        k : (3 × 1)
        s := sum(W1 x + W2 x)
        t = s + c + d + norm(k)
        objective: s
        WRT: W2, x_1
        """,
        name="two matrices",
    )
    W1, W2, x = Symbol("W1", ("h", "n")), Symbol("W2", ("h", "n")), Symbol("x", ("n", 1))
    assert model.inputs == (W1, W2, x, Symbol("c"), Symbol("d"), Symbol("k", (3, 1)))
    assert model.objective is Symbol("s")
    assert model.asked == (Asked(W2), Asked(x, 1))
    assert model.title == "two matrices"


def test_each_name_keeps_the_way_it_was_written() -> None:
    model = read_model("W^{[1]} : (1, 1)\nŷ = σ(W^[1])\nL = y_hat^2")
    assert [symbol.name for symbol in model.symbols] == ["W^{[1]}", "ŷ", "L"]
    assert model.definitions[1].value is Symbol("ŷ") ** 2


def test_a_definition_that_nobody_uses_is_fine() -> None:
    assert read_model("x : (1, 1)\nunused = x^2\nJ = x").objective.name == "J"


def test_single_example() -> None:
    model = load_model("logistic_single")
    x, w, b, y = Symbol("x", ("n", 1)), Symbol("w", (1, "n")), Symbol("b"), Symbol("y")
    z, a = Symbol("z"), Symbol("a")
    assert [definition.value for definition in model.definitions] == [
        w @ x + b,
        sigmoid(z),
        -(y * log(a) + (1 - y) * log(1 - a)),
    ]


def test_board_b1_asks_for_one_entry_of_the_first_layer() -> None:
    model = load_model("board_b1")
    a1 = Symbol("a^[1]", (4, 1))
    assert model.asked == (Asked(a1, 1),)
    assert [d.target.shape for d in model.definitions] == [
        *[(4, 1)] * 2,
        *[(3, 1)] * 2,
        *[(1, 1)] * 3,
    ]
    W2, b2 = Symbol("W^[2]", (3, 4)), Symbol("b^[2]", (3, 1))
    assert model.values[Symbol("z^[2]", (3, 1))] is W2 @ a1 + b2


def test_board_b2_b3_b4() -> None:
    x, y, w, b, yhat = (Symbol(name) for name in ("x", "y", "w", "b", "yhat"))
    assert [d.value for d in load_model("board_b2").definitions] == [
        tanh(sigmoid(w * x**2 + b)),
        (yhat - y) ** 2,
    ]
    w, x = Symbol("w", ("n", 1)), Symbol("x", ("n", 1))
    assert [d.value for d in load_model("board_b3").definitions] == [
        relu(w.T @ x + b),
        -(y * log(yhat)),
    ]
    x, W = Symbol("x", (1, "n")), Symbol("W", ("n", "m"))
    yhat, y = Symbol("yhat", (1, "m")), Symbol("y", (1, "m"))
    model = load_model("board_b4")
    assert [d.value for d in model.definitions] == [sigmoid(x) @ W, squared_norm(yhat - y)]
    assert model.asked == (Asked(x),)


@pytest.mark.parametrize("name", example_names())
def test_every_example_reads_and_says_what_it_is(name: str) -> None:
    model = load_model(name)
    assert model.title
    assert {symbol.name for symbol in model.inputs} <= set(model.notes)


def test_a_file_is_found_with_and_without_its_suffix(tmp_path: Path) -> None:
    (tmp_path / "mine.cr").write_text("x : (1, 1)\nJ = x^2\n", encoding="utf-8")
    assert load_model(tmp_path / "mine.cr") == load_model(str(tmp_path / "mine"))
    assert load_model(tmp_path / "mine.cr").title == "mine"


@pytest.mark.parametrize("name", ["board_b2", "examples/board_b2", "examples/board_b2.cr"])
def test_an_example_is_found_by_its_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_model(name).title == "B2: a chain of scalars"


def test_a_file_on_disk_comes_before_an_example(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "board_b2.cr").write_text("# mine\nJ = 1", encoding="utf-8")
    assert load_model("board_b2").title == "mine"


@pytest.mark.parametrize("name", ["logistic_bach", "examples/logistic_bach.cr"])
def test_an_unknown_name_is_answered_with_the_nearest(name: str) -> None:
    with pytest.raises(ModelError, match="did you mean logistic_batch"):
        load_model(name)


@pytest.mark.parametrize("name", ["", "\0", "x" * 5000, "../examples/board_b2", "zzz"])
def test_what_is_no_file_is_refused_with_the_examples(name: str) -> None:
    with pytest.raises(ModelError, match=r"there is no file .*(did you mean|examples:)"):
        load_model(name)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.cr").write_bytes(b"x : (1, 1)\n\xff\xfe")
    with pytest.raises(ModelError, match="is not text in UTF-8"):
        load_model(tmp_path / "bytes.cr")
    (tmp_path / "long.cr").write_bytes(b"#" * 1_000_000)
    with pytest.raises(ParseError, match="past the limit"):
        load_model(tmp_path / "long.cr")
