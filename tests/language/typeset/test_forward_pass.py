"""A forward pass written as text reads back as the same forward pass."""

from __future__ import annotations

import numpy as np
import pytest

from chainrule.calculus.evaluation.forward import assignments, forward, sample
from chainrule.calculus.graph.model import Model
from chainrule.language.reading import example_names, load_model, read_model
from chainrule.language.typeset import model_text
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.loading import exercises

WRITTEN = {
    "two inputs one-hot": (
        "X : (k, m)\nY : (k, m)\nT : (m, k)\nJ = sum(X .* Y) + sum(X^T .* T)\nonehot: Y, T^T"
    ),
    "one entry asked": "x : (n, 1)\nw : (1, n)\nL = (w x)^2\nwrt: w_2, x",
    "the objective is not last": "w : (1, 1)\nL = w^2\nq = 3 w\nobjective: L",
    "a function that stays closed": "w : (1, 1)\nf(z) = z^2 sigmoid(z)\nL = f(w)",
    "a function that is written out": (
        "X : (n, m)  # features\nw : (1, n)\nq(E) = sum(E .* E)\nZ = w X\nJ = q(Z)"
    ),
    "a function of a value": (
        "x : (n, 1)\nw : (1, n)\nλ : (1, 1)\nr(v) = λ v^2\nz = w x\nL = r(z) + z^2"
    ),
    "a function of a computed value": (
        "w : (1, 1)\nb : (1, 1)\na = w + b\nf(z) = a z^2\nL = f(w) + a\nwrt: w"
    ),
    "rounds of a loop": (
        "x : (n, 1)\nW^[1] : (h, n)\nW^[2] : (h, h)\na^[0] = x\n"
        "for l = 1..2:\n  z^[l] = W^[l] a^[l-1]\n  a^[l] = tanh(z^[l])\nJ = sum(a^[2])"
    ),
}


def assert_same(again: Model, model: Model) -> None:
    """Compare names, shapes and directives exactly, definitions by all their values."""
    assert again.inputs == model.inputs
    assert list(again.values) == list(model.values)
    assert again.objective is model.objective
    assert again.asked == model.asked
    assert again.onehot == model.onehot
    assert [f.text for f in again.functions] == [f.text for f in model.functions if f.row]
    rng = np.random.default_rng(3)
    for sizes in assignments(model, 2):
        values = sample(model, sizes, rng)
        given = {symbol: values[symbol] for symbol in model.inputs}
        found, wanted = (forward(each, given, sizes) for each in (again, model))
        for symbol in model.values:
            np.testing.assert_allclose(found[symbol], wanted[symbol], rtol=1e-13, atol=0)


@pytest.mark.parametrize("name", example_names())
def test_a_shipped_example_reads_back(name: str) -> None:
    model = load_model(name)
    again = read_model(model_text(model))
    assert_same(again, model)
    assert (again.title, again.notes) == (model.title, model.notes)


@pytest.mark.parametrize("exercise", exercises(), ids=lambda each: each.id)
def test_a_forward_pass_of_the_bank_reads_back(exercise: Exercise) -> None:
    assert_same(read_model(model_text(exercise.model)), exercise.model)


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_a_written_forward_pass_reads_back(text: str) -> None:
    model = read_model(text)
    again = read_model(model_text(model))
    assert_same(again, model)
    assert again.notes == model.notes


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_the_text_of_what_was_read_back_is_the_same(text: str) -> None:
    written = model_text(read_model(text))
    assert model_text(read_model(written)) == written
