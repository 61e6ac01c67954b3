"""Numbers, graphs and the answers to why, as JSON has them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from chainrule.board.schema.kinds import Matrix, Shape
from chainrule.board.schema.passes import Check, Formula, Line, NamedShape, ReasonInfo


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
