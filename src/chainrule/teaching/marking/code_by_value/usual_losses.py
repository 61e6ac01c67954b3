"""The usual losses, for code that computes gradients and has no loss."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from chainrule.teaching.marking.code_by_value.algebra import Event, Misfit
from chainrule.teaching.marking.code_by_value.naming import Names
from chainrule.teaching.marking.code_by_value.numeric import Array
from chainrule.teaching.marking.code_by_value.walk import Walk

HALF_SQUARES = "half the squared error"
_SHARES = "the cross-entropy of a softmax"
_OF_SIGMOID = "the cross-entropy of the sigmoid of the last value"
_OF_SOFTMAX = "the cross-entropy of the softmax of the last value"
_HINGE = "the hinge loss"
_SIGNED = "the logistic loss of labels -1 and 1"

USUAL = ("the cross-entropy", _SHARES, HALF_SQUARES, _OF_SIGMOID, _OF_SOFTMAX, _HINGE, _SIGNED)


@dataclass(frozen=True)
class Penalty:
    """A square penalty of a weight, as its gradient has it.

    Parameters
    ----------
    name : str
        The weight.
    strength : ast.expr
        Its factor in the gradient.
    """

    name: str
    strength: ast.expr


def usual_loss(kind: str, walk: Walk[Array], names: Names) -> float:
    """Return a usual loss of the last value and the labels; example by example in a loop.

    Parameters
    ----------
    kind : str
        One of ``USUAL``.
    walk : Walk
        The values.
    names : Names
        The names, of which some are labels.
    """
    if walk.rounds:
        return sum(_of(kind, *one, names) for one in _of_rounds(walk, names))
    return _of(kind, _output(walk, names), _label(walk, names), names)


def penalties_in(events: Sequence[Event], walk: Walk[Array], names: Names) -> tuple[Penalty, ...]:
    """Return the penalties that stand in gradients, as ``reg * W`` in that of W.

    Parameters
    ----------
    events : sequence of Event
        The gradients.
    walk : Walk
        The values.
    names : Names
        Which value a gradient is of.
    """
    found: list[Penalty] = []
    for event in events:
        stem = names.stem(event.target)
        if stem is None or event.operation not in ("=", "+=") or event.places is not None:
            continue
        whole = event.operation == "+="
        terms = list(_terms(event.value))
        for term in terms if whole or len(terms) > 1 else ():
            factors = _factors(term)
            weights = [one for one in factors if walk.flat(one) in names.values_of(stem)]
            if len(weights) != 1:
                continue
            strength = _product([one for one in factors if one is not weights[0]], term)
            try:
                number = np.size(walk.lifted(walk.value(strength))) == 1
            except Misfit:
                continue
            if number:
                found.append(Penalty(walk.flat(weights[0]) or "", strength))
    return tuple(found)


def penalty_of(penalties: Sequence[Penalty], walk: Walk[Array]) -> float:
    """Return the sum of penalties.

    Parameters
    ----------
    penalties : sequence of Penalty
    walk : Walk
        The values.
    """
    total = 0.0
    for one in penalties:
        strength = float(np.ravel(walk.lifted(walk.value(one.strength)))[0])
        total += strength * float(np.sum(np.square(walk.lifted(walk.named(one.name))))) / 2
    return total


def _terms(node: ast.expr) -> Iterator[ast.expr]:
    """Yield the terms of a sum that are added."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        yield from _terms(node.left)
        yield from _terms(node.right)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
        yield from _terms(node.left)
        yield ast.Constant(0.0)
    else:
        yield node


def _factors(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_factors(node.left), *_factors(node.right)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        inverse = ast.BinOp(ast.Constant(1.0), ast.Div(), node.right)
        return [*_factors(node.left), ast.copy_location(inverse, node)]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "mtimes":
        return [part for one in node.args for part in _factors(one)]
    return [node]


def _product(factors: Sequence[ast.expr], term: ast.expr) -> ast.expr:
    found: ast.expr = ast.Constant(1.0)
    for one in factors:
        found = ast.BinOp(found, ast.Mult(), one)
    return ast.fix_missing_locations(ast.copy_location(found, term))


def _of_rounds(walk: Walk[Array], names: Names) -> Iterator[tuple[Array, Array]]:
    """Yield the output and the label of every round of a loop over the examples."""
    labels = _label(walk, names)
    for at, kept in walk.rounds:
        outputs = [value for name, value in kept if not _reads_label(walk, name, names)]
        if not outputs or not labels.ndim or at >= len(labels):
            raise Misfit("no value that could be the output")
        yield np.asarray(outputs[-1]), np.asarray(labels[at])


def _of(kind: str, output: Array, label: Array, names: Names) -> float:
    """Return a usual loss of an output and its labels."""
    with np.errstate(all="ignore"):
        if kind == _OF_SIGMOID:
            return _of(USUAL[0], np.asarray(1 / (1 + np.exp(-output))), label, names)
        if kind == _OF_SOFTMAX:
            return min(_softmaxed(output, label, names))
        picked = label.ndim == 1 and output.ndim == 2 and len(label) == len(output)
        if picked and names.picks and kind == _SHARES:
            columns = label.astype(np.int64)
            return float(-np.sum(np.log(output[np.arange(len(columns)), columns])))
        if label.shape != output.shape:
            raise Misfit("labels in another shape than the output")
        match kind:
            case "half the squared error":
                return float(np.sum((output - label) ** 2) / 2)
            case "the cross-entropy":
                total = label * np.log(output) + (1 - label) * np.log(1 - output)
                return float(-np.sum(total))
            case "the hinge loss":
                return float(np.sum(np.maximum(0, 1 - label * output)))
            case "the logistic loss of labels -1 and 1":
                return float(np.sum(np.log1p(np.exp(-label * output))))
        return float(-np.sum(label * np.log(output)))


def _softmaxed(output: Array, label: Array, names: Names) -> list[float]:
    """Return the cross-entropy of the softmax of scores, whose classes lie along the last axis."""
    power = np.exp(output)
    shares = power / power.sum(axis=-1, keepdims=True)
    return [_of(_SHARES, np.asarray(shares), label, names)]


def _output(walk: Walk[Array], names: Names) -> Array:
    last = None
    for name in walk.forward:
        value = walk.known.get(name)
        if isinstance(value, np.ndarray) and value.ndim and name not in names.labels:
            used = _reads_label(walk, name, names)
            last = last if used else value
    if last is None:
        raise Misfit("no value that could be the output")
    return last


def _reads_label(walk: Walk[Array], name: str, names: Names) -> bool:
    if name not in names.readers:
        names.readers[name] = _has_label(walk, name, names)
    return names.readers[name]


def _has_label(walk: Walk[Array], name: str, names: Names) -> bool:
    for statement in walk.statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name | ast.Attribute) and walk.flat(target) == name
                for target in node.targets
            ):
                used = {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
                return bool(used & set(names.labels))
    return False


def _label(walk: Walk[Array], names: Names) -> Array:
    for name in names.labels:
        value = walk.known.get(name)
        if isinstance(value, np.ndarray):
            return value
        return np.asarray(walk.named(name))
    raise Misfit("no labels")


__all__ = ["HALF_SQUARES", "USUAL", "Penalty", "penalties_in", "penalty_of", "usual_loss"]
