"""Circuits: the value and the gradient on every edge of a small graph, by numbers.

The mistakes are those of the catalogue, each carried through the whole circuit, and the local
derivative without its upstream gradient.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache, partial
from random import Random

import numpy as np

from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr
from chainrule.errors import ChainruleError
from chainrule.language.typeset import unicode
from chainrule.teaching.diagnosis.catalogue import errors_between
from chainrule.teaching.diagnosis.injection import InjectedError
from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Circuit, CircuitNode, Prose
from chainrule.teaching.exercises.templates.evaluation import (
    Point,
    gradient_form,
    model_of,
    written,
)
from chainrule.teaching.exercises.templates.template import Draft

DRAWS = 40
LARGEST = 100
SMALL_NUMBERS = (-3, -2, -1, 2, 3, 4)

CIRCUITS: tuple[tuple[str, str, str, str], ...] = (
    ("circuit-sum-product", "a sum times a number", "A", "q = x + y\nf = q z"),
    ("circuit-difference", "a difference times a number", "A", "q = x - y\nf = q z"),
    ("circuit-square", "the square of a product", "A", "q = x y\nf = q^2"),
    ("circuit-max", "a maximum times a number", "B", "q = max(x, y)\nf = q z"),
    ("circuit-reuse", "a value that is used twice", "B", "q = x + y\nf = q x"),
    ("circuit-diamond", "two paths that meet", "B", "p = x y\nq = x + y\nf = p q"),
    ("circuit-relu", "a ReLU unit", "B", "z = w x + b\nf = relu(z)^2"),
    ("circuit-minimum", "a minimum under a sum", "B", "q = min(x, y)\nr = q z\nf = r + x"),
    ("circuit-ratio", "a quotient", "B", "q = x + y\nf = q/z"),
    ("circuit-loss", "a squared error", "A", "z = w x + b\ne = z - y\nf = e^2"),
    ("circuit-ridge", "a squared error with a penalty", "B", "e = w x - y\np = w^2\nf = e^2 + p"),
    (
        "circuit-two-units",
        "two weights in a chain",
        "C",
        "a = w x\nr = relu(a)\nz = v r\nf = z - y",
    ),
    ("circuit-shared", "one weight in two layers", "C", "a = w x\nb = w a\nf = b^2"),
    ("circuit-recurrent", "two steps of a recurrence", "D", "h = u x + w\ng = u h + v\nf = g^2"),
    ("circuit-skip", "a skip connection", "C", "a = w x\nr = relu(a)\ns = r + x\nf = s^2"),
    ("circuit-sum-of-products", "products that are summed", "A", "p = x y\nq = z w\nf = p + q"),
)
"""Id, title, level and definitions of every circuit."""


def text_of_circuit(definitions: str) -> str:
    """Return the forward pass of a circuit: all names that it does not define are numbers."""
    lines = definitions.splitlines()
    defined = [line.split("=")[0].strip() for line in lines]
    words = "".join(c if c.isalpha() else " " for c in definitions).split()
    inputs = sorted({w for w in words if len(w) == 1 and w not in defined})
    head = f"{', '.join(inputs)} : (1, 1)"
    return "\n".join([head, *lines, f"objective: f\nwrt: {', '.join(inputs)}"])


@dataclass(frozen=True)
class _Forms:
    """The gradients on the edges of a circuit as expressions, right and with each mistake."""

    model: Model
    inputs: tuple[str, ...]
    defined: tuple[str, ...]
    edges: tuple[str, ...]
    right: tuple[Expr, ...]
    wrong: tuple[tuple[InjectedError, tuple[Expr, ...]], ...]


@lru_cache
def _forms(definitions: str) -> _Forms:
    model = model_of(text_of_circuit(definitions))
    inputs = tuple(symbol.name for symbol in model.inputs)
    defined = tuple(d.target.name for d in model.definitions)
    edges = (*reversed(defined[:-1]), *inputs)
    right = tuple(gradient_form(model, name) for name in edges)
    wrong: dict[tuple[Expr, ...], InjectedError] = {}
    for name in edges:
        for error in errors_between(model, model.objective, model.symbol(name), None):
            if error.in_sweep:
                with suppress(ChainruleError):
                    found = tuple(gradient_form(model, edge, (error,)) for edge in edges)
                    wrong.setdefault(found, error)
    wrong.pop(right, None)
    return _Forms(
        model, inputs, defined, edges, right, tuple((error, f) for f, error in wrong.items())
    )


def circuit(definitions: str, rng: Random) -> Draft:
    """Ask for every value and every gradient of a circuit."""
    forms = _forms(definitions)
    point, defined = _drawn(forms, rng), forms.defined
    names = (*defined, *(f"df/d{name}" for name in forms.edges))
    values = tuple(point.value(name) for name in defined)
    right = (*values, *_numbers(point, forms.right))
    mistakes = tuple(
        (_answer(names, (*values, *found)), error.name, f"{error.name}: {error.message}")
        for error, found in _mistaken(point, forms)
    )
    key = AnswerKey("values", _answer(names, right), choices=names, mistakes=mistakes)
    return Draft(
        (
            Prose("Fill in the value and the gradient of f on every edge."),
            _drawing(point, forms, solved=False),
            Prose(f"Answer in this order, or by name: {', '.join(names)}", of_form=True),
        ),
        key,
        (
            f"Forward first: {defined[0]} from the inputs, and so on up to {defined[-1]}.",
            "Backward: df/df = 1. Each edge gets the gradient that arrives, times the local "
            "derivative.",
            _third_hint(point, forms.edges),
        ),
        (_drawing(point, forms, solved=True),),
    )


def _third_hint(point: Point, edges: tuple[str, ...]) -> str:
    twice = [name for name in edges if len(point.users(name)) > 1]
    if twice:
        return f"{twice[0]} is used by {' and '.join(point.users(twice[0]))}: its two parts add."
    last = point.model.objective.name
    used = [name for name in edges if last in point.users(name)]
    return f"The last step is {last}: begin with df/d{used[0]}."


def _drawn(forms: _Forms, rng: Random) -> Point:
    """Draw small inputs at which values differ and gradients are not zero."""
    best: tuple[int, Point] | None = None
    for _ in range(DRAWS):
        point = Point(forms.model, {name: rng.choice(SMALL_NUMBERS) for name in forms.inputs})
        numbers = [abs(point.value(symbol.name)) for symbol in forms.model.symbols]
        if not np.isfinite(numbers).all() or max(numbers) > LARGEST:
            continue
        gradients = _numbers(point, forms.right)
        score = len(set(numbers)) + 2 * sum(gradient != 0 for gradient in gradients)
        if best is None or score > best[0]:
            best = (score, point)
        if score == len(numbers) + 2 * len(gradients):
            break
    assert best is not None
    return best[1]


def _numbers(point: Point, forms: tuple[Expr, ...]) -> tuple[float, ...]:
    return tuple(float(point.evaluated(form).reshape(-1)[0]) for form in forms)


def _mistaken(point: Point, forms: _Forms) -> Iterator[tuple[InjectedError, tuple[float, ...]]]:
    """Yield the mistakes that show, each with the gradients that it gives."""
    known = {tuple(np.round(_numbers(point, forms.right), 6))}
    for error, wrong in forms.wrong:
        found = _numbers(point, wrong)
        if np.isfinite(found).all() and tuple(np.round(found, 6)) not in known:
            known.add(tuple(np.round(found, 6)))
            yield error, found
    local = tuple(
        sum(point.local(user, name) for user in point.users(name)) for name in forms.edges
    )
    if tuple(np.round(local, 6)) not in known:
        yield UPSTREAM, local


UPSTREAM = InjectedError(
    "upstream gradient not multiplied",
    "these are local derivatives; each is still to be multiplied by the gradient that arrives",
    "chain rule",
)


def _answer(names: tuple[str, ...], numbers: tuple[float, ...]) -> str:
    return ", ".join(
        f"{name} = {written(number + 0.0)}" for name, number in zip(names, numbers, strict=True)
    )


def _drawing(point: Point, forms: _Forms, *, solved: bool) -> Circuit:
    """Return the drawing of a circuit; what is asked for is a question mark."""
    model = point.model
    gradients = dict(zip(forms.edges, _numbers(point, forms.right), strict=True))
    gradients[model.objective.name] = 1.0
    nodes = []
    for symbol in model.symbols:
        name, formula = symbol.name, model.values.get(symbol)
        known = solved or symbol is model.objective
        nodes.append(
            CircuitNode(
                name,
                "" if formula is None else unicode(formula),
                written(point.value(name)) if solved or name in forms.inputs else "?",
                written(gradients[name] + 0.0) if known else "?",
                tuple(s.name for s in model.symbols if name in point.users(s.name)),
            )
        )
    return Circuit(tuple(nodes), model.objective.name)


CIRCUIT_ROWS = tuple(
    (identifier, title, level, partial(circuit, definitions))
    for identifier, title, level, definitions in CIRCUITS
)
"""Id, title, level and template of every circuit."""
