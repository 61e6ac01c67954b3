"""Every op and every word, applied to a product inside a network: derived, checked, run, trained.

The oracles are not ours: `derive` and `check` compare with finite differences of the forward pass,
an emitted module with its own central differences, and a descent with the gradient at its start.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.calculus.ops.passes import ROWS, WORDS, every, forward_pass

from chainrule import derive, read_model
from chainrule.calculus.derivation.program import program
from chainrule.calculus.ops import TABLE
from chainrule.calculus.proof.checking import check_model
from chainrule.descent.descend import descend
from chainrule.language.codegen import TARGETS, module_text
from chainrule.language.reading import words
from chainrule.language.reading.signatures import SIGNATURES

CASES = sorted({text for _, text in every()})


@pytest.mark.parametrize("expression", CASES)
def test_an_op_on_a_product_in_one_layer(expression: str) -> None:
    derivation = derive(forward_pass(expression, deep=False))
    assert derivation.proven
    for target in TARGETS:
        module = module_text(program(derivation), target)
        if importlib.util.find_spec(target) is not None:
            space: dict[str, Any] = {"__name__": "emitted"}
            exec(module, space)
            assert space["check"]() < 1e-6


@pytest.mark.parametrize("expression", CASES)
def test_an_op_on_a_product_in_a_network(expression: str) -> None:
    text = forward_pass(expression, deep=True)
    report = check_model(read_model(text))
    assert report.passed
    rng = np.random.default_rng(0)
    data = {"X": rng.normal(size=(6, 2))}
    if "ids :" in text:
        data["ids"] = rng.integers(0, 2, (6, 1)).astype(float)
    if "c :" in text:
        data["c"] = rng.normal(size=(6, 1))
    learned = list(report.derivation.gradients)
    result = descend(
        text,
        data,
        rate=0.01,
        steps=3,
        sizes={"h": 2},
        wrt=learned,
        constants={} if "b" in learned else {"b": np.zeros((2, 1))},
        derivation=report.derivation,
    )
    assert np.isfinite(result.cost)


def test_every_row_of_the_table_is_applied() -> None:
    assert set(ROWS) == set(TABLE)


def test_every_function_word_is_applied() -> None:
    used = {word for _, text in every() for word in re.findall(r"[A-Za-z]\w*(?=\()", text)}
    built = {id(builder) for word in used for builder in _builders(word)}
    for word in words.function_words():
        signs = word in words.PAIRS or word in ("transpose", "split", "einsum")
        row = word in words.ENTRYWISE and words.ENTRYWISE[word].name in ROWS
        assert signs or row or any(id(builder) in built for builder in _builders(word)), word
    assert set(WORDS) <= {*words.function_words()}


def _builders(word: str) -> Iterator[object]:
    """Yield what a word builds with: other spellings of it share that."""
    tables: tuple[Any, ...] = (words.ENTRYWISE, words.REDUCTIONS, words.WHOLE, words.LARGER)
    yield from (table[word] for table in tables if word in table)
    if word in SIGNATURES:
        yield SIGNATURES[word].build
    if word == words.EYE:
        yield words.EYE
