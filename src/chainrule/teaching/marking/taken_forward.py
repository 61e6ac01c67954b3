"""Texts with the definitions that they leave out: a hypothesis, layers, a loss, scores."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.teaching.marking.posted_notation import in_plain_notation
from chainrule.teaching.marking.spoken_losses import with_row
from chainrule.teaching.marking.taken_hypotheses import taken_hypotheses
from chainrule.teaching.marking.taken_layers import taken_layers
from chainrule.teaching.marking.taken_matrix_losses import taken_matrix_losses
from chainrule.teaching.marking.taken_objectives import taken_objectives
from chainrule.teaching.marking.taken_scores import taken_scores
from chainrule.teaching.marking.taken_word_vectors import taken_word_vectors
from chainrule.teaching.marking.transcript import statements


def taken_forward(text: str) -> Iterator[tuple[str, str]]:
    """Yield texts with one choice of what they leave out, each with a note that says so.

    Parameters
    ----------
    text : str
        The text, without layout.
    """
    said = statements(in_plain_notation(text))
    for formula in taken_hypotheses(said):
        yield with_row(text, f"${formula}$"), f"with {formula}, which the text leaves open"
    for other, formula in taken_matrix_losses(text):
        yield other, f"with {formula}, its loss in matrices"
    for formulas in (
        *taken_objectives(text, said),
        *taken_layers(said),
        *taken_word_vectors(said),
        *taken_scores(said),
    ):
        row = " ".join(f"${formula}$" for formula in formulas)
        shown = ", ".join(formulas)
        yield with_row(text, row), f"with {shown}, which the text leaves out"


__all__ = ["taken_forward"]
