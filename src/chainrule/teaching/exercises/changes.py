"""Changes of a forward pass for variants, one entry each: functions, loss, mean, depth, layout."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from chainrule.calculus.graph.dims import SCALAR, Size, base_names
from chainrule.calculus.graph.model import Definition, Model, OneHot
from chainrule.calculus.graph.node import Apply, Expr, Symbol, symbols, transform, walk
from chainrule.calculus.ops import TABLE
from chainrule.calculus.rewriting.transposition import stored, turned_symbol
from chainrule.language.reading import read_expression, read_model
from chainrule.language.typeset import model_text, plain

ACTIVATIONS = ("sigmoid", "tanh", "relu", "softplus")

LOSSES = (
    "1/2 sum((P - Y)^2)",
    "sum((P - Y)^2)",
    "sum(sqrt(1 + (P - Y)^2))",
    "sum(softplus(P) - Y .* P)",
)
"""Losses of a prediction P and a target Y of one shape; each can replace any other."""

SCALAR_LOSSES = ("1/2 (P - Y)^2", "(P - Y)^2", "sqrt(1 + (P - Y)^2)", "softplus(P) - Y P")

PER_EXAMPLE = ("one column per example", "one row per example")
"""The wording of notes in the bank that marks the dimension of the examples."""

NUMBERS = (2, 3, 4, 5, 6, 7)
"""The numbers that a size may become."""

OUTSIDE = ("1/2 R^2", "softplus(R)", "R^3")
"""Functions of a result R that a variant can add."""

OBJECTIVES = "LJCE"
FREE = "EFKMNRUV"
"""Capitals for the names that a deeper network adds."""


@dataclass(frozen=True)
class Change:
    """A change of a forward pass.

    Parameters
    ----------
    name : str
        Its name.
    words : str
        What it changes, for the student.
    apply : callable
        Returns the new forward pass, or None where there is nothing to change.
    deep : bool
        Whether it changes the derivation; other sizes do not.
    """

    name: str
    words: str
    apply: Callable[[Model, Random], Model | None]
    deep: bool = True


def _activations(model: Model, rng: Random) -> Model | None:
    """Replace an activation where no logarithm uses its value."""
    guarded = _under_a_log(model)
    exchanged: dict[str, str] = {}

    def change(node: Expr) -> Expr:
        if isinstance(node, Apply) and node.op.name in exchanged:
            return Apply(TABLE[exchanged[node.op.name]], node.args, node.attrs)
        return node

    used = {n.op.name for d in model.definitions for n in walk(d.value) if isinstance(n, Apply)}
    others = rng.sample(ACTIVATIONS, len(ACTIVATIONS))
    for name in sorted(used & set(ACTIVATIONS)):
        exchanged[name] = others.pop() if others[-1] != name else others.pop(0)
    if not exchanged:
        return None
    definitions = tuple(
        d if d.target in guarded else replace(d, value=transform(d.value, change))
        for d in model.definitions
    )
    if definitions == model.definitions:
        return None
    return replace(model, definitions=definitions)


def _under_a_log(model: Model) -> set[Symbol]:
    return {
        symbol
        for d in model.definitions
        for node in walk(d.value)
        if isinstance(node, Apply) and node.op is TABLE["log"]
        for symbol in symbols(node)
    }


def _losses(model: Model, rng: Random) -> Model | None:
    """Replace the loss by another of the same prediction and target."""
    value = model.values[model.objective]
    known = [s for s in model.symbols if s in symbols(value)]
    for prediction in known:
        for target in known:
            scope = {"P": prediction, "Y": target}
            if prediction is target or prediction.shape != target.shape:
                continue
            texts = SCALAR_LOSSES if prediction.shape == SCALAR else LOSSES
            forms = [read_expression(text, scope) for text in texts]
            if value in forms:
                others = [form for form in forms if form is not value]
                return _with_objective(model, rng.choice(others))
    return None


def _mean(model: Model, rng: Random) -> Model | None:
    """Divide a sum over examples by their number."""
    examples = _examples(model)
    value = model.values[model.objective]
    adds = any(isinstance(n, Apply) and n.op is TABLE["sum"] for n in walk(value))
    if examples is None or not adds:
        return None
    scope = {plain(s): s for s in model.symbols}
    return _with_objective(model, read_expression(f"1/{examples} ({plain(value)})", scope))


def _rows(model: Model, rng: Random) -> Model | None:
    """Store one example per row (all matrices transposed)."""
    examples = _examples(model)
    if examples is None:
        return None
    transposed = {s: turned_symbol(s) for s in model.symbols if s.shape[0] != examples}
    transposed = {old: new for old, new in transposed.items() if old.shape != SCALAR}

    def kept(symbol: Symbol) -> Symbol:
        return transposed.get(symbol, symbol)

    return replace(
        model,
        inputs=tuple(kept(s) for s in model.inputs),
        definitions=tuple(
            Definition(kept(d.target), stored(d.value, transposed, d.target in transposed))
            for d in model.definitions
        ),
        asked=tuple(replace(a, symbol=kept(a.symbol)) for a in model.asked),
        onehot=tuple(
            OneHot(kept(o.symbol), 1 - o.axis if o.symbol in transposed else o.axis)
            for o in model.onehot
        ),
        notes={name: note.replace(*PER_EXAMPLE) for name, note in model.notes.items()},
    )


def _sizes(model: Model, rng: Random) -> Model | None:
    """Replace one size by a number, as in a 4-3-1 network."""
    dims = {dim for symbol in model.symbols for dim in symbol.shape}
    named = sorted(d for d in dims if isinstance(d, str) and len(d) == 1 and d != _examples(model))
    if not named or any(isinstance(dim, Size) for dim in dims):
        return None
    token = re.compile(rf"(?<![A-Za-z0-9\\^_]){rng.choice(named)}(?![A-Za-z0-9_^])")
    number = rng.choice([number for number in NUMBERS if number not in dims])
    text = token.sub(str(number), model_text(model, notes=False))
    return replace(read_model(text, name=model.title), notes=model.notes)


def _deeper(model: Model, rng: Random) -> Model | None:
    """Add one more hidden layer, h to h, with the same activation."""
    for d in model.definitions:
        value = d.value
        if not (isinstance(value, Apply) and value.op.name in ACTIVATIONS):
            continue
        height = d.target.shape[0]
        if height == 1 or d.target in _under_a_log(model) or not _is_hidden(model, d.target):
            continue
        dims = {name for s in model.symbols for dim in s.shape for name in base_names(dim)}
        taken = {name[:1].upper() for name in (*(s.name for s in model.symbols), *dims)}
        free = [letter for letter in FREE if letter not in taken]
        if len(free) < 3:
            return None
        rng.shuffle(free)
        if d.target.name.islower():
            free[1:] = [letter.lower() for letter in free[1:]]
        weights = Symbol(free[0], (height, height))
        score, out = (Symbol(letter, d.target.shape) for letter in free[1:3])
        return _inserted(model, d, weights, score, out, value)
    return None


def _inserted(
    model: Model, after: Definition, weights: Symbol, score: Symbol, out: Symbol, like: Apply
) -> Model:
    definitions: list[Definition] = []
    passed = False
    for d in model.definitions:
        swapped = (
            transform(d.value, lambda n: out if n is after.target else n) if passed else d.value
        )
        definitions.append(replace(d, value=swapped))
        if d is after:
            definitions.append(Definition(score, weights @ after.target))
            definitions.append(Definition(out, Apply(like.op, (score,), like.attrs)))
            passed = True
    notes = {**model.notes, weights.name: "weights of one more hidden layer"}
    inputs = (*model.inputs, weights)
    return replace(model, inputs=inputs, definitions=tuple(definitions), notes=notes)


def _is_hidden(model: Model, symbol: Symbol) -> bool:
    """Whether a value feeds a matrix product and nothing else."""
    used = [d for d in model.definitions if symbol in symbols(d.value)]
    products = [
        n
        for d in used
        for n in walk(d.value)
        if isinstance(n, Apply) and n.op is TABLE["matmul"] and symbol in n.args
    ]
    return len(used) == 1 and len(products) == 1


def _with_objective(model: Model, value: Expr) -> Model:
    definitions = tuple(
        replace(d, value=value) if d.target is model.objective else d for d in model.definitions
    )
    return replace(model, definitions=definitions)


def _examples(model: Model) -> str | None:
    """Return the dimension of the examples where they are columns, according to the notes."""
    for symbol in model.inputs:
        dim = symbol.shape[1]
        if PER_EXAMPLE[0] in model.notes.get(symbol.name, "") and isinstance(dim, str):
            return dim
    return None


def _penalty(model: Model, rng: Random) -> Model | None:
    """Add the squared norm of an asked matrix or vector to the objective."""
    value = model.values[model.objective]
    asked = [a.symbol for a in model.asked if a.symbol in model.inputs]
    free = [s for s in asked if s.shape != SCALAR]
    squared = any(isinstance(n, Apply) and n.op is TABLE["squared_norm"] for n in walk(value))
    if not free or squared:
        return None
    scope = {plain(s): s for s in model.symbols}
    return _with_objective(model, value + read_expression(f"1/2 norm({plain(free[0])})^2", scope))


def _outside(model: Model, rng: Random) -> Model | None:
    """Put the result into one more function."""
    taken = {symbol.name for symbol in model.symbols}
    dims = {name for s in model.symbols for dim in s.shape for name in base_names(dim)}
    free = [letter for letter in OBJECTIVES if letter not in taken | dims]
    if not free or model.objective.shape != SCALAR:
        return None
    target = Symbol(free[0], SCALAR)
    text = rng.choice(OUTSIDE).replace("R", plain(model.objective))
    value = read_expression(text, {plain(model.objective): model.objective})
    definitions = (*model.definitions, Definition(target, value))
    return replace(model, definitions=definitions, objective=target)


CHANGES = (
    Change("activations", "another activation", _activations),
    Change("losses", "another loss", _losses),
    Change("reduction", "a mean over the examples in place of a sum", _mean),
    Change("depth", "one more hidden layer", _deeper),
    Change("sizes", "a size is a number", _sizes, deep=False),
    Change("convention", "one example per row", _rows),
    Change("penalty", "an L2 penalty is added", _penalty),
    Change("outside", "one more function outside", _outside),
)
"""The changes besides names, one entry each."""
