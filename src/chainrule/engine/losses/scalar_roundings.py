"""The rounding bounds of `roundings` for one example, to be compiled into a loop over examples.

The same functions, with functions of one number in place of those of NumPy that are for arrays.
Errors that are zero wherever a formula stands, as those of scores and targets are, are constants to
the compiler, which then drops the calls of `expm1` and `log1p` that they would need. Each function
is compiled once and kept, so that a new loss compiles its own formulas alone.
"""

from __future__ import annotations

from types import FunctionType, ModuleType
from typing import Any, Final

import numpy as np

from chainrule.engine.losses import roundings as of_arrays
from chainrule.engine.losses.vectorised import exact, inlined, namespace


@inlined
def _expm1(x: float) -> Any:  # noqa: ANN401
    return 0.0 if x == 0.0 else np.expm1(x)


@inlined
def _log1p(x: float) -> Any:  # noqa: ANN401
    return x if x == 0.0 else np.log1p(x)


@inlined
def _clip(x: float, low: float, high: float) -> Any:  # noqa: ANN401
    return np.minimum(np.maximum(x, low), high)


def _of_numbers() -> ModuleType:
    """Return a module with the functions of `roundings`, compiled for numbers."""
    found = ModuleType("roundings of numbers")
    names = vars(found)
    names |= vars(of_arrays)
    names["np"] = namespace(expm1=_expm1, log1p=_log1p, clip=_clip)
    for name, function in vars(of_arrays).items():
        if isinstance(function, FunctionType) and function.__module__ == of_arrays.__name__:
            names[name] = exact(FunctionType(function.__code__, names, name))
    return found


roundings: Final = _of_numbers()
"""What generated modules call by this name."""
