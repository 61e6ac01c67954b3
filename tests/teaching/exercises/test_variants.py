"""Variants: whatever the seed, they read back, are proven, defined, and as hard as was asked."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.entry_by_entry import gradient as measured

from chainrule.calculus.evaluation.forward import assignments, forward, sample
from chainrule.calculus.graph.dims import base_names
from chainrule.calculus.graph.node import Number
from chainrule.calculus.proof.gradients import gradient_values
from chainrule.errors import ExerciseError
from chainrule.language.reading import read_model
from chainrule.language.typeset import model_text
from chainrule.teaching.exercises.changes import CHANGES, Change
from chainrule.teaching.exercises.difficulty import difficulty
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.loading import exercises, find
from chainrule.teaching.exercises.variants import AROUND, variant

BASES = [each for each in exercises() if each.level != "G"]


def is_as_difficult(made: Exercise, base: Exercise) -> bool:
    return abs(difficulty(made.derivation).score - difficulty(base.derivation).score) <= AROUND


@pytest.mark.slow
@settings(max_examples=40)
@given(st.sampled_from(BASES), st.integers(0, 10**6))
def test_a_variant_is_sound(base: Exercise, seed: int) -> None:
    made = variant(base, seed)
    model = made.derivation.model
    assert made.derivation.proven
    assert is_as_difficult(made, base)
    assert len(made.variables) == len(base.variables)
    again = read_model(model_text(made.model))
    assert model_text(again) == model_text(made.model)
    dims = {name for s in model.symbols for dim in s.shape for name in base_names(dim)}
    assert not dims & {symbol.name for symbol in model.symbols}
    assert all(
        not (isinstance(g.index, Number) and g.index.value == 0)
        for g in made.derivation.gradients.values()
    )


# fixed examples: near a singular matrix, central differences themselves lose digits
@settings(max_examples=15, derandomize=True)
@given(st.sampled_from(BASES), st.integers(0, 10**6))
def test_a_variant_agrees_with_differences_where_it_is_sampled(base: Exercise, seed: int) -> None:
    made = variant(base, seed)
    model = made.derivation.model
    (sizes,) = assignments(model, 1)
    values = sample(model, sizes, np.random.default_rng(seed))
    assert all(np.isfinite(value).all() for value in values.values())
    found = gradient_values(made.derivation, values, sizes)
    for wrt, value in found.items():
        fixed = {s: values[s] for s in model.inputs if s is not wrt}

        def objective(x: object, wrt: object = wrt, fixed: object = fixed) -> float:
            return float(forward(model, {**fixed, wrt: x}, sizes)[model.objective].item())  # type: ignore[dict-item]

        wanted = measured(objective, values[wrt])
        scale = max(1.0, float(np.abs(wanted).max()))
        np.testing.assert_allclose(value / scale, wanted / scale, atol=1e-6)


def test_the_same_seed_gives_the_same_variant_and_others_differ() -> None:
    base = find("least-squares-batch")
    texts = {model_text(variant(base, seed).model, notes=False) for seed in range(12)}
    assert model_text(variant(base, 3).model) == model_text(variant(base, 3).model)
    assert len(texts) > 6
    assert model_text(base.model, notes=False) not in texts


@pytest.mark.parametrize("change", CHANGES, ids=lambda each: each.name)
def test_every_change_is_made_somewhere(change: Change) -> None:
    made = [change.apply(base.model, Random(0)) for base in BASES]
    changed = [(b, m) for b, m in zip(BASES, made, strict=True) if m is not None]
    assert changed
    assert all(model_text(m, notes=False) != model_text(b.model, notes=False) for b, m in changed)


def test_a_variant_is_as_hard_as_asked() -> None:
    base = find("two-layers")
    score = difficulty(base.derivation).score
    made = variant(base, 4, (score + 1, score + 10))
    assert score + 1 <= difficulty(made.derivation).score <= score + 10


def test_an_impossible_difficulty_is_refused_with_those_there_are() -> None:
    with pytest.raises(ExerciseError, match="no variant of difficulty 90 to 99; those found are"):
        variant(find("score"), 0, (90, 99))


def test_a_variant_has_a_name_of_its_own() -> None:
    assert model_text(find("board-b3:7").model) == model_text(variant(find("board-b3"), 7).model)
    with pytest.raises(ExerciseError, match="behind the colon stands a seed"):
        find("board-b3:x")
