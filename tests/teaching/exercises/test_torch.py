"""Every exercise against PyTorch, where it is installed: the emitted module by torch's autograd."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
import pytest

from chainrule.calculus.derivation.program import program
from chainrule.calculus.evaluation.forward import assignments, sample
from chainrule.calculus.proof.gradients import gradient_values
from chainrule.language.codegen import module_text
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.loading import exercises

torch = pytest.importorskip("torch")

CASES = [each for each in exercises() if each.level != "G"]


def module_of(exercise: Exercise) -> ModuleType:
    module = ModuleType("written")
    text = module_text(program(exercise.derivation), "torch")
    exec(compile(text, exercise.id, "exec"), module.__dict__)
    return module


def _typed(array: Any) -> Any:
    """Return numbers of words as whole numbers, which is how torch wants them."""
    whole = array.astype(int)
    return whole if np.array_equal(whole, array) else array


@pytest.mark.parametrize("exercise", CASES, ids=lambda each: each.id)
def test_the_gradients_are_those_of_torch(exercise: Exercise) -> None:
    derivation = exercise.derivation
    model = derivation.model
    module = module_of(exercise)
    (sizes,) = assignments(model, 1)
    values = sample(model, sizes, np.random.default_rng(11))
    inputs: list[Any] = [torch.tensor(_typed(values[symbol])) for symbol in model.inputs]
    for tensor in inputs:
        tensor.requires_grad_(tensor.is_floating_point())
    cost = module.forward(*inputs)[model.objective.name]
    cost.sum().backward()
    found = gradient_values(derivation, values, sizes)
    for symbol, tensor in zip(model.inputs, inputs, strict=True):
        if symbol in found:
            wanted = np.zeros_like(found[symbol]) if tensor.grad is None else tensor.grad.numpy()
            np.testing.assert_allclose(found[symbol], wanted, rtol=1e-7, atol=1e-9)
