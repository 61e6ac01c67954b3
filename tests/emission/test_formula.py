"""What is read as a loss of one score, and the sentences for what is not."""

from __future__ import annotations

from fractions import Fraction

import pytest

from chainrule.emission.deriving import derive_loss
from chainrule.emission.formula import exact, read_formula
from chainrule.emission.shipped import shipped_loss
from chainrule.engine.losses.facts import Targets
from chainrule.engine.losses.table import find_loss
from chainrule.errors import DataError, ModelError
from chainrule.language.typeset import plain

HEAD = "Z, Y : (1, m)\n"

READ = (
    ("exp(z) - y z", "exp(z) - y z"),
    (HEAD + "J = sum(exp(Z) - Y .* Z)", "exp(z) - y z"),
    (HEAD + "J = 1/2 sum((Z - Y)^2)", "(1/2)(z - y)^2"),
    (HEAD + "J = -sum(Y .* Z - exp(Z))", "-y z + exp(z)"),
    (HEAD + "J = sum(exp(Z)) - sum(Y .* Z)", "exp(z) - y z"),
    (HEAD + "J = exp(Z) 1 - Y Z^T", "exp(z) - y z"),
    (HEAD + "U = Z - Y\nS = U^2\nJ = sum(S)/3", "(z - y)^2/3"),
    ("z, y : (1, 1)\nL = abs(z - y)", "abs(z - y)"),
    ("X : (n, m)\nw : (1, n)\nY : (1, m)\nZ = w X\nJ = sum((Z - Y)^2)", "(z - y)^2"),
)


@pytest.mark.parametrize(("text", "wanted"), READ)
def test_one_example_is_read(text: str, wanted: str) -> None:
    assert plain(read_formula(text).value) == wanted


REFUSED = (
    ("y^2", "does not depend on the score"),
    ("q z", "unknown name q"),
    ("exp(z", "line 1"),
    (HEAD + "J = sum(Z)^2", "write J = sum"),
    (HEAD + "J = logsumexp(Z)", "write J = sum"),
    (HEAD + "v : (1, 1)\nJ = sum(v Z)", "depends on v besides the score"),
    ("S, Y : (1, m)\nJ = sum(S - Y)", "has no Z; call the score Z"),
    ("Z : (1, m)\nJ = sum(Z)", "has no Y; call the score Z"),
    ("Z, Y : (k, m)\nJ = sum((Z - Y)^2)", "more than one row"),
    ("sin(z) y", "sin has no elementary operations"),
    ("-log(z)", "has no value at z = "),
    ("abs(z - y)^1.5", "has no value at z = "),
)


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_what_is_no_loss_is_refused_in_words(text: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        derive_loss(text)


def test_targets_that_cannot_be_sampled_are_refused() -> None:
    with pytest.raises(ModelError, match="none of the usual targets"):
        derive_loss("(z - y)^2", targets=Targets(1.2, 1.9))


@pytest.mark.parametrize(
    ("name", "constants", "message"),
    [
        ("poison", {}, "unknown loss poison; known are squared"),
        ("tweedie", {"p": 2.5}, "p = 2.5 is out of range for tweedie: choose 1 < p < 2"),
        ("tweedie", {"power": 1.5}, "has no constant power; its constants: p"),
        ("poisson", {"p": 1.5}, "its constants: none"),
        ("huber", {"delta": 0.0}, "choose a number > 0"),
    ],
)
def test_wrong_constants_are_refused(name: str, constants: dict[str, float], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        shipped_loss(name, constants)


def test_constants_named_as_the_score_are_refused() -> None:
    with pytest.raises(ModelError, match="another name"):
        read_formula("z y", {"y": 1.0})
    with pytest.raises(ModelError, match="unknown link"):
        derive_loss("(z - y)^2", link="square")
    with pytest.raises(DataError, match="unknown loss 'poison'"):
        find_loss("poison")


def test_a_constant_means_its_digits() -> None:
    assert exact(0.1) == Fraction(1, 10)
    assert exact(2) == 2
    assert exact(1 / 3) == Fraction(1 / 3)  # no short decimal: the float64 itself


def test_a_text_stays_a_text() -> None:
    text = 'z - y # """ + __import__("os").getcwd()'
    row = derive_loss(f"z, y : (1, 1)\nL = {text}", name='"""; raise SystemExit')
    assert row.name == '"""; raise SystemExit'
    assert row.formula.endswith(text)


def test_equal_losses_are_derived_once() -> None:
    assert derive_loss("(z - y)^4") is derive_loss("(z - y)^4")
