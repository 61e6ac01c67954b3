"""The data of the calls: what goes in and what comes out, one dataclass each.

Everything here is plain: strings, numbers, tuples, dictionaries and other dataclasses of this file.
`coding` turns them into JSON and back, and `typescript` emits the types of the front end.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Shape: TypeAlias = tuple[str, ...]
Matrix: TypeAlias = tuple[tuple[float | None, ...], ...]
"""Rows of numbers; None for a value that is not finite."""

Verdict = Literal["correct", "correct_other_form", "wrong", "wrong_shape", "unreadable", "unsure"]


# ---- errors and formulas -------------------------------------------------------------------------


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


# ---- the forward pass ----------------------------------------------------------------------------


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
    """A definition of a forward pass; `line` is its number in the text."""

    name: str
    shape: Shape
    line: int
    math: Line
    note: str


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


# ---- the derivation ------------------------------------------------------------------------------


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
    """A derivation with every line typeset."""

    forward: Forward
    sections: tuple[SectionInfo, ...]
    steps: tuple[StepInfo, ...]
    gradients: tuple[GradientLine, ...]
    cache: tuple[str, ...]
    corners: tuple[str, ...]
    proven: bool
    summary: str


# ---- numbers, graph, why -------------------------------------------------------------------------


@dataclass(frozen=True)
class PointArgs:
    """A forward pass at a point; inputs that are missing are drawn by the seed."""

    text: str
    wrt: tuple[str, ...] = ()
    order: int = 1
    inputs: dict[str, Matrix] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    chosen: dict[str, int] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True)
class StepNumber:
    """The value of one line at the chosen place; None where it is not finite."""

    id: int
    value: float | None
    term: float | None
    dims: tuple[str, ...]


@dataclass(frozen=True)
class Numbers:
    """Every value at a point."""

    sizes: dict[str, int]
    chosen: dict[str, int]
    inputs: dict[str, Matrix]
    values: dict[str, Matrix]
    gradients: dict[str, Matrix]
    steps: tuple[StepNumber, ...]


@dataclass(frozen=True)
class GraphNode:
    """An input or a value of the forward pass; `layer` is the longest path from the inputs."""

    id: str
    kind: Literal["input", "value", "objective"]
    role: str
    math: Formula
    line: Line | None
    shape: Shape
    value: Matrix
    gradient: Matrix | None
    gradient_line: Line | None
    layer: int
    group: str


@dataclass(frozen=True)
class GraphEdge:
    """A use of `source` in the definition of `target`, with the factor of the chain rule."""

    source: str
    target: str
    factor: Line | None
    number: float | None
    differentiated: bool


@dataclass(frozen=True)
class GraphGroup:
    """Nodes that fold together: one layer of a network."""

    id: str
    title: str
    nodes: tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """The forward pass as a graph, with the order of the forward and of the reverse sweep."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[GraphEdge, ...]
    forward: tuple[str, ...]
    backward: tuple[tuple[str, ...], ...]
    groups: tuple[GraphGroup, ...]
    sizes: dict[str, int]
    chosen: dict[str, int]


@dataclass(frozen=True)
class WhyArgs:
    """A step, and a node of its line by side and path; without a path the whole line."""

    text: str
    step: int
    path: str | None = None
    side: Literal["left", "right"] = "right"
    wrt: tuple[str, ...] = ()
    order: int = 1
    inputs: dict[str, Matrix] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    chosen: dict[str, int] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True)
class OriginCard:
    """The origin of a node: what became of which part of the line before, by which rule."""

    kind: str
    rule: str
    step: int
    path: str | None
    formula: Formula | None
    sentence: str


@dataclass(frozen=True)
class NodeNumbers:
    """The value of a node at the point of the example."""

    value: Matrix
    sizes: dict[str, int]
    sentence: str


@dataclass(frozen=True)
class Card:
    """The answer to "why?" for a line, a symbol, an operator or a factor."""

    kind: Literal["line", "symbol", "operator", "factor", "number"]
    title: str
    rule: str
    reason: str
    node: Formula | None
    shape: Shape | None
    shapes: tuple[NamedShape, ...]
    meaning: Line | None
    note: str
    reasons: tuple[ReasonInfo, ...]
    origin: OriginCard | None
    check: Check | None
    numbers: NodeNumbers | None


