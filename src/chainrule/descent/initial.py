"""Initial values, drawn by shape and seed."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt

from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Expr, Symbol, walk
from chainrule.calculus.graph.op import Op
from chainrule.calculus.ops import TABLE
from chainrule.errors import DataError
from chainrule.lecture import Array, Binding, find_input

_ADDING = (TABLE["add"], TABLE["broadcast"])


def initial_values(binding: Binding, seed: int, how: str = "xavier") -> dict[Symbol, Array]:
    """Return an initial value for every learned symbol.

    A symbol that is only added (a bias) starts at zero, and one that only scales rows (the gain of
    a normalisation) at one. A weight of shape (r, c) is drawn from a normal distribution of
    variance 2 / (r + c) (Glorot and Bengio 2010), so that a layer keeps the scale of its input,
    whichever way the model multiplies.

    Parameters
    ----------
    binding : Binding
        Says what is learned, and of what size.
    seed : int
        The same seed gives the same values.
    how : str
        ``xavier``; ``he`` for variance 2 over the inputs of a unit (He et al. 2015); ``zeros``; or
        ``normal:0.1`` for a standard deviation.

    Raises
    ------
    DataError
        When there is no such way.
    """
    rng = np.random.default_rng((seed, 0))
    values: dict[Symbol, Array] = {}
    for symbol in binding.roles.learned:
        shape = binding.shape(symbol)
        drawn = rng.normal(0.0, _deviation(symbol, shape, binding, how), shape)
        model = binding.roles.model
        if _used_by(model, symbol, _ADDING):
            drawn = np.zeros(shape)
        elif how != "zeros" and shape != (1, 1) and _is_gain(model, symbol):
            drawn = np.ones(shape)
        values[symbol] = drawn
    return values


def explained(how: str) -> str:
    """Return why weights start so, in one sentence."""
    name = how.partition(":")[0]
    return {
        "xavier": "weights of variance 2/(rows + columns) (Xavier), so that values and gradients "
        "keep their size from layer to layer where the activation is close to linear at 0",
        "he": "weights of variance 2/inputs (He), twice 1/inputs, since a relu passes half of the "
        "variance on",
        "zeros": "weights of zero: right for one layer; in a network the units of a layer stay "
        "equal to each other, since their gradients are equal",
        "normal": f"normal weights with the standard deviation {how.partition(':')[2]}",
    }[name]


def _deviation(symbol: Symbol, shape: tuple[int, int], binding: Binding, how: str) -> float:
    if how == "xavier":
        return float(np.sqrt(2.0 / sum(shape)))
    if how == "he":
        left = _stands_left(binding.roles.model, symbol)
        return float(np.sqrt(2.0 / (shape[1] if left else shape[0])))
    if how == "zeros":
        return 0.0
    name, _, number = how.partition(":")
    try:
        given = float(number)
    except ValueError:
        given = -1.0
    if name != "normal" or not (np.isfinite(given) and given >= 0):
        raise DataError(
            f"initial values {how!r}: take xavier, he, zeros, or a standard deviation, normal:0.1"
        )
    return given


def _stands_left(model: Model, symbol: Symbol) -> bool:
    """Whether a weight stands left of what it multiplies, so that its columns are its inputs."""
    products = [
        node
        for definition in model.definitions
        for node in walk(definition.value)
        if isinstance(node, Apply) and node.op is TABLE["matmul"]
    ]
    return not any(node.args[1] is symbol for node in products)


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


def _is_gain(model: Model, symbol: Symbol) -> bool:
    """Whether a symbol only multiplies rows or columns, entry by entry."""
    repeated = any(
        isinstance(node, Apply) and node.op is TABLE["broadcast"] and symbol in node.args
        for definition in model.definitions
        for node in walk(definition.value)
    )
    return repeated and _used_by(model, symbol, (TABLE["mul"], TABLE["broadcast"]))


def _used_by(model: Model, symbol: Symbol, ops: Collection[Op]) -> bool:
    """Whether a symbol, as it is or repeated, is an argument of these operations alone."""
    plain: set[Expr] = {symbol}
    used = False
    for definition in model.definitions:
        for node in walk(definition.value):
            if not any(arg in plain for arg in node.args):
                continue
            used = True
            if not isinstance(node, Apply) or node.op not in ops:
                return False
            if node.op is TABLE["broadcast"]:
                plain.add(node)
    return used
