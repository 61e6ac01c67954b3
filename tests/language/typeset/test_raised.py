"""Indices of examples stand above their symbols where the author writes them so."""

from __future__ import annotations

import re

import pytest

from chainrule import derive, read_model
from chainrule.language.typeset import mathml

ABOVE = r"""z^{(i)} = w^T x^{(i)} + b
a^{(i)} = \sigma(z^{(i)})
J = -\sum_{i=1}^m (y^{(i)} \log a^{(i)} + (1 - y^{(i)}) \log(1 - a^{(i)}))"""
BELOW = ABOVE.replace("^{(i)}", "_i")
MATRICES = "X : (n, m)\nw : (1, n)\nJ = sum(sigmoid(w X))"


def words(markup: str) -> str:
    """Return the letters of a formula, its scripts in order."""
    return re.sub(r"<[^>]+>|[\u2061\s]", "", markup)


@pytest.mark.parametrize(
    ("text", "raised"),
    [(ABOVE, "m"), (BELOW, ""), (MATRICES, None), (ABOVE.replace("^m", "^N"), "N")],
)
def test_a_forward_pass_knows_how_its_examples_are_written(text: str, raised: str | None) -> None:
    assert read_model(text).raised == raised


def test_every_line_of_a_derivation_has_the_authors_indices() -> None:
    above, below = (derive(text) for text in (ABOVE, BELOW))
    for first, second in zip(above.steps, below.steps, strict=True):
        raised = words(mathml(first.after, above.model))
        lowered = words(mathml(second.after, below.model))
        assert raised.count("i") == lowered.count("i")
        assert raised.count("(i)") == raised.count("i") - raised.count("i=1")
        assert "(i)" not in lowered


def test_a_feature_stays_below_and_the_logarithm_of_a_symbol_needs_no_brackets() -> None:
    model = derive(ABOVE).model
    lines = [mathml(step.after, model) for step in derive(ABOVE).steps]
    entry = next(line for line in lines if "<msubsup>" in line)
    assert words(entry[entry.index("<msubsup>") : entry.index("</msubsup>")]) in ("xj(i)", "xp(i)")
