"""A forward pass as text that the reader reads back."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.model import Asked, Model
from chainrule.language.typeset.text import plain


def model_text(model: Model, *, notes: bool = True) -> str:
    r"""Write a forward pass in the language of forward passes.

    Parameters
    ----------
    model : Model
        The forward pass.
    notes : bool, optional
        Whether its title and the notes on its names are kept.

    Examples
    --------
    >>> from chainrule.language.reading import read_model
    >>> print(model_text(read_model("w : (1,1)  # weight\nL = w²\nwrt: w")))
    w : (1, 1)   # weight
    L = w^2
    objective: L
    wrt: w
    """
    return "\n".join(_lines(model, notes))


def _lines(model: Model, notes: bool) -> Iterator[str]:
    if notes and model.title:
        yield f"# {model.title}"
    for function in model.functions:
        yield function.text.partition("#")[0].strip()
    for symbol in model.inputs:
        note = model.notes.get(symbol.name, "") if notes else ""
        yield f"{plain(symbol)} : {written(symbol.shape)}" + (f"   # {note}" if note else "")
    for definition in model.definitions:
        yield f"{plain(definition.target)} = {plain(definition.value)}"
    yield f"objective: {plain(model.objective)}"
    if model.asked:
        yield "wrt: " + ", ".join(_asked(asked) for asked in model.asked)
    for labels in model.onehot:
        yield f"onehot: {plain(labels.symbol)}" + ("" if labels.axis == 0 else "^T")


def _asked(asked: Asked) -> str:
    return plain(asked.symbol) + ("" if asked.place is None else f"_{asked.place}")
