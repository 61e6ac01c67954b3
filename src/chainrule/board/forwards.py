"""The call `read`: a forward pass as it was understood."""

from __future__ import annotations

from functools import lru_cache

from chainrule.board.formulas import formula, line, shape
from chainrule.board.schema import Forward, ForwardLine, Input, Line, ReadArgs
from chainrule.calculus.graph.dims import base_names
from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import Total, walk
from chainrule.calculus.graph.roles import reading_sentences, roles
from chainrule.documents.lesson.building import sum_over_entries
from chainrule.language.reading import read_model

MOST_SUMS = 2
"""A cost with more sums than this is easier to read with matrices."""

CACHED = 32
"""The number of forward passes, and of derivations, that stay in memory."""


@lru_cache(CACHED)
def model_of(text: str) -> Model:
    """Read a forward pass; the last ones are cached."""
    return read_model(text)


def read(args: ReadArgs) -> Forward:
    """Read a forward pass: its inputs, lines and shapes."""
    model = model_of(args.text)
    return forward_of(model, reading_sentences(model, model.parameters()))


def forward_of(model: Model, reading: tuple[str, ...] = ()) -> Forward:
    """Return a forward pass with every line typeset."""
    role = roles(model)
    assumed = {each.symbol: each.reason for each in model.assumptions}
    dims = (name for s in model.symbols for dim in s.shape for name in base_names(dim))
    return Forward(
        model.title,
        model.objective.name,
        tuple(
            Input(
                s.name,
                shape(s.shape),
                model.notes.get(s.name, ""),
                role[s].value,
                assumed.get(s, ""),
                formula(s, model),
            )
            for s in model.inputs
        ),
        tuple(
            ForwardLine(
                d.target.name,
                shape(d.target.shape),
                d.line,
                line(d.target, d.value, model),
                model.notes.get(d.target.name, ""),
                _summed(model, d),
            )
            for d in model.definitions
        ),
        tuple(function.text for function in model.functions),
        tuple(dict.fromkeys(symbol.name for symbol in model.parameters())),
        tuple(s.name for s in model.symbols if s not in model.numbered and s != model.objective),
        tuple(reading),
        tuple(dict.fromkeys(dims)),
    )


def _summed(model: Model, definition: Definition) -> Line | None:
    """Return the cost as a sum over entries; None for other values, and where it is no such sum."""
    if definition.target is not model.objective:
        return None
    form = sum_over_entries(definition.value, model)
    if form is None or len({n.index for n in walk(form) if isinstance(n, Total)}) > MOST_SUMS:
        return None
    return line(definition.target, form, model)
