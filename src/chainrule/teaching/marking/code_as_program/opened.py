"""Parameters of which a program does not say the shape; their first use does."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from chainrule.teaching.marking.code_as_program.inputs import Inputs
from chainrule.teaching.marking.code_as_program.trace import Trace
from chainrule.teaching.marking.code_as_program.values import CannotRun, Value

HIDDEN = 6
PARAMETERS = re.compile(
    r"(?i)[wbuv]\w{0,4}|(?:\w+_)?weights?\w*|(?:\w+_)?bias\w*|thetas?\d*|gamma|beta"
    r"|(?:filter|kernel)s?|coefs?_?|intercept_?"
)
"""Names of parameters."""

_BIASES = re.compile(r"(?i)b\w{0,4}|(?:\w+_)?bias\w*|beta|gamma|intercept_?")


@dataclass(eq=False)
class Open:
    """A parameter whose shape is not known yet.

    Parameters
    ----------
    name : str
        Its name.
    turned : Open or None
        The parameter that it is the transpose of.
    value : ndarray or None
        Its value, once it has a shape.
    """

    name: str
    turned: Open | None = None
    value: np.ndarray | None = None

    @property
    def held(self) -> Value:
        """The value where there is one, else the parameter itself."""
        if self.turned is not None:
            return self if self.turned.value is None else self.turned.value.T
        return self if self.value is None else self.value


class Opened:
    """Shapes for open parameters.

    Parameters
    ----------
    inputs : Inputs
        The lengths of the data.
    trace : Trace
        Where the values are noted.
    names : iterable of str
        The names of the program, which say how many layers there are.
    """

    def __init__(self, inputs: Inputs, trace: Trace, names: Iterable[str]) -> None:
        self.inputs, self.trace = inputs, trace
        self.last: dict[str, int] = {}
        for name in names:
            if (match := re.fullmatch(r"(\D+)(\d)", name)) is not None:
                self.last[match[1]] = max(self.last.get(match[1], 0), int(match[2]))

    def width(self, name: str) -> int:
        """Return the number of outputs of the layer of a parameter."""
        match = re.fullmatch(r"(\D+)(\d)", name)
        if match is None or int(match[2]) == self.last.get(match[1]):
            return self.inputs.outputs
        return HIDDEN + int(match[2]) - 1

    def given(self, of: Open, shape: tuple[int, ...]) -> np.ndarray:
        """Give a parameter its shape, and return its value."""
        if of.turned is not None:
            return self.given(of.turned, shape[::-1]).T
        self.inputs.asked.add(of.name)
        value = self.inputs.start(of.name, np.zeros(shape))
        of.value = np.asarray(self.trace.note(0, of.name, np.asarray(value), "assigned", 0))
        return of.value

    def as_vector(self, of: Open) -> np.ndarray:
        """Return a parameter that is a list of numbers, one per feature."""
        return self.given(of, (self.inputs.features,))

    def met(self, op: type[ast.AST], one: Value, other: Value) -> tuple[Value, Value]:
        """Return the two sides of an operation, of which one may be an open parameter."""
        if isinstance(one, Open) and isinstance(other, np.ndarray | float | int):
            return self._beside(op, one, np.asarray(other), left=True), other
        if isinstance(other, Open) and isinstance(one, np.ndarray | float | int):
            return one, self._beside(op, other, np.asarray(one), left=False)
        if isinstance(one, Open) or isinstance(other, Open):
            raise CannotRun("an operation of values whose shapes are open")
        return one, other

    def _beside(self, op: type[ast.AST], of: Open, other: np.ndarray, *, left: bool) -> np.ndarray:
        name = of.turned.name if of.turned is not None else of.name
        flat = self.inputs.outputs == 1 and self.inputs.reading.labels == "flat"
        if op is ast.MatMult:
            if not other.ndim:
                raise CannotRun(f"the shape of {name} is open")
            inner = other.shape[0] if left else other.shape[-1]
            single = flat and not re.search(r"\d", name) and of.turned is None
            if single:
                return self.given(of, (inner,))
            wide = self.width(name)
            return self.given(of, (wide, inner) if left else (inner, wide))
        one_layer = self.inputs.reading.labels == "flat" and not re.search(r"\d", name)
        if not other.ndim or (other.ndim == 1 and one_layer and _BIASES.fullmatch(name)):
            return self.given(of, ())
        if _BIASES.fullmatch(name):
            return self.given(of, (other.shape[-1],) if self.inputs.reading.rows
                              else (other.shape[0], 1))  # fmt: skip
        return self.given(of, other.shape)


__all__ = ["PARAMETERS", "Open", "Opened"]
