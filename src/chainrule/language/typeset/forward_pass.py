"""The text of a forward pass, in the language of `chainrule.language.reading`."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.calculus.graph.dims import written
from chainrule.calculus.graph.model import Asked, Model
from chainrule.calculus.graph.node import Symbol
from chainrule.language.typeset.text import plain


def model_text(model: Model, *, notes: bool = True) -> str:
    r"""Return a forward pass in the language that `read_model` reads.

    What comes back has the same names, shapes, values and directives. Loops are unrolled, and
    functions that do not act on each entry are expanded where they are used.

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
    w : (1, 1)  # weight
    L = w^2
    objective: L
    wrt: w
    """
    return "\n".join(_lines(model, notes))


def _lines(model: Model, notes: bool) -> Iterator[str]:
    def noted(symbol: Symbol, line: str) -> str:
        note = model.notes.get(symbol.name, "") if notes else ""
        return f"{line}  # {note}" if note else line

    if notes and model.title:
        yield f"# {model.title}"
    # A function with a registry entry depends on its argument and such functions alone.
    for function in model.functions:
        if function.row is not None:
            yield function.text.partition("#")[0].strip()
    for symbol in model.inputs:
        kind = " symmetric" if symbol.symmetric else ""
        yield noted(symbol, f"{plain(symbol)} : {written(symbol.shape)}{kind}")
    for definition in model.definitions:
        yield noted(definition.target, f"{plain(definition.target)} = {plain(definition.value)}")
    yield f"objective: {plain(model.objective)}"
    if model.asked:
        yield "wrt: " + ", ".join(_asked(asked) for asked in model.asked)
    if model.onehot:
        yield "onehot: " + ", ".join(
            plain(labels.symbol) + ("" if labels.axis == 0 else "^T") for labels in model.onehot
        )
    for mask in model.masks:
        yield f"mask: {plain(mask.symbol)} with {mask.keep:g}"


def _asked(asked: Asked) -> str:
    return plain(asked.symbol) + ("" if asked.place is None else f"_{asked.place}")
