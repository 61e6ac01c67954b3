"""The derivation of the gradient that trained a fit, with the values of one example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chainrule.calculus.graph.dims import Dim
from chainrule.documents.blocks import Block, Section, Table, prose
from chainrule.documents.board_link import board_link
from chainrule.documents.lesson.building import board_of
from chainrule.documents.lesson.numbers import numbers_prose
from chainrule.language.reading import load_text, read_model
from chainrule.tables.fitting import FittedTable
from chainrule.tables.model import TableModel
from chainrule.tables.worked_example import WorkedExample, lecture_of, work_example
from chainrule.tables.worked_regression import forward_pass, weights_of, work_regression

if TYPE_CHECKING:
    from chainrule.tables.fitting_regression import FittedRegression
    from chainrule.tables.regression import TableRegression
    from chainrule.tables.worked_regression import WorkedRegression

_MOST_SHOWN = 10


def gradient_section(fitted: FittedTable | FittedRegression) -> Section:
    """Return the derivation of the gradient that trained a fit."""
    if isinstance(fitted, FittedTable):
        return _section(work_example(fitted))
    return _section(work_regression(fitted))


def board_of_fit(address: str, model: TableModel | TableRegression) -> str:
    """Return the address of the forward pass of a fitted model on a board.

    Parameters
    ----------
    address : str
        The page of the board; where it is empty, so is the result.
    model : TableModel or TableRegression
        The model.

    Raises
    ------
    ChainruleError
        When the address is not one of a page.
    """
    if not address:
        return ""
    if isinstance(model, TableModel):
        return board_link(address, load_text(lecture_of(model)))
    text = forward_pass(model.loss)
    return board_link(address, text, weights_of(read_model(text)))


def _section(explained: WorkedExample | WorkedRegression) -> Section:
    title, blocks = "The gradient that trained it", tuple(_blocks(explained))
    return Section("gradient", title, blocks, explained.derivation.model)


def _blocks(explained: WorkedExample | WorkedRegression) -> Iterator[Block]:
    row = f"row {explained.row}"
    places: dict[Dim, str] = {"m": row, "n": f"the weight of {explained.feature}"}
    if isinstance(explained, WorkedExample):
        places["k"] = explained.label
        yield prose(
            "What follows is the derivation that the training kernels were emitted from, with the "
            f"numbers of one training example filled in. It is {row} of the table, the one that "
            f"pulls hardest at the weights: its label is {explained.actual}."
        )
        forward = (
            ("score z", _number(explained.score)),
            (f"probability a of {explained.label}", _number(explained.proba)),
            ("label y", f"{explained.target:.0f}"),
            ("a − y", _number(explained.residual)),
        )
        caption = f"The forward pass of this example, for the score of {explained.label}"
        slope = "(a − y)"
    else:
        yield prose(
            "The derivation below is that of the loss above; the training functions are generated "
            f"from it. The tables follow one training example, {row} of the table, whose loss is "
            "the steepest."
        )
        forward = (
            ("score z", _number(explained.score)),
            ("predicted mean", _number(explained.mean)),
            ("target y", _number(explained.target)),
            ("slope of the loss, ∂l/∂z", _number(explained.slope)),
        )
        caption = "The forward pass of this example"
        slope = "slope"
    yield Table(caption, (), forward, frozenset({1}))
    shown = explained.contributions[:_MOST_SHOWN]
    rows = tuple((c.feature, f"{c.x:.4g}", f"{c.term:.4g}", f"{c.total:.4g}") for c in shown)
    yield Table(
        f"Its term in the gradient of each weight: {slope} times its standardised value",
        ("feature", "x", f"{slope} x", "sum over all examples"),
        rows,
        frozenset({1, 2, 3}),
    )
    hidden = len(explained.contributions) - len(shown)
    if hidden > 0:
        yield prose(f"The {hidden} weights to which it adds less are left out.")
    if explained.penalty:
        yield prose(
            "At the optimum the sum over all examples balances the penalty: it equals minus "
            f"{explained.penalty:.4g} times the weight."
        )
    if isinstance(explained, WorkedExample):
        yield prose(
            "Where a line says not a number, the plain formula divides rounded zeros in floating "
            "point. The kernels run the stable form, to which it was rewritten by proven rules."
        )
    numbers = numbers_prose(explained.numbers, row, places)
    yield board_of(explained.derivation, prefix="gradient", numbers=numbers)


def _number(value: float) -> str:
    return f"{value:.5g}"
