"""Every limit is refused at once, in words, and without a deep stack."""

from time import process_time

import pytest

from chainrule.calculus.graph.node import Symbol
from chainrule.calculus.ops import add
from chainrule.errors import ParseError
from chainrule.language.reading import read_expression, read_model

SCOPE = {s.name: s for s in (Symbol("a"), Symbol("x", ("n", 1)), Symbol("W", ("n", "n")))}

REFUSED = {
    "brackets": "(" * 10_000,
    "closed brackets": "(" * 9_000 + "a" + ")" * 9_000,
    "a tower of powers": "9^9^9^9",
    "a tall tower": "^".join("9" * 9_000),
    "powers of powers": "((9^60)^60)^60",
    "signs": "-" * 15_000 + "a",
    "functions": "log " * 4_000 + "a",
    "primes": "x" + "'" * 15_000,
    "bars": "|" * 15_000,
    "open bars": "|a" * 9_000,
    "masks": "[" * 15_000,
    "fractions": r"\frac{" * 3_000,
    "accents": r"\hat" * 4_000,
    "accents in braces": r"\hat{" * 3_000,
    "combining accents": "a" + "\u0302" * 15_000,
    "letters": "W" * 19_000,
    "indices": "a" + "_1" * 9_000,
    "digits": "9" * 15_000,
    "a decimal exponent": "1e" + "9" * 10_000,
    "terms": "+".join("a" * 9_000),
    "factors": " ".join("W" * 5_000),
    "quotients": "/".join("a" * 1_900),
    "methods": "W" + ".sum()" * 3_000,
    "matrix products in brackets": "(" * 30 + "W" + (" W" * 60 + ")") * 30,
    "numbers that grow": "+".join(f"1/{10**30 + k}" for k in range(500)),
    "one long line": "a" * 20_001,
    "a long text": "(" * 200_001,
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_an_expression_past_a_limit_is_refused_at_once(text: str) -> None:
    began = process_time()
    with pytest.raises(ParseError) as caught:
        read_expression(text, SCOPE)
    assert process_time() - began < 5  # what is not linear takes minutes
    assert len(str(caught.value)) < 1000


TEXTS = {
    "a long text": "#" * 200_001,
    "a long line": "J = 1\n" + "#" * 20_001,
    "lines": "\n".join(f"a{k} = 1" for k in range(3_000)),
    "parts": "a : (1, 1)\n" + "\n".join(f"b{k} = a" + " + a" * 900 for k in range(40)),
    "a long name": "a" * 70 + " : (1, 1)",
    "commas": "," * 19_000 + ": (n, m)",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_forward_pass_past_a_limit_is_refused_soon(text: str) -> None:
    began = process_time()
    with pytest.raises(ParseError) as caught:
        read_model(text)
    assert process_time() - began < 10  # what is not linear takes minutes
    assert len(str(caught.value)) < 1000


def test_what_is_large_but_within_the_limits_reads() -> None:
    a = Symbol("a")
    assert read_expression("+".join("a" * 1_500), SCOPE) is add(*[a] * 1_500)
    assert read_expression("(" * 30 + "a" + ")" * 30, SCOPE) is a
    text = "a0 : (1, 1)\n" + "\n".join(f"a{k} = tanh(a{k - 1})" for k in range(1, 1_500))
    assert len(read_model(text).definitions) == 1_499
