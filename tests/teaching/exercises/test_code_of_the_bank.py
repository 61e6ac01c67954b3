"""The code of every exercise: emitted for each target, and run where the library is installed."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from tests.derivations import derived
from tests.language.codegen.node import node

from chainrule.calculus.derivation.program import program
from chainrule.errors import DerivationError
from chainrule.language.codegen import TARGETS, module_text
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.loading import exercises

ALL = exercises()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("exercise", ALL, ids=lambda exercise: exercise.id)
def test_the_module_of_an_exercise_agrees_with_its_own_differences(
    exercise: Exercise, target: str, tmp_path: Path
) -> None:
    try:
        lines = program(derived(exercise.model))
    except DerivationError:
        assert any(g.matrix is None for g in exercise.derivation.gradients.values())
        pytest.skip("what has no matrix form is shown entry by entry")
    text = module_text(lines, target)
    if target == "javascript":
        engine = node()
        assert any(engine.call(text, "check", seed) < 1e-5 for seed in range(3))
        return
    compile(text, "module", "exec")
    if importlib.util.find_spec(target) is None:
        pytest.skip(f"{target} is not installed")
    path = tmp_path / "module.py"
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("module", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # Differences settle badly close to a pole; a wrong gradient is wrong at every point.
    assert any(module.check(seed) < 1e-5 for seed in range(3))