# ---- answers -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class UnderstoodArgs:
    """A formula while it is typed."""

    text: str
    typed: str
    wrt: str = ""


@dataclass(frozen=True)
class Understood:
    """The formula that was read; says nothing on whether it is right."""

    ok: bool
    math: Formula | None
    shape: Shape | None
    message: str
    column: int


@dataclass(frozen=True)
class GradeArgs:
    """An answer to "what is the gradient with respect to `wrt`?"."""

    text: str
    wrt: str
    answer: str
    reveal: bool = False


@dataclass(frozen=True)
class MistakeInfo:
    """A mistake that reproduces a wrong answer."""

    name: str
    step: str
    message: str


@dataclass(frozen=True)
class TwoNumbers:
    """The right value and the answer's value at one place."""

    right: float | None
    yours: float | None


@dataclass(frozen=True)
class GradeInfo:
    """The verdict on an answer; `short_form` is empty unless it was asked for."""

    verdict: Verdict
    correct: bool
    said: str
    lines: tuple[str, ...]
    understood: Formula | None
    understood_text: str
    shape: Shape | None
    method: str
    mistakes: tuple[MistakeInfo, ...]
    numbers: TwoNumbers | None
    short_form: str


@dataclass(frozen=True)
class AuditArgs:
    """A transcript, and the forward pass where it has none of its own."""

    transcript: str
    text: str = ""


@dataclass(frozen=True)
class LineVerdict:
    """The verdict on one line of a transcript."""

    line: int
    text: str
    verdict: str
    accused: bool
    why: str
    mistakes: tuple[MistakeInfo, ...]
    right: str
    sign: int
    numbers: TwoNumbers | None


@dataclass(frozen=True)
class AuditInfo:
    """The verdicts on a transcript; `source` is all of its lines."""

    convention: str
    forward: Forward
    lines: tuple[LineVerdict, ...]
    source: tuple[str, ...]


# ---- practice ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AnswerRecord:
    """One answered question, as the history holds it."""

    exercise: str
    kind: str
    seed: int
    rules: tuple[str, ...]
    right: bool
    hints: int = 0
    at: str = ""


@dataclass(frozen=True)
class QuestionArgs:
    """The history so far, and the choice of exercises."""

    history: tuple[AnswerRecord, ...] = ()
    seed: int = 0
    topic: str = ""
    level: str = ""
    kinds: tuple[str, ...] = ()
    exercise: str = ""
    skip: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """A block of a question: ``prose``, ``equation``, ``code`` or ``forward``."""

    type: Literal["prose", "equation", "code", "forward"]
    text: str = ""
    line: Line | None = None
    label: str = ""
    note: str = ""
    forward: Forward | None = None


@dataclass(frozen=True)
class QuestionInfo:
    """A question; `ticket` names it, so that the same question can be made again."""

    ticket: str
    exercise: str
    title: str
    kind: str
    task: str
    why: str
    forward: Block
    prompt: tuple[Block, ...]
    options: tuple[Block, ...]
    reader: str
    choices: tuple[str, ...]
    hints: int
    rules: tuple[str, ...]
    text: str
    wrt: str


@dataclass(frozen=True)
class ReplyArgs:
    """An answer to the question of a ticket, after so many hints."""

    ticket: str
    answer: str
    hints: int = 0


@dataclass(frozen=True)
class ReplyInfo:
    """The judgement of an answer; `record` joins the history at the first readable answer."""

    right: bool
    read: bool
    message: str
    lines: tuple[str, ...]
    understood: str
    understood_math: Formula | None
    credit: float
    record: AnswerRecord | None


@dataclass(frozen=True)
class HintArgs:
    """Hint number 1, 2 or 3 of a question."""

    ticket: str
    number: int


@dataclass(frozen=True)
class HintInfo:
    """A hint."""

    hint: tuple[Block, ...]
    last: bool


@dataclass(frozen=True)
class ShowArgs:
    """The ticket of a question whose solution is wanted."""

    ticket: str
    hints: int = 0


@dataclass(frozen=True)
class Solution:
    """The solution; `record` counts the question as missed."""

    solution: tuple[Block, ...]
    record: AnswerRecord


@dataclass(frozen=True)
class ProgressArgs:
    """The history."""

    history: tuple[AnswerRecord, ...] = ()


