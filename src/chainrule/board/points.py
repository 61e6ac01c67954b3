"""The call `numbers`: a point of a forward pass, and every line of its derivation there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from chainrule.board.coding import RequestError
from chainrule.board.derivations import derivation_of
from chainrule.board.schema import Matrix, Numbers, PointArgs, StepNumber, WhyArgs
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.evaluation.forward import assignments, forward, sample
from chainrule.calculus.evaluation.numeric import Evaluator
from chainrule.calculus.graph.dims import Dim, base_names, measured, written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Symbol
from chainrule.calculus.graph.roles import Role, roles
from chainrule.calculus.proof.gradients import gradient_values
from chainrule.calculus.proof.step_values import evaluator_at, step_values

MOST_SIZE = 64
"""The largest size of one dimension of an example on the board."""

MOST_NUMBERS = 20_000
"""The most numbers of one forward pass on the board."""

MATRIX = 2
"""The number of axes of a matrix; a tensor has more."""

DIGITS = 2
"""The decimals of drawn inputs."""


class Point:
    """Values for the inputs of a derivation, and the place to look at.

    Parameters
    ----------
    derivation : Derivation
        The derivation.
    args : PointArgs or WhyArgs
        Inputs, sizes, chosen places and the seed for inputs that are not given.
    """

    def __init__(self, derivation: Derivation, args: PointArgs | WhyArgs) -> None:
        self.derivation = derivation
        model = derivation.model
        given = {name: _array(model, name, rows) for name, rows in args.inputs.items()}
        self.sizes = _sizes(model, given, args.sizes)
        self.inputs = {
            s.name: given[s.name].reshape(tuple(_measured(dim, self.sizes) for dim in s.shape))
            for s in model.inputs
            if s.name in given
        }
        if len(self.inputs) < len(model.inputs):
            key = (args.text, args.wrt, args.order, tuple(self.sizes.items()), args.seed)
            self.inputs = dict(_drawn(*key)) | self.inputs
        shapes = {name for s in model.symbols for dim in s.shape for name in base_names(dim)}
        along = {name: n for name, n in self.sizes.items() if name in shapes}
        self.chosen = _chosen(along, args.chosen)

    @cached_property
    def evaluator(self) -> Evaluator:
        """An evaluator of anything that stands on a line."""
        with np.errstate(all="ignore"):
            return evaluator_at(self.derivation, self.inputs, self.sizes)

    def values(self) -> dict[Symbol, Any]:
        """Run the forward pass."""
        model = self.derivation.model
        given = {model.symbol(name): value for name, value in self.inputs.items()}
        with np.errstate(all="ignore"):
            return forward(model, given, self.sizes)


def numbers(args: PointArgs) -> Numbers:
    """Evaluate every line of a derivation at one point."""
    derivation = derivation_of(args.text, args.wrt, args.order)
    point = Point(derivation, args)
    values = point.values()
    with np.errstate(all="ignore"):
        gradients = gradient_values(derivation, values, point.sizes)
    found = step_values(derivation, point.inputs, point.sizes, point.chosen)
    return Numbers(
        point.sizes,
        point.chosen,
        {name: matrix_of(value) for name, value in point.inputs.items()},
        {s.name: matrix_of(values[s]) for s in derivation.model.values},
        {symbol.name: matrix_of(value) for symbol, value in gradients.items()},
        tuple(
            StepNumber(key, each.value, each.term, tuple(sorted(map(str, each.dims))))
            for key, each in found.items()
        ),
    )


def matrix_of(value: Any) -> Matrix:  # noqa: ANN401
    """Return an array as rows of numbers: the slices of a tensor stand below one another."""
    array = np.atleast_2d(np.asarray(value, float))
    rows = array.reshape(-1, array.shape[-1]).tolist()
    return tuple(tuple(row) for row in rows)


def _array(model: Model, name: str, rows: Matrix) -> Any:  # noqa: ANN401
    symbol = next((s for s in model.inputs if s.name == name), None)
    if symbol is None:
        names = ", ".join(s.name for s in model.inputs)
        raise RequestError(f"there is no input {name[:40]}; this forward pass has {names}")
    lengths = {len(row) for row in rows}
    if len(lengths) != 1 or 0 in lengths or any(v is None for row in rows for v in row):
        raise RequestError(
            f"{name} needs rows of equal length, all of finite numbers: {written(symbol.shape)}"
        )
    values = np.array(rows, float)
    if symbol in model.numbered and ((values < 0) | (values % 1 != 0)).any():
        raise RequestError(f"{name} holds integer indices: whole numbers from 0")
    return values


def _sizes(model: Model, given: Mapping[str, Any], wanted: Mapping[str, int]) -> dict[str, int]:
    """Return the size of every dimension: as given inputs have it, as wanted, or small."""
    names = dict.fromkeys(
        name for s in model.symbols for dim in s.shape for name in base_names(dim)
    )
    unknown = [name for name in wanted if name not in names]
    if unknown:
        raise RequestError(
            f"there is no dimension {unknown[0][:40]}; this forward pass has "
            + (", ".join(names) or "none")
        )
    sizes = {name: size for name, size in assignments(model, 1)[0].items() if name in names}
    sizes |= {**model.lengths, **wanted}
    symbols = {symbol.name: symbol for symbol in model.inputs}
    known: dict[str, tuple[int, str]] = {}
    for name, value in given.items():
        if len(symbols[name].shape) > MATRIX:
            continue  # stacked slices do not say how long each leading axis is
        for dim, size in zip(symbols[name].shape, value.shape, strict=True):
            if isinstance(dim, str):
                before, whose = known.setdefault(dim, (size, name))
                if before != size:
                    raise RequestError(f"{dim} is {before} in {whose} and {size} in {name}")
    sizes |= {dim: size for dim, (size, _) in known.items()}
    for name, size in sizes.items():
        if not 1 <= size <= MOST_SIZE:
            raise RequestError(f"{name} is {size}; sizes go from 1 to {MOST_SIZE} on the board")
    for name, value in given.items():
        shape = tuple(_measured(dim, sizes) for dim in symbols[name].shape)
        if (math.prod(shape[:-1]), shape[-1]) != value.shape:
            here, found = (" x ".join(map(str, each)) for each in (shape, value.shape))
            raise RequestError(
                f"{name} is {written(symbols[name].shape)}, here {here}; {found} numbers were given"
            )
    count = 0
    for s in model.symbols:
        shape = tuple(_measured(dim, sizes) for dim in s.shape)
        if min(shape) < 1:
            here = " x ".join(map(str, shape))
            raise RequestError(f"{s.name} would be {here}; choose larger sizes")
        count += math.prod(shape)
    if count > MOST_NUMBERS:
        raise RequestError(
            f"this forward pass has {count} numbers at these sizes; the board shows at most "
            f"{MOST_NUMBERS}: choose smaller sizes"
        )
    return sizes


def _measured(dim: Dim, sizes: Mapping[str, int]) -> int:
    return int(measured(dim, sizes))


def _chosen(sizes: Mapping[str, int], wanted: Mapping[str, int]) -> dict[str, int]:
    for name, place in wanted.items():
        if name not in sizes or not 0 <= place < sizes[name]:
            raise RequestError(f"there is no place {place} along {name[:40]}; places count from 0")
    return {name: wanted.get(name, 0) for name in sizes}


@lru_cache(64)
def _drawn(
    text: str, wrt: tuple[str, ...], order: int, sizes: tuple[tuple[str, int], ...], seed: int
) -> Mapping[str, Any]:
    """Draw all inputs at a point where everything is finite."""
    derivation = derivation_of(text, wrt, order)
    model = derivation.model
    values = sample(model, dict(sizes), np.random.default_rng(abs(seed)))
    found = {
        s: values[s] if s in model.numbered else np.round(values[s], DIGITS) for s in model.inputs
    }
    labelled = found | _labels(model, found)
    with np.errstate(all="ignore"):
        known = forward(model, labelled, dict(sizes))
    finite = all(np.isfinite(known[s]).all() for s in model.symbols)
    return {s.name: value for s, value in (labelled if finite else found).items()}


def _labels(model: Model, drawn: Mapping[Symbol, Any]) -> dict[Symbol, Any]:
    """Return 0 or 1 for every drawn label; one 1 per column where labels are one-hot."""
    axes = {known.symbol: known.axis for known in model.onehot}
    found = {}
    for symbol, role in roles(model).items():
        value = drawn[symbol]
        if symbol in axes:
            largest = value.max(axis=axes[symbol], keepdims=True)
            first = np.cumsum(value == largest, axis=axes[symbol]) == 1
            found[symbol] = ((value == largest) & first).astype(float)
        elif role is Role.LABEL and symbol not in model.numbered:
            found[symbol] = (value > 0).astype(float)
    return found
