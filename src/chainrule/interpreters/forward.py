"""Running a forward pass on numbers, and sampling places where it may be run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.errors import ModelError
from chainrule.graph.dims import LITERAL, Dim, Size, base_names, measured
from chainrule.graph.model import Model
from chainrule.graph.node import Apply, Symbol, walk
from chainrule.graph.sizes import assigned
from chainrule.interpreters.numeric import FLOATS, Point

Array = npt.NDArray[np.float64]

PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)
KINK_DISTANCE = 0.02
POLE_DISTANCE = 0.01
SMALLER = 0.3
TRIES = 400


def assignments(model: Model, count: int, largest: int = 7) -> list[dict[str, int]]:
    """Give every named dimension distinct primes, differently each time, and never 1.

    Sizes computed from these, such as ``m - k + 1``, are at least 2 and, where that can be,
    unlike all others. A large number among the sizes of the inputs is treated like a name, unless
    other sizes are computed from numbers.

    Raises
    ------
    ModelError
        When no sizes make all computed ones at least 2.
    """
    dims = {dim for symbol in model.symbols for dim in symbol.shape}
    dims |= {dim for d in model.definitions for node in walk(d.value) for dim in node.shape}
    given = {dim for symbol in model.inputs for dim in symbol.shape}
    computed = [dim for dim in dims if isinstance(dim, Size)]
    fixed = {dim for dim in dims if isinstance(dim, int) and dim > LITERAL}
    if any(not names and abs(c) > LITERAL for dim in computed for names, c in dim.terms):
        fixed = set()
    names = {name for dim in dims for name in base_names(dim)}
    free = sorted(names | ({str(dim) for dim in fixed} if fixed <= given else set()))
    usable = [p for p in PRIMES if p <= largest or PRIMES.index(p) < len(free) + 1]
    more = [p for p in PRIMES if p > usable[-1]][: len(free) + 4]
    return [assigned(free, computed, usable, more, turn) for turn in range(count)]


def forward(
    model: Model,
    values: Mapping[Symbol, Any],
    sizes: Mapping[str, int],
    xp: Any = FLOATS,  # noqa: ANN401
    only: Iterable[Symbol] | None = None,
) -> dict[Symbol, Any]:
    """Run a forward pass.

    Parameters
    ----------
    model : Model
        The forward pass.
    values : mapping of Symbol to array
        The inputs, and definitions whose value is to be kept as given.
    sizes : mapping of str to int
        The sizes of the dimensions.
    xp : namespace, optional
        Where functions come from.
    only : iterable of Symbol, optional
        Recompute these definitions alone; the others must be in `values`.

    Returns
    -------
    dict of Symbol to array
        `values` with every definition added.
    """
    wanted = None if only is None else set(only)
    known = dict(values)
    for definition in model.definitions:
        target = definition.target
        fresh = target not in values if wanted is None else target in wanted
        if fresh:
            known[target] = Point(known, sizes, xp).value(definition.value)
    return known


def downstream(model: Model, symbol: Symbol) -> list[Symbol]:
    """Return the definitions that depend on a symbol, in order."""
    found: list[Symbol] = []
    moved = {symbol}
    for definition in model.definitions:
        if any(node in moved for node in walk(definition.value)):
            moved.add(definition.target)
            found.append(definition.target)
    return found


def sample(model: Model, sizes: Mapping[str, int], rng: np.random.Generator) -> dict[Symbol, Array]:
    """Draw inputs at which everything is finite and clear of kinks, and run the forward pass.

    A draw with a non-finite value anywhere is rejected; it never counts as agreement.

    Raises
    ------
    ModelError
        When no such place is found.
    """
    labels = {declared.symbol for declared in model.onehot}
    for attempt in range(TRIES):
        values = {
            symbol: _draw(
                symbol.shape, sizes, rng, positive=attempt >= TRIES // 4 or symbol in labels
            )
            for symbol in model.inputs
        }
        if attempt >= TRIES // 2:  # a deep pass multiplies many of them: smaller ones stay finite
            values = {symbol: SMALLER * drawn for symbol, drawn in values.items()}
        values = related(model, values)
        with np.errstate(all="ignore"):
            found = forward(model, values, sizes)
        # Close to a pole differences settle badly; when nothing else is found they must do.
        pole = POLE_DISTANCE if attempt < TRIES // 2 else 0.0
        if all(np.isfinite(array).all() for array in found.values()) and _clear(
            model, found, sizes, pole
        ):
            return found
    raise ModelError(
        "no point was found at which this forward pass is finite; "
        "look for a logarithm or a root of something that cannot be positive"
    )


def related(model: Model, values: Mapping[Symbol, Any], xp: Any = FLOATS) -> dict[Symbol, Any]:  # noqa: ANN401
    """Make declared labels keep their relation: divided by what they add to along their axis."""
    known = dict(values)
    for declared in model.onehot:
        drawn = known[declared.symbol]
        known[declared.symbol] = drawn / xp.sum(drawn, axis=declared.axis, keepdims=True)
    return known


def _draw(
    shape: tuple[Dim, Dim], sizes: Mapping[str, int], rng: np.random.Generator, *, positive: bool
) -> Array:
    size = tuple(measured(dim, sizes) for dim in shape)
    draw = rng.uniform(0.1, 0.9, size) if positive else rng.uniform(-1.2, 1.2, size)
    # Nothing is drawn close to zero: a factor near zero hides a wrong partner.
    return np.where(np.abs(draw) < 0.05, 0.4, draw)


def _clear(
    model: Model, values: Mapping[Symbol, Array], sizes: Mapping[str, int], pole: float
) -> bool:
    """Whether every argument keeps its distance from kinks and poles."""
    for definition in model.definitions:
        for node in walk(definition.value):
            if not isinstance(node, Apply):
                continue
            if node.op.margin is not None:
                with np.errstate(all="ignore"):
                    point = Point(values, sizes, FLOATS)
                    parts = [point.value(arg) for arg in node.args]
                if np.min(node.op.margin(np, *parts, attrs=node.attrs)) < KINK_DISTANCE:
                    return False
            for arg, domain in zip(node.args, node.op.domain, strict=False):
                near, distance = domain.kink, KINK_DISTANCE
                if near is None and domain.low > 0:
                    near, distance = 0.0, pole
                if near is not None:
                    with np.errstate(all="ignore"):
                        value = Point(values, sizes, FLOATS).value(arg)
                    if np.abs(value - near).min() < distance:
                        return False
    return True
