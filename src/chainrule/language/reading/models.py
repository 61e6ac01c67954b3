"""Whole forward passes: lines into a model."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from unicodedata import normalize

from chainrule.calculus.graph.model import (
    Model,
)
from chainrule.language.reading import statements
from chainrule.language.reading.applied_values import Application, applied
from chainrule.language.reading.bookkeeping import definitions_in_code
from chainrule.language.reading.clauses import without_arguments
from chainrule.language.reading.function_names import with_named_functions
from chainrule.language.reading.indexed_definitions import (
    with_indices,
)
from chainrule.language.reading.layout import without_layout
from chainrule.language.reading.loops import MORE_ROUNDS, Unrolled, unrolled
from chainrule.language.reading.markup import statement_lines
from chainrule.language.reading.model_reader import ModelReader
from chainrule.language.reading.order import in_order_of_use
from chainrule.language.reading.statements import MAX_TEXT
from chainrule.language.reading.tokens import Line


def read_model(text: str, *, name: str = "", infer: bool = True) -> Model:
    """Read a forward pass.

    Parameters
    ----------
    text : str
        Declarations ``X : (n, m)``, definitions ``Z = w X + b``, and, when they are needed, the
        directives ``objective: J``, ``wrt: w, b`` and ``onehot: Y`` (every column of Y adds to
        one; ``onehot: Y^T`` where every row does). ``#`` begins a comment: the first is the
        title, one after a declaration is the note on its names.
    name : str, optional
        The title where the text has none.
    infer : bool, optional
        Whether the shapes of undeclared names are inferred, and kept in `Model.assumptions`;
        otherwise an undeclared name is an error.

    Returns
    -------
    Model
        The last definition is its objective unless a directive says which.

    Raises
    ------
    ParseError
        With the line, the column and the next action.

    Examples
    --------
    >>> model = read_model('''
    ... X : (n, m)
    ... w : (1, n)
    ... b : (1, 1)
    ... J = sum(sigmoid(w X + b))
    ... ''')
    >>> model.objective.name, [symbol.name for symbol in model.parameters()]
    ('J', ['w', 'b'])
    """
    values: Mapping[str, Application] = {}
    if len(text) <= MAX_TEXT:
        text, values = applied(without_layout(normalize("NFC", text)))
    lines = statement_lines(definitions_in_code(statements.lines(text)))
    return read_lines(lines, values, name=name, infer=infer, ordered="\\" in text)


def read_lines(
    lines: Sequence[Line],
    values: Mapping[str, Application],
    *,
    name: str = "",
    infer: bool = True,
    usual: Container[str] = frozenset(),
    ordered: bool = True,
) -> Model:
    """Read a forward pass from the lines in which it stands.

    Parameters
    ----------
    lines : sequence of Line
        Without what only sets the page.
    values : mapping of str to Application
        Values that are written with their arguments.
    name : str, optional
        The title where the text has none.
    infer : bool, optional
        Whether the shapes of undeclared names are inferred.
    usual : container of str, optional
        Names of which the last that is a number is the objective, where no directive says which.
    ordered : bool, optional
        Whether definitions are read in the order of their use, whatever order they stand in.
    """
    named = with_named_functions(lines)
    rounds = unrolled(named)
    model = _read_rounds(rounds, values, name, infer=infer, usual=usual, ordered=ordered)
    if not rounds.lengths:
        return model
    rounds = unrolled(named, MORE_ROUNDS)
    longer = _read_rounds(rounds, values, name, infer=infer, usual=usual, ordered=ordered)
    return replace(model, longer=longer)


def _read_rounds(
    rounds: Unrolled,
    values: Mapping[str, Application],
    name: str,
    *,
    infer: bool,
    usual: Container[str],
    ordered: bool,
) -> Model:
    """Read a forward pass in which every loop is written out."""
    reader = ModelReader(usual=usual, dims=set(rounds.lengths))
    reader.loops, reader.starts = tuple(rounds.loops), rounds.starts
    for line in rounds.lines:
        reader.gather(line)
    found = [clause for clause in reader.clauses if not reader.is_prose(clause)]
    reader.clauses, reader.indexed = with_indices(
        without_arguments(found, reader.lines, usual), values
    )
    reader.define_names()
    # What is declared counts everywhere: papers write "where x ∈ ℝⁿ" below the formula.
    for clause in reader.clauses:
        if clause.declared is not None:
            reader.declare(clause, clause.declared)
    reader.clauses.sort(key=reader.defines_later)
    if ordered:
        reader.clauses = in_order_of_use(reader.clauses)
    if infer:
        reader.infer()
    for clause in reader.clauses:
        reader.read(clause)
    return reader.model(name)
