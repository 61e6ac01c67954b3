"""Expressions on their own, over names that are given."""

from __future__ import annotations

from collections.abc import Mapping
from unicodedata import normalize

from chainrule.calculus.graph.dims import base_names
from chainrule.calculus.graph.node import Expr, Symbol
from chainrule.language.reading import statements
from chainrule.language.reading.elaboration import Elaborator
from chainrule.language.reading.names import canonical
from chainrule.language.reading.statements import MAX_LINE
from chainrule.language.reading.syntax import parse
from chainrule.language.reading.tokens import Line


def read_expression(text: str, scope: Mapping[str, Symbol]) -> Expr:
    """Read one expression over known symbols.

    Parameters
    ----------
    text : str
        The expression, on one line or several.
    scope : mapping of str to Symbol
        What each name stands for; any spelling of a name will do.

    Raises
    ------
    ParseError
        With the column and the next action.

    Examples
    --------
    >>> w, X = Symbol("w", (1, "n")), Symbol("X", ("n", "m"))
    >>> read_expression("w X", {"w": w, "X": X}) is w @ X
    True
    """
    if len(text) > MAX_LINE:
        raise statements.too_long(1, len(text), MAX_LINE)
    line = Line(" ".join(normalize("NFC", text).splitlines()))
    known = {canonical(key): symbol for key, symbol in scope.items()}
    dims = {name for s in known.values() for dim in s.shape for name in base_names(dim)}
    node, _ = parse(line, 0, len(line.text), known)
    return Elaborator(line, known, dims).whole(node)
