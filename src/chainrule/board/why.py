"""The call `why`: the card for a line, a symbol, an operator or a factor."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from chainrule.board.coding import RequestError
from chainrule.board.derivations import CANCELLED, check_of, derivation_of, provenance, step_named
from chainrule.board.formulas import formula, line, named_shape, shape
from chainrule.board.points import Point, matrix_of
from chainrule.board.schema import (
    Card,
    NamedShape,
    NodeNumbers,
    OriginCard,
    ReasonInfo,
    WhyArgs,
)
from chainrule.calculus.derivation.steps import Derivation, Phase, Step
from chainrule.calculus.graph.dims import SCALAR, Index, written
from chainrule.calculus.graph.node import (
    Apply,
    Entry,
    Expr,
    Number,
    Partial,
    Symbol,
    Total,
    symbols,
    walk,
)
from chainrule.calculus.graph.roles import roles
from chainrule.calculus.proof.step_values import picked
from chainrule.errors import ChainruleError
from chainrule.language.typeset import plain, unicode

Kind = Literal["line", "symbol", "operator", "factor", "number"]

_SENTENCES = {
    "kept": "It stands here as it stood in the line before.",
    "moved": "It stood elsewhere in the line before.",
    "around": "The operator stood in the line before; what it acts on changed.",
    "rewritten": "The line before had this in its place.",
    "substituted": "This is the answer that was put in for what stood in the line before.",
    "introduced": "This is new on this line.",
}


def why(args: WhyArgs) -> Card:
    """Explain a line of a derivation, or one node of it."""
    derivation = derivation_of(args.text, args.wrt, args.order)
    step = step_named(derivation, args.step)
    return card(derivation, step, Point(derivation, args), args.side, args.path)


def card(
    derivation: Derivation, step: Step, point: Point, side: str = "right", path: str | None = None
) -> Card:
    """Explain a line, or the node of one of its sides at a path."""
    if path is None:
        return _line(derivation, step, point)
    root = step.left if side == "left" else step.after
    origin = None if side == "left" else _origin(derivation, step, path)
    return _node(derivation, step, node_at(root, path), point, origin)


def node_at(root: Expr, path: str) -> Expr:
    """Return the node at a path of child positions, such as ``"0.1"``; the root at ``""``.

    Raises
    ------
    RequestError
        When there is no such node.
    """
    node = root
    for part in path.split(".") if path else ():
        children = (node.of, node.wrt) if isinstance(node, Partial) else node.args
        if not (part.isascii() and part.isdigit() and len(part) < 6 and int(part) < len(children)):
            raise RequestError(f"there is no node at {path[:60]} on this line")
        node = children[int(part)]
    return node


def _line(derivation: Derivation, step: Step, point: Point) -> Card:
    return Card(
        "line",
        step.rule,
        step.rule,
        step.why,
        formula(step.after, derivation.model),
        shape(step.after.shape),
        tuple(named_shape(name, dims) for name, dims in step.shapes),
        None,
        "",
        tuple(ReasonInfo(r.rule, r.because) for r in step.reasons),
        None,
        check_of(step.check),
        _numbers(derivation, step, step.after, point),
    )


def _node(
    derivation: Derivation, step: Step, node: Expr, point: Point, origin: OriginCard | None
) -> Card:
    model = derivation.model
    symbol = _symbol(node)
    kind, title, reason = _described(derivation, node)
    meaning = None
    if symbol is not None and symbol in model.values:
        meaning = line(symbol, model.values[symbol], model)
    elif symbol is not None and symbol in derivation.layers:
        layer = derivation.layers[symbol]
        meaning = line(symbol, Partial(model.objective, layer.variable), model)
    answer = derivation.answers.get(node) if isinstance(node, Partial) else None
    if answer is not None:
        meaning = line(node, answer, model)
    return Card(
        kind,
        title,
        step.rule,
        reason,
        formula(node, model),
        shape(node.shape),
        _shapes(node),
        meaning,
        "" if symbol is None else model.notes.get(symbol.name, ""),
        _reasons(derivation, node),
        origin,
        check_of(step.check),
        _numbers(derivation, step, node, point),
    )


def _symbol(node: Expr) -> Symbol | None:
    side = node.matrix if isinstance(node, Entry) else node
    return side if isinstance(side, Symbol) else None


def _described(derivation: Derivation, node: Expr) -> tuple[Kind, str, str]:
    """Return the kind of a node, its title, and what it is in a sentence."""
    symbol = _symbol(node)
    if symbol is not None:
        return "symbol", unicode(node), _symbol_sentence(derivation, symbol, node)
    if isinstance(node, Number):
        return "number", plain(node), f"a constant, {written(node.shape)}"
    if isinstance(node, Partial):
        asked = f"{unicode(node.of)} with respect to {unicode(node.wrt)}"
        at = next((s.id for s in derivation.steps if s.question is node), None)
        answered = "" if at is None else f"; answered in step {at}"
        return "factor", unicode(node), f"the derivative of {asked}{answered}"
    if isinstance(node, Total):
        return (
            "operator",
            f"sum over {node.index.name}",
            f"{node.index.name} runs from 1 to {node.index.dim}; the terms are added",
        )
    if isinstance(node, Apply):
        words = node.op.notation.spoken or node.op.name
        name = node.op.name.replace("_", " ")
        title = name if words == name else f"{name}: {words}"
        return "operator", title, _operator_sentence(node)
    return "operator", plain(node), f"one entry of a matrix, {written(node.shape)}"


def _symbol_sentence(derivation: Derivation, symbol: Symbol, node: Expr) -> str:
    model = derivation.model
    entry = f"one entry of {symbol.name}; " if isinstance(node, Entry) else ""
    if symbol in derivation.layers:
        of = derivation.layers[symbol].variable.name
        return f"{entry}{symbol.name} names the gradient of {model.objective.name} w.r.t. {of}"
    if symbol in model.values:
        return f"{entry}{symbol.name} is a value of the forward pass, {written(symbol.shape)}"
    role = roles(model).get(symbol)
    word = "a name" if role is None else f"an input ({role.value})"
    return f"{entry}{symbol.name} is {word}, {written(symbol.shape)}"


def _operator_sentence(node: Apply) -> str:
    parts = [f"{_short(arg)} is {written(arg.shape)}" for arg in node.args]
    if not parts:
        return f"a constant, {written(node.shape)}"
    return f"{', '.join(parts)}; the result is {written(node.shape)}"


def _short(expr: Expr) -> str:
    text = unicode(expr)
    return text if len(text) <= 24 else "an operand"


def _shapes(node: Expr) -> tuple[NamedShape, ...]:
    found = {s.name: s for s in symbols(node)}
    return tuple(named_shape(name, found[name].shape) for name in sorted(found))


def _reasons(derivation: Derivation, node: Expr) -> tuple[ReasonInfo, ...]:
    """Return the derivative rules behind the answer of a factor."""
    if not isinstance(node, Partial):
        return ()
    step = next((s for s in derivation.steps if s.question is node), None)
    return () if step is None else tuple(ReasonInfo(r.rule, r.because) for r in step.reasons)


def _origin(derivation: Derivation, step: Step, path: str) -> OriginCard | None:
    """Return where a node of the right side comes from."""
    found = next(
        (each for each in provenance(step) if each.path == path and each.kind != CANCELLED), None
    )
    if found is None:
        return None
    before = None if found.origin is None else node_at(step.before, found.origin)
    previous = next((s.id for s in derivation.steps if s.after is step.before), 0)
    shown = None if before is None else formula(before, derivation.model)
    return OriginCard(found.kind, found.rule, previous, found.origin, shown, _SENTENCES[found.kind])


def _numbers(derivation: Derivation, step: Step, node: Expr, point: Point) -> NodeNumbers | None:
    """Return the value of a node at the point; at the chosen places of its indices."""
    if step.phase in (Phase.FUNCTION, Phase.RECURSION):
        return None  # they hold at no single place
    indices = sorted(
        {
            place.name: place
            for inner in _inside(node)
            if isinstance(inner, Entry)
            for place in inner.places
            if isinstance(place, Index)
        }.items()
    )
    try:
        with np.errstate(all="ignore"):
            at = point.evaluator
            value: Any = at.value(node)
            rows = ((picked(at, value, point.chosen),),) if node.shape == SCALAR else None
    except ChainruleError:
        return None
    places = [
        f"{name} = {point.chosen.get(str(index.dim), 0) + 1}"
        for name, index in indices
        if not isinstance(node, Total) or node.index is not index
    ]
    sizes = ", ".join(f"{name} = {size}" for name, size in point.sizes.items())
    said = "; ".join(part for part in (f"at {', '.join(places)}" if places else "", sizes) if part)
    return NodeNumbers(matrix_of(value) if rows is None else rows, point.sizes, said)


def _inside(node: Expr) -> Any:  # noqa: ANN401
    sides = (node.of, node.wrt) if isinstance(node, Partial) else (node,)
    for side in sides:
        yield from walk(side)
