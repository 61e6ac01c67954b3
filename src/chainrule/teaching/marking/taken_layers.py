r"""Layers that a text leaves out: it differentiates ``z^{[2]}`` and defines only what comes behind.

A post on backpropagation often begins with its gradients. Its layers are the usual ones then,
``z^{[2]} = W^{[2]} a^{[1]} + b^{[2]}`` and an activation, and its loss is one of a few.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from chainrule.teaching.marking.open_objective import named_in
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

_LAYER = (
    r"(?:\^\s*\{?\s*(?P<open>[\[(])\s*(?P<at>\d|L)\s*[\])]\s*\}?"
    r"|_\s*\{?\s*(?P<low>\d)\s*\}?)"
)
_BY_SCORE = re.compile(rf"\\partial\s*\{{?\s*(?P<score>[zZ])\s*{_LAYER}")
_WEIGHTS = re.compile(rf"(?<![A-Za-z\\])d?(?P<name>[wW])\s*{_LAYER}")
_ACTIVE = re.compile(rf"(?<![A-Za-z\\])d?(?P<name>[aAhH])\s*{_LAYER}")
_SLOPE = re.compile(
    r"(?P<name>\\sigma|\\phi|\\varphi|(?<![A-Za-z\\])[gf]|ReLU|\\tanh)\s*(?:\\?['’′]|\^\s*\{?\s*\\prime)"
)
_DERIVED = re.compile(r"\\partial|\\nabla|∂|∇|\\delta|(?<![A-Za-z])d[A-Za-z]")
_PREDICTED = re.compile(r"\\hat\s*\{\s*[yY]\s*\}|\\hat\s+[yY]")
_INPUT = re.compile(r"(?<![A-Za-z\\])(?P<name>[xX])(?:\s*\^\s*\{?\s*(?:T|\\top)|(?![A-Za-z_^']))")
_LABEL = re.compile(r"(?<![A-Za-z\\{])(?P<name>[yY])(?![A-Za-z_^])")
MOST_LAYERS = 4


@dataclass(frozen=True)
class _Style:
    """How a text writes layers."""

    bracket: str
    last: bool

    def at(self, layer: int | str) -> str:
        """Return the mark of a layer: ``^{[2]}``, ``^{(L)}``, ``_2``."""
        if not self.bracket:
            return f"_{{{layer}}}"
        closing = "]" if self.bracket == "[" else ")"
        return f"^{{{self.bracket}{layer}{closing}}}"


def taken_layers(said: Sequence[TranscriptStatement]) -> Iterator[tuple[str, ...]]:
    """Yield the formulas of layers, and of a loss, that a text uses and nowhere defines.

    Parameters
    ----------
    said : sequence of TranscriptStatement
        The statements of the text.
    """
    formulas = [s.text for s in said if not s.code and equals_signs(s.text)]
    if any(s.code for s in said):
        return
    whole = "\n".join(formulas)
    by_score = list(_BY_SCORE.finditer(whole))
    weights = _WEIGHTS.search(whole)
    if not by_score or weights is None:
        return
    score = by_score[0]["score"]
    lefts = [row[: equals_signs(row)[0]] for row in formulas]
    plain = [left for left in lefts if _DERIVED.search(left) is None]
    if any(re.match(rf"[\s&]*{score}\s*[_^]", left) for left in plain):
        return
    style = _Style(by_score[0]["open"] or "", any(one["at"] == "L" for one in by_score))
    marks = [one["at"] or one["low"] for one in by_score]
    numbers = [int(mark) for mark in marks if mark.isdigit()]
    if not (style.last or numbers) or max(numbers, default=1) > MOST_LAYERS:
        return
    layers: list[int | str] = ["L"] if style.last else list(range(1, max(numbers) + 1))
    active = _ACTIVE.search(whole)
    names = _Names(
        score, weights["name"], active["name"] if active else ("A" if score == "Z" else "a"),
        _first(_INPUT, whole, "X" if score == "Z" else "x"), _first(_LABEL, whole, "y"),
    )  # fmt: skip
    yield from _forward_passes(whole, plain, style, layers, names)


@dataclass(frozen=True)
class _Names:
    """The letters of a text for what a layer has."""

    score: str
    weights: str
    active: str
    input: str
    label: str


def _forward_passes(
    whole: str,
    lefts: Sequence[str],
    style: _Style,
    layers: list[int | str],
    names: _Names,
) -> Iterator[tuple[str, ...]]:
    slope = _SLOPE.search(whole)
    inner = slope["name"] if slope is not None else "g"
    inner = r"\mathrm{ReLU}" if inner == "ReLU" else inner
    hat = _PREDICTED.search(whole)
    objective = named_in([whole])
    defined = any(re.match(rf"[\s&]*{re.escape(objective)}(?![A-Za-z])", left) for left in lefts)
    losses = (
        [("", "")]
        if defined or not objective
        else list(_losses(objective, names, hat, style, layers))
    )
    for (squash, loss), last in product(losses, (True, False)):
        column = names.score == "z" and names.input == "X" and not style.last
        rows = [r"X \in \mathbb{R}^{n \times 1}"] if column else []
        for layer in layers:
            before = "L-1" if layer == "L" else int(layer) - 1
            entering = names.active + style.at(before) if before else names.input
            ends = layer == layers[-1]
            output = hat[0] if hat and ends and last else names.active + style.at(layer)
            function = squash if ends and squash else inner
            at = style.at(layer)
            rows.append(f"{names.score}{at} = {names.weights}{at} {entering} + b{at}")
            inside = f"{names.score}{at}"
            rows.append(
                f"{output} = {inside}" if function == "id" else f"{output} = {function}({inside})"
            )
        yield (*rows, loss) if loss else tuple(rows)
        if hat is None:
            break


def _losses(
    objective: str,
    names: _Names,
    hat: re.Match[str] | None,
    style: _Style,
    layers: list[int | str],
) -> Iterator[tuple[str, str]]:
    """Yield the usual losses, each with the activation before it."""
    out = hat[0] if hat is not None else names.active + style.at(layers[-1])
    y = names.label
    shares = rf"{y} \odot \log {out}"
    both = rf"{shares} + (1 - {y}) \odot \log (1 - {out})"
    yield r"\sigma", f"{objective} = -sum({both})"
    if names.score == "Z":
        return
    yield r"\mathrm{softmax}", f"{objective} = -sum({shares})"
    yield "id", rf"{objective} = \frac12 \|{out} - {y}\|^2"
    yield r"\sigma", rf"{objective} = \frac12 \|{out} - {y}\|^2"


def _first(pattern: re.Pattern[str], whole: str, usual: str) -> str:
    found = pattern.search(whole)
    return found["name"] if found is not None else usual


__all__ = ["taken_layers"]
