"""The call `graph`: a forward pass as nodes and edges, with values, gradients and factors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from chainrule.board.derivations import derivation_of
from chainrule.board.formulas import formula, line, shape
from chainrule.board.points import Point, matrix_of
from chainrule.board.schema import Graph, GraphEdge, GraphGroup, GraphNode, Line, Matrix, PointArgs
from chainrule.calculus.derivation.steps import Derivation, Gradient, Step
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import Entry, Expr, Partial, Symbol, symbols
from chainrule.calculus.graph.roles import roles
from chainrule.calculus.proof.gradients import gradient_values, with_layers
from chainrule.calculus.proof.step_values import step_values
from chainrule.deriving import derive
from chainrule.errors import ChainruleError
from chainrule.language.typeset.names import name_parts

MOST_GRADIENTS = 16
"""The most values on the way that are differentiated for the graph alone."""


def graph(args: PointArgs) -> Graph:
    """Return a forward pass as a graph at one point."""
    derivation = derivation_of(args.text, args.wrt, args.order)
    point = Point(derivation, args)
    rest = remaining_gradients(args.text, args.wrt, args.order)
    model = derivation.model
    values = point.values()
    slopes: dict[Symbol, Any] = {}
    lines: dict[Symbol, Line] = {}
    for one in (rest, derivation):
        if one is None:
            continue
        with np.errstate(all="ignore"):
            slopes |= gradient_values(one, values, point.sizes)
            named = with_layers(one, values, point.sizes)
        slopes |= {g.variable: named[name] for name, g in one.layers.items()}
        for gradient in (*one.layers.values(), *one.gradients.values()):
            lines[gradient.variable] = _gradient_line(one, gradient)
    numbers = step_values(derivation, point.inputs, point.sizes, point.chosen)
    factors = _factors(derivation)
    moving = _moving(model, [g.variable for g in derivation.gradients.values()])
    layers = _layers(model)
    role = {symbol.name: each.value for symbol, each in roles(model).items()}
    edges = []
    for definition in model.definitions:
        for source in _sources(model, definition):
            step = factors.get((definition.target, source))
            found = None if step is None else numbers.get(step.id)
            edges.append(
                GraphEdge(
                    source.name,
                    definition.target.name,
                    None if step is None else line(step.left, step.after, model),
                    None if found is None else found.value,
                    source in moving,
                )
            )
    nodes = []
    for symbol in model.symbols:
        kind = "value" if symbol in model.values else "input"
        value = model.values.get(symbol)
        at = lines.get(symbol) if symbol in moving else None
        nodes.append(
            GraphNode(
                symbol.name,
                "objective" if symbol is model.objective else kind,  # type: ignore[arg-type]
                role.get(symbol.name, ""),
                formula(symbol, model),
                None if value is None else line(symbol, value, model),
                shape(symbol.shape),
                matrix_of(values[symbol]),
                _slope(model, symbol, slopes.get(symbol) if at else None),
                at,
                layers[symbol],
                name_parts(symbol.name).layer,
            )
        )
    backward = [(e.source, e.target) for e in reversed(edges) if e.differentiated]
    return Graph(
        tuple(nodes),
        tuple(edges),
        tuple(symbol.name for symbol in model.symbols),
        tuple(backward),
        _groups(nodes),
        point.sizes,
        point.chosen,
    )


@lru_cache(16)
def remaining_gradients(text: str, wrt: tuple[str, ...], order: int) -> Derivation | None:
    """Derive with respect to those values on the way whose gradients a derivation does not name.

    None where there are none, more than `MOST_GRADIENTS`, or one without a form.
    """
    derivation = derivation_of(text, wrt, order)
    model = derivation.model
    moving = _moving(model, [g.variable for g in derivation.gradients.values()])
    known = {g.variable for g in (*derivation.layers.values(), *derivation.gradients.values())}
    known.add(model.objective)
    names = [s.name for s in model.symbols if s in moving and s not in known]
    if not 0 < len(names) <= MOST_GRADIENTS:
        return None
    try:
        return derive(model, names)
    except ChainruleError:  # a gradient that was not asked for may have no form
        return None


def _moving(model: Model, variables: list[Symbol]) -> set[Symbol]:
    """Return the variables and the values that depend on them."""
    found = set(variables)
    for definition in model.definitions:
        if symbols(definition.value) & found:
            found.add(definition.target)
    return found


def _factors(derivation: Derivation) -> Mapping[tuple[Symbol, Symbol], Step]:
    """Return the steps that answer "d target / d source", by both names."""
    found: dict[tuple[Symbol, Symbol], Step] = {}
    for step in derivation.steps:
        if isinstance(step.question, Partial):
            of, wrt = _matrix(step.question.of), _matrix(step.question.wrt)
            if isinstance(of, Symbol) and isinstance(wrt, Symbol):
                found.setdefault((of, wrt), step)
    return found


def _matrix(side: Expr) -> Expr:
    return side.matrix if isinstance(side, Entry) else side


def _sources(model: Model, definition: Definition) -> list[Symbol]:
    used = symbols(definition.value)
    return [symbol for symbol in model.symbols if symbol in used]


def _slope(model: Model, symbol: Symbol, value: object) -> Matrix | None:
    if symbol is model.objective:
        return ((1.0,),)
    return None if value is None else matrix_of(value)


def _gradient_line(derivation: Derivation, gradient: Gradient) -> Line:
    left = Partial(derivation.model.objective, gradient.variable)
    return line(left, gradient.final, derivation.model)


def _layers(model: Model) -> dict[Symbol, int]:
    """Return the longest path from an input to each value."""
    found = dict.fromkeys(model.inputs, 0)
    for definition in model.definitions:
        before = [found[source] for source in symbols(definition.value)]
        found[definition.target] = 1 + max(before, default=0)
    return found


def _groups(nodes: list[GraphNode]) -> tuple[GraphGroup, ...]:
    """Return the layers of a network that its author counts: ``W^[2]``."""
    found: dict[str, list[str]] = {}
    for node in nodes:
        if node.group:
            found.setdefault(node.group, []).append(node.id)
    return tuple(GraphGroup(key, f"layer {key}", tuple(ids)) for key, ids in found.items())
