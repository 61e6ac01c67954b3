"""Points for questions and hints: short numbers in the domains of the inputs, clear of kinks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chainrule.calculus.evaluation.forward import forward
from chainrule.calculus.evaluation.numeric import FLOATS, Evaluator
from chainrule.calculus.graph.dims import base_names, measured
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Expr, Symbol, walk
from chainrule.errors import ChainruleError
from chainrule.teaching.exercises.domains import domain
from chainrule.teaching.exercises.exercise import Exercise

SMALL = 2
LARGEST = 3
TRIES = 60
DIGITS = 3
ON_THE_KINK = 1e-6


@dataclass(frozen=True)
class Point:
    """Numbers for the inputs, all values of the forward pass, and the sizes."""

    values: Mapping[Symbol, Any]
    sizes: Mapping[str, int]

    def value(self, form: Expr, shape: Sequence[int]) -> Any:  # noqa: ANN401
        """Evaluate an expression here; what is not finite stays so."""
        with np.errstate(all="ignore"):
            return np.broadcast_to(Evaluator(self.values, self.sizes, FLOATS).value(form), shape)


def small_sizes(model: Model, largest: int = LARGEST) -> dict[str, int] | None:
    """Return sizes at which a calculation by hand is short, if there are any."""
    dims = {dim for symbol in model.symbols for dim in symbol.shape}
    sizes = {name: SMALL for dim in dims for name in base_names(dim)}
    fits = all(1 <= measured(dim, sizes) <= largest for dim in dims)
    return sizes if fits else None


def points(
    exercise: Exercise, sizes: Mapping[str, int], rng: np.random.Generator
) -> Iterator[Point]:
    """Yield points whose inputs lie in their domains and clear of kinks."""
    model = exercise.derivation.model
    for _ in range(TRIES):
        drawn: dict[Symbol, Any] = {}
        for symbol in model.inputs:
            rows, cols = (measured(dim, sizes) for dim in symbol.shape)
            drawn[symbol] = domain(exercise.domain_of(symbol)).draw(rng, (rows, cols))
        try:
            with np.errstate(all="ignore"):
                values = forward(model, drawn, sizes)
        except (ChainruleError, ArithmeticError, np.linalg.LinAlgError):
            continue
        if all(np.isfinite(v).all() for v in values.values()) and not _on_a_kink(
            model, values, sizes
        ):
            yield Point(values, sizes)


def _on_a_kink(model: Model, values: Mapping[Symbol, Any], sizes: Mapping[str, int]) -> bool:
    """Whether an argument lies at a kink, where there is no derivative."""
    point = Evaluator(values, sizes, FLOATS)
    nodes = [n for d in model.definitions for n in walk(d.value) if isinstance(n, Apply)]
    for node in nodes:
        parts = [np.asarray(point.value(arg)) for arg in node.args]
        margin = node.op.margin
        if margin is not None and np.min(margin(np, *parts, attrs=node.attrs)) < ON_THE_KINK:
            return True
        kinks = [domain.kink for domain in node.op.domain]
        if any(
            kink is not None and np.abs(part - kink).min() < ON_THE_KINK
            for part, kink in zip(parts, kinks, strict=False)
        ):
            return True
    return False


def written_value(value: Any) -> str:  # noqa: ANN401
    """Return a number or a matrix as text, rounded."""
    rounded = np.round(np.asarray(value, float), DIGITS) + 0.0
    if rounded.size == 1:
        return f"{rounded.item():g}"
    rows = (", ".join(f"{x:g}" for x in row) for row in rounded)
    return "[" + ", ".join(f"[{row}]" for row in rows) + "]"
