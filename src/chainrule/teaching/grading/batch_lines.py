r"""Lines about a batch in a text of single examples: ``X^T (h - y) / m`` behind the ``x^{(i)}``.

The text defines the values of each example, and its last lines use a matrix that stands nowhere.
It has the examples as its columns or as its rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Symbol
from chainrule.teaching.grading.auditor import Auditor
from chainrule.teaching.grading.line_verdicts import Verdict
from chainrule.teaching.marking.transcript import TranscriptStatement

NEITHER = (
    "X has the examples as its columns or as its rows here, and with neither is this an equation "
    "of the forward pass; define X to have it judged"
)
_UNDECIDED = ("unreadable", "unproven", "shape", "scope")
_LETTER = re.compile(r"(?<![A-Za-z\\_^])(?P<name>[A-Za-z])(?![A-Za-z_]|\s*\()")
_HAT = re.compile(r"\\hat\s*\{?\s*(?P<letter>[A-Za-z])\s*\}?(?!\s*[_(])")
_SLOPE = re.compile(r"\\partial|\\nabla|∂|∇|(?<![A-Za-z])d[A-Za-z]")
_DATA = "x"
_MATRIX = re.compile(r"(?<![A-Za-z\\])X(?![A-Za-z])")


def with_batch_lines(
    model: Model, said: Sequence[TranscriptStatement], lines: Sequence[Verdict | None]
) -> list[Verdict | None]:
    """Judge lines about the whole batch, where the forward pass is one of each example.

    Parameters
    ----------
    model : Model
        The forward pass.
    said : sequence of TranscriptStatement
        The statements.
    lines : sequence of Verdict or None
        Their verdicts. One stays as it is where neither arrangement makes its line right.
    """
    data = next((one for one in model.inputs if one.name == _DATA and one.shape[1] != 1), None)
    if data is None:
        return list(lines)
    batch = {one.name: one for one in model.symbols if one.shape[1] == data.shape[1]}
    return [
        line
        if line is None or line.verdict not in _UNDECIDED or said.code or said.continues
        else _arranged(model, batch, said, line)
        for said, line in zip(said, lines, strict=True)
    ]


def _arranged(
    model: Model, batch: dict[str, Symbol], said: TranscriptStatement, line: Verdict
) -> Verdict:
    for text, arrangement in _readings(batch, said.text):
        verdict = Auditor(model, explains=False).judge(replace(said, text=text))
        if verdict is not None and verdict.verdict == "proven":
            why = f"{verdict.why}; with the examples as {arrangement} of the matrices of this line"
            return replace(verdict, text=line.text, why=why)
    if line.accused and _MATRIX.search(said.text) is not None:
        return replace(line, verdict="unproven", why=NEITHER, mistakes=(), right="", sign=0)
    return line


def _readings(batch: dict[str, Symbol], text: str) -> Iterator[tuple[str, str]]:
    """Yield a line with its matrices in letters of the forward pass, for both arrangements."""
    for turn, arrangement in (("", "columns"), ("^T", "rows")):

        def of_all(match: re.Match[str], turn: str = turn) -> str:
            name = _known(batch, match["name"])
            return match[0] if name is None else f"({name}{turn})"

        def of_all_predicted(match: re.Match[str], turn: str = turn) -> str:
            found = (rf"\hat{{{letter}}}" for letter in (match["letter"], match["letter"].lower()))
            name = next((one for one in _spellings(found) if one in batch), None)
            return match[0] if name is None else f"({name}{turn})"

        left, equals, right = text.partition("=")
        if _SLOPE.search(left) is None:
            left = _LETTER.sub(of_all, _HAT.sub(of_all_predicted, left))
        right = _LETTER.sub(of_all, _HAT.sub(of_all_predicted, right))
        if equals and _MATRIX.search(text) is not None:
            yield f"{left}={right}", arrangement


def _spellings(names: Iterator[str]) -> Iterator[str]:
    for name in names:
        yield name
        yield name.replace("{", " ").replace("}", "")


def _known(batch: dict[str, Symbol], letter: str) -> str | None:
    """Return the name of the value of each example whose letter, or capital letter, this is."""
    small = letter.lower()
    for name in (letter, small):
        if name in batch:
            return name
    stems = [name for name in batch if re.fullmatch(rf"{small}_(?:\\?\w+|\{{.*\}})", name)]
    return stems[0] if len(stems) == 1 else None


__all__ = ["with_batch_lines"]
