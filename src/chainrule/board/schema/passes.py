"""Errors, formulas, forward passes and derivations, as JSON has them."""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.board.schema.kinds import Shape


@dataclass(frozen=True)
class Mend:
    """A repair that reads: replace `length` characters at (line, column) by `text`."""

    label: str
    line: int
    column: int
    length: int
    text: str


@dataclass(frozen=True)
class Failure:
    """A typed error; line and column count from 1, and 0 means none."""

    kind: str
    message: str
    line: int = 0
    column: int = 0
    source: str = ""
    mend: Mend | None = None


@dataclass(frozen=True)
class Formula:
    """An expression in four media; `mathml` is a fragment for the inside of ``<math>``."""

    text: str
    latex: str
    mathml: str
    spoken: str


@dataclass(frozen=True)
class Line:
    """An equation; `mathml` is a whole ``<math>`` element. No right side: ``= ?``."""

    left: Formula | None
    right: Formula | None
    mathml: str
    spoken: str
    text: str


@dataclass(frozen=True)
class NamedShape:
    """A name and its shape."""

    name: str
    shape: Shape


@dataclass(frozen=True)
class ReadArgs:
    """The text of a forward pass."""

    text: str


@dataclass(frozen=True)
class Input:
    """An input of a forward pass; `assumed` is the reason for a shape that nobody declared."""

    name: str
    shape: Shape
    note: str
    role: str
    assumed: str
    math: Formula


@dataclass(frozen=True)
class ForwardLine:
    """A definition of a forward pass; `line` is its number in the text.

    `summed` is a number as a sum over entries, as a lecture writes the cost; None where it is none.
    """

    name: str
    shape: Shape
    line: int
    math: Line
    note: str
    summed: Line | None = None


@dataclass(frozen=True)
class Forward:
    """A forward pass as it was read."""

    title: str
    objective: str
    inputs: tuple[Input, ...]
    lines: tuple[ForwardLine, ...]
    functions: tuple[str, ...]
    asked: tuple[str, ...]
    can_ask: tuple[str, ...]
    reading: tuple[str, ...]
    dims: tuple[str, ...]


@dataclass(frozen=True)
class DeriveArgs:
    """A forward pass, the variables, and the order of the derivative: 1 or 2."""

    text: str
    wrt: tuple[str, ...] = ()
    order: int = 1


@dataclass(frozen=True)
class ReasonInfo:
    """One use of a derivative rule."""

    rule: str
    because: str


@dataclass(frozen=True)
class Check:
    """The certificate of a step."""

    method: str
    points: int
    error: float
    sentence: str
    exact: bool


@dataclass(frozen=True)
class Origin:
    """The origin of one node of a line: its path there and its path in the line before."""

    path: str
    origin: str | None
    kind: str
    rule: str


@dataclass(frozen=True)
class StepInfo:
    """One line of a derivation.

    `section` counts from 0; `previous` is the id of the step whose right side is `before`, or 0.
    """

    id: int
    phase: str
    rule: str
    section: int
    forms: tuple[str, ...]
    brief: bool
    line: Line
    question: Line | None
    before: Formula | None
    why: str
    reasons: tuple[ReasonInfo, ...]
    shapes: tuple[NamedShape, ...]
    check: Check | None
    concludes: bool
    previous: int
    provenance: tuple[Origin, ...]
    symbols: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class SectionInfo:
    """A heading and the ids of its steps."""

    title: str
    steps: tuple[int, ...]


@dataclass(frozen=True)
class GradientLine:
    """A gradient in the shape of its variable, and one entry of it."""

    name: str
    shape: Shape
    layer: bool
    line: Line
    index: Line | None
    why_no_matrix: str


@dataclass(frozen=True)
class DerivationInfo:
    """A derivation with every line typeset.

    `faulty` is a short transcript of it with one wrong sign, to try an audit with.
    """

    forward: Forward
    sections: tuple[SectionInfo, ...]
    steps: tuple[StepInfo, ...]
    gradients: tuple[GradientLine, ...]
    cache: tuple[str, ...]
    corners: tuple[str, ...]
    proven: bool
    summary: str
    faulty: str
