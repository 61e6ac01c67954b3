"""Forward passes as people post them: each is read, with the shapes that its author means."""

from __future__ import annotations

import pytest
from tests.language.reading.posted_passes import POSTED

from chainrule.calculus.graph.dims import Shape
from chainrule.errors import ParseError
from chainrule.language.reading import read_model


@pytest.mark.parametrize(("kind", "text", "shapes"), POSTED, ids=[kind for kind, _, _ in POSTED])
def test_a_posted_pass_is_read(kind: str, text: str, shapes: dict[str, Shape]) -> None:
    assert {symbol.name: symbol.shape for symbol in read_model(text).inputs} == shapes


ASKED = [
    ("A ∈ ℝ^{n×n}\nf = tr(A^3)", 2, "write A .^ 3 for the power of every entry or A @^ 3"),
]


@pytest.mark.parametrize(("text", "line", "said"), ASKED)
def test_what_is_not_read_says_where_and_what_next(text: str, line: int, said: str) -> None:
    with pytest.raises(ParseError) as caught:
        read_model(text)
    assert said in caught.value.message
    assert caught.value.line == line
