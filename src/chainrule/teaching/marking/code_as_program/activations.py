"""An activation that a program takes from elsewhere: the sigmoid stands in for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from chainrule.teaching.marking.code_as_program.values import Builtin, Value

TAKEN = "the sigmoid as the activation, which the code has from elsewhere"
_NAMES = re.compile(r"(?i)_*(?:activ\w*|act(?:_?fn|_?func\w*)?|nonlin\w*)")
_SLOPES = re.compile(r"(?i)\w*(?:deriv|prime|grad|slope|_d$|^d_?act)\w*")


@dataclass
class Activation:
    """The values that the activation had, so that its slope may be written by them."""

    outputs: list[np.ndarray] = field(default_factory=list)

    def of(self, value: Value) -> np.ndarray:
        """Return the activation of scores."""
        found: np.ndarray = 1 / (1 + np.exp(-np.asarray(value, dtype=float)))
        self.outputs.append(found)
        return found

    def slope(self, value: Value) -> np.ndarray:
        """Return the slope at scores, or at the activations of scores."""
        array = np.asarray(value, dtype=float)
        known = any(one.shape == array.shape and np.array_equal(one, array)
                    for one in self.outputs)  # fmt: skip
        of = array if known else 1 / (1 + np.exp(-array))
        found: np.ndarray = of * (1 - of)
        return found


def as_activation(name: str) -> Builtin | None:
    """Return the function that a name is taken for; None where it is not one of activations."""
    if _NAMES.fullmatch(name) is None:
        return None
    return Builtin("activation_slope" if _SLOPES.fullmatch(name) else "activation")


__all__ = ["TAKEN", "Activation", "as_activation"]
