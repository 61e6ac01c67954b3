"""Values and gradients of a small forward pass at given numbers, right or with a mistake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from chainrule.calculus.derivation.sensitivity import pulled
from chainrule.calculus.evaluation.forward import forward
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr, Number, Symbol, symbols
from chainrule.language.reading import read_model
from chainrule.teaching.diagnosis.injection import InjectedError, with_errors

MODELS = 64
DIGITS = 12


@lru_cache(MODELS)
def model_of(text: str) -> Model:
    """Read a forward pass; the last ones are cached."""
    return read_model(text)


class Point:
    """A forward pass at one point.

    Parameters
    ----------
    model : Model
        The forward pass.
    given : mapping of str to number or nested list
        The inputs by name.
    sizes : mapping of str to int, optional
        The sizes of named dimensions.
    """

    def __init__(
        self, model: Model, given: Mapping[str, Any], sizes: Mapping[str, int] | None = None
    ) -> None:
        self.model = model
        self.sizes = dict(sizes or {})
        arrays = {
            model.symbol(name): np.atleast_2d(np.asarray(value, float))
            for name, value in given.items()
        }
        self.values: dict[Symbol, Any] = forward(model, arrays, self.sizes)

    def value(self, name: str) -> float:
        """Return the value of a scalar of the forward pass."""
        return _number(self.values[self.model.symbol(name)])

    def array(self, name: str) -> np.ndarray[Any, Any]:
        """Return a value of the forward pass."""
        return np.asarray(self.values[self.model.symbol(name)])

    def gradient(self, name: str, errors: Iterable[InjectedError] = ()) -> np.ndarray[Any, Any]:
        """Return the gradient of the objective, with some mistakes made.

        Raises
        ------
        ChainruleError
            When a mistake gives shapes that do not meet.
        """
        return self.evaluated(gradient_form(self.model, name, errors))

    def local(self, of: str, wrt: str) -> float:
        """Return the derivative of one scalar with respect to another."""
        one, two = self.model.symbol(of), self.model.symbol(wrt)
        return _number(self.evaluated(pulled(self.model, one, two, Number(1))))

    def users(self, name: str) -> list[str]:
        """Return the values whose definitions use a value directly."""
        symbol = self.model.symbol(name)
        return [d.target.name for d in self.model.definitions if symbol in symbols(d.value)]

    def evaluated(self, form: Expr) -> np.ndarray[Any, Any]:
        """Return the value of an expression in the values of the forward pass."""
        return np.asarray(Evaluator(self.values, self.sizes, FLOATS).value(form), float)


def gradient_form(model: Model, name: str, errors: Iterable[InjectedError] = ()) -> Expr:
    """Return the gradient of the objective as an expression, with some mistakes made.

    Raises
    ------
    ChainruleError
        When a mistake gives shapes that do not meet.
    """
    symbol = model.symbol(name)
    if symbol is model.objective:
        return Number(1, symbol.shape)
    return with_errors(model, model.objective, symbol, errors)


def slope(text: str, given: Mapping[str, float], name: str) -> float:
    """Return one derivative of the objective of a scalar forward pass."""
    return _number(Point(model_of(text), given).gradient(name))


def _number(value: Any) -> float:  # noqa: ANN401
    return float(np.round(np.asarray(value, float).reshape(-1)[0], DIGITS)) + 0.0


def written(number: float) -> str:
    """Return a number with up to five significant digits."""
    return f"{number:.5g}"
