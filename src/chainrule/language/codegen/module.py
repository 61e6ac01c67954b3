"""The module: what a derivation is once it leaves the classroom.

``forward`` returns the cache, ``backward`` every gradient, ``check`` compares them with central
differences. A module imports its target and nothing else, this package included.
"""

from __future__ import annotations

from chainrule.calculus.derivation.program import Program
from chainrule.errors import ModelError
from chainrule.language.codegen.dialects import DIALECTS
from chainrule.language.codegen.javascript.module import javascript_expression, javascript_module
from chainrule.language.codegen.javascript.target import JAVASCRIPT
from chainrule.language.codegen.plan import Plan
from chainrule.language.codegen.python_module import python_module
from chainrule.language.codegen.python_target import PythonTarget
from chainrule.language.codegen.target import Target

TARGETS = (*DIALECTS, JAVASCRIPT.name)
"""The names of the targets."""


def target_named(name: str) -> Target:
    """Return a target by its name.

    Raises
    ------
    ModelError
        When the target is unknown.
    """
    if name not in TARGETS:
        raise ModelError(f"there is no target {name}; there are {', '.join(TARGETS)}")
    return PythonTarget(DIALECTS[name]) if name in DIALECTS else JAVASCRIPT


def module_text(program: Program, target: str = "numpy") -> str:
    """Write a program as a module.

    Parameters
    ----------
    program : Program
        From `chainrule.calculus.derivation.program`.
    target : str
        ``"numpy"``, ``"torch"``, ``"jax"`` or ``"javascript"``.

    Returns
    -------
    str
        The source, formatted: Python that imports nothing but its target, or an ECMAScript module
        without imports.

    Raises
    ------
    ModelError
        When the target is unknown.
    DerivationError
        When an op has no code for the target.
    """
    plan = Plan(program, target_named(target))
    return python_module(plan) if isinstance(plan.target, PythonTarget) else javascript_module(plan)


def script_text(program: Program) -> str:
    """Write a program as an expression in JavaScript, for a page without modules.

    Its value is an object with the functions ``forward`` and ``backward``.

    Raises
    ------
    DerivationError
        When an op has no JavaScript.
    """
    return javascript_expression(Plan(program, JAVASCRIPT))


__all__ = ["TARGETS", "module_text", "script_text", "target_named"]
