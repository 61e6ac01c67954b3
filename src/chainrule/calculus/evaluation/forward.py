"""Running a forward pass on numbers, and sampling points at which it is finite."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice, permutations
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.calculus.evaluation.modular import MODULAR, SingularError, random_residues
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.dims import LITERAL, Shape, Size, base_names, measured
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import Apply, Symbol, symbols, walk
from chainrule.calculus.graph.op import Layout
from chainrule.calculus.graph.sizes import assigned
from chainrule.errors import ModelError

Array = npt.NDArray[np.float64]

MOST_SIZES = 8  # more would make the largest matrices large
LEAST_ROUND = 5
PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53)
KINK_DISTANCE = 0.02
POLE_DISTANCE = 0.01
FEW = 25
SMALLER = 0.3
TRIES = 400
ORDERS = 120  # of the names of dimensions, to find sizes at which inverses exist
REDRAWS = 80  # of what one layer alone adds
SPREAD = 2.2  # by the root of the fan-in: what goes into a layer comes out at about its size


def assignments(model: Model, count: int, largest: int = 7) -> list[dict[str, int]]:
    """Give every named dimension a size, such that matrices that are inverted have an inverse.

    Where some sizes make a product of low rank, as ``(W^T W)^-1`` of a wide W is, others are taken.

    Raises
    ------
    ModelError
        When no sizes make all computed ones at least 2, or a matrix has no inverse at any.
    """
    found = [with_places(model, sizes) for sizes in _assigned(model, count, largest)]
    if not _inverts(model):
        return found
    able = [sizes for sizes in found if _has_inverses(model, sizes)]
    for sizes in _orders_with_inverses(model, found[0]):
        if len(able) >= count:
            break
        if sizes not in able:
            able.append(sizes)
    if not able:
        raise ModelError(
            "this forward pass inverts a matrix that has no inverse, whatever the sizes: a product "
            "such as W^T W has one only where W has at least as many rows as columns"
        )
    return able


def with_places(model: Model, sizes: Mapping[str, int]) -> dict[str, int]:
    """Return sizes at which every part has its places: ``X[4, :]`` needs five rows of X.

    A size that is too small becomes the next prime that no other size is.
    """
    found = dict(sizes)
    for definition in model.definitions:
        for node in walk(definition.value):
            if not (isinstance(node, Apply) and node.op.notation.layout is Layout.PART):
                continue
            for dim, places in zip(
                node.args[0].shape, (node.attrs[:2], node.attrs[2:]), strict=True
            ):
                least = max((p for p in places if isinstance(p, int)), default=0)
                if isinstance(dim, str) and found[dim] < least:
                    free = (p for p in PRIMES if p >= least and p not in found.values())
                    found[dim] = next(free, least)
    return found


def with_inverses(model: Model, sizes: Mapping[str, int]) -> dict[str, int]:
    """Return sizes at which the matrices that a model inverts have an inverse.

    The sizes are those given, or the same numbers in another order; as given where none will do.
    """
    if not _inverts(model) or _has_inverses(model, sizes):
        return dict(sizes)
    return next(_orders_with_inverses(model, sizes), dict(sizes))


def _inverts(model: Model) -> bool:
    nodes = (node for definition in model.definitions for node in walk(definition.value))
    return any(isinstance(node, Apply) and node.op.regular for node in nodes)


def _orders_with_inverses(model: Model, sizes: Mapping[str, int]) -> Iterator[dict[str, int]]:
    """Yield the same sizes in other orders, as far as matrices have inverses there."""
    numbers = sorted(sizes.values(), reverse=True)
    for order in islice(permutations(sizes), ORDERS):
        found = dict(zip(order, numbers, strict=True))
        if _has_inverses(model, found):
            yield found


def _has_inverses(model: Model, sizes: Mapping[str, int]) -> bool:
    """Whether the matrices that a forward pass inverts have an inverse, in exact arithmetic."""
    rng = np.random.default_rng(0)
    point = Evaluator({}, sizes, MODULAR)
    drawn = {s: random_residues(rng, point.shape(s.shape)) for s in model.inputs}
    drawn = related(model, drawn, MODULAR) | numbers_of_places(model, sizes, rng)
    try:
        forward(model, drawn, sizes, MODULAR)
    except SingularError:
        return False
    except ZeroDivisionError:
        pass  # an unlucky residue below a line
    return True


def _assigned(model: Model, count: int, largest: int) -> list[dict[str, int]]:
    """Give every named dimension distinct primes, differently each time, and never 1.

    Sizes computed from these, such as ``m - k + 1``, are at least 2 and, where that can be,
    unlike all others. A large number among the sizes of the inputs is treated like a name, unless
    other sizes are computed from numbers or entries change their places. With very many names the
    primes come round again, each time after another number of names: no two dimensions are alike
    throughout.

    Raises
    ------
    ModelError
        When no sizes make all computed ones at least 2.
    """
    dims = dict.fromkeys(dim for symbol in model.symbols for dim in symbol.shape)
    dims |= dict.fromkeys(model.lengths)
    for definition in model.definitions:
        dims |= dict.fromkeys(dim for node in walk(definition.value) for dim in node.shape)
    given = {dim for symbol in model.inputs for dim in symbol.shape}
    computed = [dim for dim in dims if isinstance(dim, Size)]
    fixed = [dim for dim in dims if isinstance(dim, int) and dim > LITERAL]
    large = any(not names and abs(c) > LITERAL for dim in computed for names, c in dim.terms)
    # Where entries move, sizes are counted from each other, and a number means itself.
    nodes = (node for definition in model.definitions for node in walk(definition.value))
    large = large or any(isinstance(node, Apply) and node.op.moves for node in nodes)
    names = list(dict.fromkeys(name for dim in dims for name in base_names(dim)))
    if not large and set(fixed) <= given:
        names += [str(dim) for dim in fixed]
    if len(names) > MOST_SIZES and not computed:  # neighbours in the forward pass stay unlike
        rounds = [PRIMES[: LEAST_ROUND + turn % 3] for turn in range(count)]
        return [assigned(names, (), primes, turn=k) for k, primes in enumerate(rounds)]
    names.sort()
    usable = [p for p in PRIMES if p <= largest or PRIMES.index(p) < len(names) + 1]
    more = [p for p in PRIMES if p > usable[-1]][: len(names) + 4]
    return [assigned(names, computed, usable, more, turn) for turn in range(count)]


def forward(
    model: Model,
    values: Mapping[Symbol, Any],
    sizes: Mapping[str, int],
    xp: Any = FLOATS,  # noqa: ANN401
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

    Returns
    -------
    dict of Symbol to array
        `values` with every definition added.
    """
    known = dict(values)
    point = Evaluator(known, sizes, xp)
    for definition in model.definitions:
        target = definition.target
        if target not in values:
            known[target] = point.value(definition.value)
            point.define(target, known[target])
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

    A draw with a non-finite value anywhere is rejected; it never counts as agreement. A deep pass
    is drawn layer by layer: only what a layer adds is drawn again, so depth costs no more tries.

    Raises
    ------
    ModelError
        When no such place is found.
    """
    layers = _layers(model)
    with np.errstate(all="ignore"):
        for attempt in range(TRIES):
            known: dict[Symbol, Array] = {}
            for number, layer in enumerate(layers):
                for _ in range(REDRAWS if number else 1):
                    drawn = _drawn(model, layer.inputs, sizes, rng, attempt, deep=number > 1)
                    found = _run(layer, drawn, known, sizes, attempt)
                    if found is not None:
                        break
                if found is None:
                    break
                known.update(found)
            else:
                return {symbol: known[symbol] for symbol in model.symbols}
    raise ModelError(
        f"no point was found at which this forward pass is finite{_lost(model, sizes, rng)}; "
        "look for a logarithm or a root of something that cannot be positive, or an inverse of a "
        "matrix that has none"
    )


def _lost(model: Model, sizes: Mapping[str, int], rng: np.random.Generator) -> str:
    """Say which definition is the first that is not a finite number, at one more draw."""
    drawn = _drawn(model, model.inputs, sizes, rng, TRIES - 1, deep=False)
    with np.errstate(all="ignore"):
        try:
            values = forward(model, drawn, sizes)
        except np.linalg.LinAlgError:
            return ""
    for definition in model.definitions:
        if not np.isfinite(values[definition.target]).all():
            line = f" on line {definition.line}" if definition.line else ""
            return f": {definition.target.name}{line} is not"
    return ""


@dataclass(frozen=True)
class _Layer:
    """Inputs that the forward pass meets together, and what it makes of them before the next."""

    inputs: tuple[Symbol, ...]
    definitions: tuple[Definition, ...]


def _layers(model: Model) -> list[_Layer]:
    """Split a forward pass where new inputs enter."""
    waiting, found = set(model.inputs), list[_Layer]()
    for definition in model.definitions:
        fresh = symbols(definition.value) & waiting
        waiting -= fresh
        inputs = tuple(s for s in model.inputs if s in fresh)
        if fresh or not found:
            found.append(_Layer(inputs, (definition,)))
        else:
            found[-1] = replace(found[-1], definitions=(*found[-1].definitions, definition))
    unused = tuple(s for s in model.inputs if s in waiting)
    found[0] = replace(found[0], inputs=(*found[0].inputs, *unused))
    return found


def _drawn(
    model: Model,
    inputs: Iterable[Symbol],
    sizes: Mapping[str, int],
    rng: np.random.Generator,
    attempt: int,
    *,
    deep: bool,
) -> dict[Symbol, Array]:
    labels = {declared.symbol for declared in model.onehot}
    values = {}
    for symbol in inputs:
        positive = attempt >= TRIES // 4 or symbol in labels
        values[symbol] = _draw(symbol.shape, sizes, rng, positive=positive)
        if deep and symbol not in labels and min(values[symbol].shape) > 1:
            values[symbol] *= min(1.0, SPREAD / values[symbol].shape[1] ** 0.5)
        if attempt >= TRIES // 2:  # a deep pass multiplies many of them: smaller ones stay finite
            values[symbol] = SMALLER * values[symbol]
    places = numbers_of_places(model, sizes, rng)
    return related(model, values) | {s: places[s] for s in values if s in places}


def _run(
    layer: _Layer,
    drawn: Mapping[Symbol, Array],
    known: Mapping[Symbol, Array],
    sizes: Mapping[str, int],
    attempt: int,
) -> dict[Symbol, Array] | None:
    """Run one layer at a draw; nothing when it is not finite, or close to a kink."""
    # Close to a pole differences settle badly; when nothing else is found they must do.
    pole = POLE_DISTANCE if attempt < TRIES // 2 else 0.0
    used = set().union(*(symbols(definition.value) for definition in layer.definitions))
    values = dict(drawn)
    point = Evaluator({s: known[s] for s in used if s in known} | values, sizes, FLOATS)
    for definition in layer.definitions:
        try:
            values[definition.target] = point.value(definition.value)
        except np.linalg.LinAlgError:
            return None
        point.define(definition.target, values[definition.target])
        if not np.isfinite(values[definition.target]).all():
            return None
    return values if _clear(layer.definitions, point, pole) else None


def numbers_of_places(
    model: Model, sizes: Mapping[str, int], rng: np.random.Generator
) -> dict[Symbol, Array]:
    """Draw the inputs that hold numbers of places: whole numbers from 0."""
    return {
        symbol: rng.integers(
            0, measured(count, sizes), tuple(measured(dim, sizes) for dim in symbol.shape)
        ).astype(float)
        for symbol, count in model.numbered.items()
    }


def related(model: Model, values: Mapping[Symbol, Any], xp: Any = FLOATS) -> dict[Symbol, Any]:  # noqa: ANN401
    """Make declared values keep their relation: labels add up to one, symmetric ones are it."""
    known = dict(values)
    for symbol, drawn in values.items():
        if symbol.symmetric:
            known[symbol] = (drawn + drawn.T) / 2
    for declared in model.onehot:
        if declared.symbol not in known:
            continue
        drawn = known[declared.symbol]
        known[declared.symbol] = drawn / xp.sum(drawn, axis=declared.axis, keepdims=True)
    return known


def _draw(
    shape: Shape, sizes: Mapping[str, int], rng: np.random.Generator, *, positive: bool
) -> Array:
    size = tuple(measured(dim, sizes) for dim in shape)
    draw = rng.uniform(0.1, 0.9, size) if positive else rng.uniform(-1.2, 1.2, size)
    # Nothing is drawn close to zero: a factor near zero hides a wrong partner.
    return np.where(np.abs(draw) < 0.05, 0.4, draw)


def _clear(definitions: Iterable[Definition], point: Evaluator, pole: float) -> bool:
    """Whether every argument keeps its distance from kinks and poles."""
    for definition in definitions:
        for node in walk(definition.value):
            if not isinstance(node, Apply):
                continue
            if node.op.margin is not None:
                parts = [point.value(arg) for arg in node.args]
                if _near(node.op.margin(np, *parts, attrs=node.attrs), KINK_DISTANCE):
                    return False
            for arg, domain in zip(node.args, node.op.domain, strict=False):
                near, distance = domain.kink, KINK_DISTANCE
                if near is None and domain.low > 0 and not node.op.polynomial(node.attrs):
                    near, distance = 0.0, pole
                if near is not None and _near(point.value(arg) - near, distance):
                    return False
    return True


def _near(gaps: Array, distance: float) -> bool:
    """Whether some gap is too small; among many entries one always comes closer."""
    return gaps.size > 0 and bool(np.abs(gaps).min() < distance * min(1.0, FEW / gaps.size))
