"""Verdicts on the first gradient of a text without a loss: right with one that is taken for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chainrule.calculus.graph.model import Model
from chainrule.teaching.grading.auditor import Auditor
from chainrule.teaching.grading.line_verdicts import Verdict
from chainrule.teaching.marking.open_objective import is_open
from chainrule.teaching.marking.transcript import TranscriptStatement
from chainrule.teaching.marking.usual_losses import label_in, label_in_formula, usual_losses


def with_taken_losses(
    model: Model, said: Sequence[TranscriptStatement], lines: Sequence[Verdict | None]
) -> list[Verdict | None]:
    """Judge lines about labels that stand nowhere, with the usual loss that fits.

    Parameters
    ----------
    model : Model
        The forward pass.
    said : sequence of TranscriptStatement
        The statements.
    lines : sequence of Verdict or None
        Their verdicts. One stays as it is where no usual loss makes its line right.
    """
    if not is_open(model):
        return list(lines)
    return [
        line if line is None or not _is_undecided(said, line) else _taken(model, said, line)
        for said, line in zip(said, lines, strict=True)
    ]


def _is_undecided(said: TranscriptStatement, line: Verdict) -> bool:
    return not said.continues and line.verdict in ("unreadable", "unproven")


def _taken(model: Model, said: TranscriptStatement, line: Verdict) -> Verdict:
    label = (label_in if said.code else label_in_formula)(said.text, model)
    for name, ended in usual_losses(model, label) if label else ():
        verdict = Auditor(ended, explains=False).judge(said)
        if verdict is not None and verdict.verdict == "proven":
            end = ended.definitions[-2 if len(ended.definitions) > 1 else -1].target
            why = (
                f"right with {name} of {end.name} and {label}: no loss of the text is read, and "
                "this one is taken"
            )
            return replace(verdict, text=line.text, why=why)
    return line


__all__ = ["with_taken_losses"]
