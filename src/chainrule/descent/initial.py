"""Initial values, drawn by shape and seed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Symbol, walk
from chainrule.calculus.ops import TABLE
from chainrule.errors import DataError
from chainrule.lecture import Array, Binding, find_input

_ADDING = (TABLE["add"], TABLE["broadcast"])


def initial_values(binding: Binding, seed: int) -> dict[Symbol, Array]:
    """Return an initial value for every learned symbol.

    A symbol that is only added (a bias) starts at zero. A weight of shape (r, c) is drawn from a
    normal distribution of variance 2 / (r + c) (Glorot and Bengio 2010), so that a layer keeps the
    scale of its input, whichever way the model multiplies.

    Parameters
    ----------
    binding : Binding
        Says what is learned, and of what size.
    seed : int
        The same seed gives the same values.
    """
    rng = np.random.default_rng((seed, 0))
    values: dict[Symbol, Array] = {}
    for symbol in binding.roles.learned:
        shape = binding.shape(symbol)
        drawn = rng.normal(0.0, np.sqrt(2.0 / sum(shape)), shape)
        values[symbol] = np.zeros(shape) if _only_added(binding.roles.model, symbol) else drawn
    return values


def given_values(
    binding: Binding, given: Mapping[str, npt.ArrayLike], drawn: Mapping[Symbol, Array]
) -> dict[Symbol, Array]:
    """Return the initial values with given ones in place of drawn ones.

    Raises
    ------
    DataError
        When a shape is not that of the variable, or a value is not finite.
    """
    values = dict(drawn)
    for name, value in given.items():
        symbol = find_input(binding.roles.model, name)
        if symbol not in values:
            learned = ", ".join(s.name for s in values)
            raise DataError(f"a starting value is given for {name}, but what is learned: {learned}")
        array = np.array(value, dtype=np.float64)
        if array.shape != binding.shape(symbol):
            raise DataError(
                f"the starting value of {name} has the shape {written(array.shape)}; "
                f"{symbol.name} is {written(symbol.shape)} = {written(binding.shape(symbol))}"
            )
        if not np.isfinite(array).all():
            raise DataError(f"the starting value of {name} is not finite")
        values[symbol] = array
    return values


def _only_added(model: Model, symbol: Symbol) -> bool:
    plain = {symbol}  # the symbol as it is, or repeated
    used = False
    for definition in model.definitions:
        for node in walk(definition.value):
            if not any(arg in plain for arg in node.args):
                continue
            used = True
            op = getattr(node, "op", None)
            if op not in _ADDING:
                return False
            if op is TABLE["broadcast"]:
                plain.add(node)  # type: ignore[arg-type]
    return used
