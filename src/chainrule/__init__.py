"""Logistic regression you can see through: derive it, check it, train it.

The public doors, opened when first used, so that ``import chainrule`` stays light:

- `derive`: the gradients of a forward pass, step by step, every step proven.
- `read_model`, `load_model`, `ModelBuilder`: a forward pass from text, from a file, in Python.
- `grade`: whether an answer to an exercise is right in any form, and which mistake it comes from.
- `plain`, `unicode`, `latex`: write an expression.
- `LogisticRegression`: a scikit-learn estimator with a certificate in every fit.
- `warm_up`: load its compiled passes beforehand.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chainrule.derivation.steps import Derivation, Step
    from chainrule.errors import ChainruleError
    from chainrule.exercises.grading import grade
    from chainrule.graph.model import Model, ModelBuilder
    from chainrule.interpreters.reading import load_model, read_model
    from chainrule.interpreters.typeset import latex, plain, unicode
    from chainrule.proof.certify import derive
    from chainrule.training.estimator import LogisticRegression
    from chainrule.training.warming import warm_up

__version__ = "0.1.0"

_DOORS = {
    "ChainruleError": "chainrule.errors",
    "Derivation": "chainrule.derivation.steps",
    "LogisticRegression": "chainrule.training.estimator",
    "Model": "chainrule.graph.model",
    "ModelBuilder": "chainrule.graph.model",
    "Step": "chainrule.derivation.steps",
    "derive": "chainrule.proof.certify",
    "derive_second": "chainrule.proof.certify",
    "grade": "chainrule.exercises.grading",
    "latex": "chainrule.interpreters.typeset",
    "load_model": "chainrule.interpreters.reading",
    "plain": "chainrule.interpreters.typeset",
    "read_model": "chainrule.interpreters.reading",
    "unicode": "chainrule.interpreters.typeset",
    "warm_up": "chainrule.training.warming",
}

__all__ = [
    "ChainruleError",
    "Derivation",
    "LogisticRegression",
    "Model",
    "ModelBuilder",
    "Step",
    "derive",
    "derive_second",
    "grade",
    "latex",
    "load_model",
    "plain",
    "read_model",
    "unicode",
    "warm_up",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name not in _DOORS:
        raise AttributeError(f"module 'chainrule' has no attribute {name!r}")
    return getattr(_with_room(_DOORS[name]), name)


def _with_room(module: str) -> ModuleType:
    return import_module(module)


# CPython keeps the frames of calls in pieces of memory of 16 KB. A loop that happens to run where a
# piece is full gets a new one and gives it back at every call, and deep in the imports of
# scikit-learn that takes up to a quarter of a second. A frame larger than a piece gets one of the
# next power of two, with room for all that is called from there.
_with_room.__code__ = _with_room.__code__.replace(co_stacksize=2**15)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