@dataclass(frozen=True)
class RuleProgress:
    """The spaced-repetition box of one rule."""

    rule: str
    box: int
    seen: int
    missed: int


@dataclass(frozen=True)
class Progress:
    """What the history says."""

    rules: tuple[RuleProgress, ...]
    answered: int
    right: int


@dataclass(frozen=True)
class NoArgs:
    """No arguments."""


@dataclass(frozen=True)
class NamedTitle:
    """A name and its title."""

    name: str
    title: str


@dataclass(frozen=True)
class TopicInfo:
    """A topic of the bank."""

    name: str
    title: str
    level: str
    exercises: tuple[NamedTitle, ...]


@dataclass(frozen=True)
class Topics:
    """The bank, and the kinds of question."""

    topics: tuple[TopicInfo, ...]
    kinds: tuple[NamedTitle, ...]


# ---- gallery, training, downloads ----------------------------------------------------------------


@dataclass(frozen=True)
class GalleryItem:
    """A forward pass to start from."""

    id: str
    title: str
    text: str
    level: str


@dataclass(frozen=True)
class GalleryGroup:
    """A heading and its forward passes."""

    title: str
    items: tuple[GalleryItem, ...]


@dataclass(frozen=True)
class DataInfo:
    """The data set that ships: its features and the names of its two classes."""

    name: str
    features: tuple[str, ...]
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Gallery:
    """Forward passes to start from, and the data set that ships."""

    groups: tuple[GalleryGroup, ...]
    data: DataInfo


@dataclass(frozen=True)
class TrainArgs:
    """Two features and 0/1 labels, or two columns of the data set that ships.

    `C` is the inverse regularisation strength, as in scikit-learn; `batch` 0 means all examples.
    """

    columns: tuple[int, ...] = ()
    features: tuple[tuple[float, ...], ...] = ()
    labels: tuple[int, ...] = ()
    rate: float = 0.5
    steps: int = 200
    batch: int = 0
    seed: int = 0
    C: float = 1.0
    newton_steps: int = 12


@dataclass(frozen=True)
class Points:
    """Standardised features and labels."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    label: tuple[int, ...]


@dataclass(frozen=True)
class Scale:
    """The mean and the standard deviation of each feature."""

    mean: tuple[float, ...]
    sd: tuple[float, ...]


@dataclass(frozen=True)
class TrainingPath:
    """The iterates of a method; `gap` is an upper bound of the distance of `cost` to the optimum.

    `gradient` holds the Euclidean norm of the gradient.
    """

    w: tuple[tuple[float, ...], ...]
    b: tuple[float, ...]
    cost: tuple[float | None, ...]
    gap: tuple[float | None, ...]
    gradient: tuple[float | None, ...]
    right: int
    diverged: bool


@dataclass(frozen=True)
class Optimum:
    """The best point found, with a bound on its distance to the optimum and the reason for it."""

    w: tuple[float, ...]
    b: float
    cost: float
    bound: float | None
    sentence: str
    method: str


@dataclass(frozen=True)
class Training:
    """Gradient descent and Newton's method on one problem."""

    m: int
    text: str
    features: tuple[str, ...]
    classes: tuple[str, ...]
    scale: Scale
    points: Points
    gradient: TrainingPath
    newton: TrainingPath
    optimum: Optimum


@dataclass(frozen=True)
class CertifyArgs:
    """The same problem for the engine."""

    columns: tuple[int, ...] = ()
    features: tuple[tuple[float, ...], ...] = ()
    labels: tuple[int, ...] = ()
    C: float = 1.0


@dataclass(frozen=True)
class CertificateInfo:
    """The fit of the engine with its certificate."""

    certificate: str
    lines: tuple[str, ...]
    w: tuple[float, ...]
    b: float
    cost: float
    bound: float | None


@dataclass(frozen=True)
class ExportArgs:
    """A derivation to download."""

    text: str
    to: Literal["html", "latex", "json", "text", "javascript", "numpy"]
    wrt: tuple[str, ...] = ()
    order: int = 1


@dataclass(frozen=True)
class Download:
    """A file for the browser to save."""

    name: str
    type: str
    content: str


@dataclass(frozen=True)
class Opened:
    """The forward pass that the board was started with; empty where there is none."""

    name: str
    text: str
