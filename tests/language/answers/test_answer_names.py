"""What the names in an answer mean."""

from __future__ import annotations

import pytest

from chainrule.language.answers import Lexicon
from chainrule.language.reading import canonical, read_model

NUMBERED = """
X : (n, m)
Y : (1, m)
W1 : (h, n)
W2 : (1, h)
A1 = tanh(W1 X)
A2 = sigmoid(W2 A1)
J = -sum(Y .* log(A2) + (1 - Y) .* log(1 - A2))
"""


@pytest.mark.parametrize(
    ("written", "symbol", "below", "example"),
    [
        ("A_2", "A2", (), ""),
        ("A^{[2]}", "A2", (), ""),
        ("a_2", "A2", (), ""),
        ("yhat", "A2", (), ""),
        ("a_2^{(i)}", "A2", (), "i"),
        ("a_{k}^{[1](i)}", "A1", ("k",), "i"),
        ("W_{jk}^{[1]}", "W1", ("j", "k"), ""),
        ("x_p^{(i)}", "X", ("p",), "i"),
        ("y^{(i)}", "Y", (), "i"),
    ],
)
def test_a_name_means_the_symbol_that_people_mean(
    written: str, symbol: str, below: tuple[str, ...], example: str
) -> None:
    lexicon = Lexicon(read_model(NUMBERED))
    found = lexicon.find(canonical(written))
    assert found is not None
    assert (found.symbol.name, found.below, found.example) == (symbol, below, example)
    gradient = lexicon.find(canonical(f"d{written}"))
    if written != "yhat":
        assert gradient is not None
        assert gradient.of is lexicon.model.objective
        assert gradient.symbol.name == symbol


def test_a_name_that_is_declared_means_itself() -> None:
    lexicon = Lexicon(read_model("A : (n, m)\nA_1 : (1, m)\nJ = sum(A) + sum(A_1)"))
    found = lexicon.find("A_1")
    assert found is not None
    assert (found.symbol.name, found.below) == ("A_1", ())
