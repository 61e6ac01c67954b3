"""Shapes with open sizes, and the rules by which the parts of a forward pass bind them.

A size is known, or a variable that stands for a size other than 1; whether a name is a number, a
column, a row or a matrix is chosen before (`inference`), so that every rule has one outcome.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from chainrule.calculus.graph.dims import Dim, Shape, base_names
from chainrule.language.reading.examples import flipped, letter_of
from chainrule.language.reading.functions import CHOICE, children, parts_of
from chainrule.language.reading.tree import (
    Blocks,
    Bracket,
    Call,
    Chain,
    Compared,
    Fence,
    Indexed,
    Literal,
    Minus,
    Name,
    Node,
    Ones,
    Power,
    Summation,
    Transposed,
)
from chainrule.language.reading.words import ENTRYWISE, LARGER, PAIRS, REDUCTIONS, WHOLE


@dataclass(frozen=True, slots=True)
class OpenSize:
    """A size that is not known yet; it is not 1."""

    name: str
    axis: int


Term: TypeAlias = Dim | OpenSize
OpenShape: TypeAlias = tuple[Term, ...]

ReadShape: TypeAlias = Callable[..., Shape]
"""Finds a shape from a part of a line and the shapes of its names, or raises the errors below."""

NUMBER: OpenShape = (1, 1)
SPREAD = 2
"""How unlikely it is that a product or a difference repeats one of its operands."""

NOT_SHARED = 6
"""How unlikely it is that what all examples share has an entry per example."""

_ALIKE = frozenset({"softmax", "log_softmax", "logsoftmax"})
_OF_THE_FIRST = frozenset(
    {"layer_norm", "batch_norm", "rms_norm", "group_norm", "masked_softmax", "causal_softmax"}
    | {"cumsum", "sort", "topk", "top_mask", "tril", "triu", "ceil", "clip", "clamp", "elu"}
    | {"selu", "gelu_tanh", "hardtanh", "relu6", "leaky_relu", "leakyrelu", "mish", "softplus"}
    | {"swish", "prelu"}
)
"""Functions whose value has the shape of their first argument."""

_OF_BOTH = frozenset({"dropout", "hinge", "sort_by", "unsort_by"})
"""Functions of two arguments of one shape, which their value has, too."""

_PAIRED = frozenset({"cross_entropy", "multiclass_hinge", "cosine", "kl_gaussian"})
_SQUARE = frozenset({"trace", "tr", "Tr", "det", "logdet"})


OUTER = frozenset({".+", ".-"})
"""Sums that repeat both operands."""


class ClashError(Exception):
    """The shapes chosen do not fit."""


class BeyondError(Exception):
    """A part whose shape this inference does not follow."""


@dataclass
class Solution:
    """State of the unification: the shapes of names, and the sizes that variables stand for."""

    shapes: dict[str, OpenShape]
    bound: dict[OpenSize, Term] = field(default_factory=dict)
    cost: int = 0

    def branch(self, shapes: Mapping[str, OpenShape], cost: int) -> Solution:
        """Return a copy with more names."""
        return Solution({**self.shapes, **shapes}, dict(self.bound), self.cost + cost)

    def root(self, term: Term) -> Term:
        """Follow a variable to what it stands for."""
        while isinstance(term, OpenSize) and term in self.bound:
            term = self.bound[term]
        return term

    def resolved(self, shape: OpenShape) -> OpenShape:
        """Return a shape with its variables followed."""
        return tuple(map(self.root, shape))

    def equal(self, first: Term, second: Term) -> Term:
        """Make two sizes equal."""
        first, second = self.root(first), self.root(second)
        if first == second:
            return first
        if isinstance(first, OpenSize) and second != 1:
            self.bound[first] = second
            return second
        if isinstance(second, OpenSize) and first != 1:
            self.bound[second] = first
            return first
        raise ClashError

    def same(self, first: OpenShape, second: OpenShape) -> OpenShape:
        """Make two shapes equal."""
        if len(first) != len(second):
            raise ClashError
        return tuple(self.equal(a, b) for a, b in zip(first, second, strict=True))

    def meeting(self, first: OpenShape, second: OpenShape, spread: int = 0) -> OpenShape:
        """Return the shape of two operands entry by entry.

        `spread` is how unlikely it is that one of them is repeated, as a bias is.
        """
        first, second = self.resolved(first), self.resolved(second)
        if first == NUMBER or second == NUMBER:
            return second if first == NUMBER else first
        if len(first) != 2 or len(second) != 2:
            raise BeyondError
        rows, columns = (
            b if a == 1 else a if b == 1 else self.equal(a, b)
            for a, b in zip(first, second, strict=True)
        )
        rows, columns = self.root(rows), self.root(columns)
        if (rows, columns) not in (self.resolved(first), self.resolved(second)):
            raise ClashError  # a row and a column would make a table
        if self.resolved(first) != self.resolved(second):
            self.cost += spread
        return rows, columns

    def product(self, first: OpenShape, second: OpenShape) -> OpenShape:
        """Return the shape of a matrix product; a number scales."""
        first, second = self.resolved(first), self.resolved(second)
        if first == NUMBER or second == NUMBER:
            return second if first == NUMBER else first
        if len(first) != 2 or len(second) != 2:
            raise BeyondError
        self.equal(first[1], second[0])
        return first[0], second[1]


def has_example(node: Node) -> bool:
    """Whether a part holds a column or an entry of an example, sums over it apart."""
    if isinstance(node, Summation):
        return False
    if isinstance(node, Name):
        return node.example
    return any(has_example(part) for part in children(node))


@dataclass(frozen=True)
class Body:
    """The body of a function that the forward pass defines."""

    parameters: tuple[str, ...]
    node: Node


@dataclass(frozen=True)
class Shaper:
    """Finds the shape of a part in one solution, which it extends."""

    solution: Solution
    numbers: frozenset[str] = frozenset()
    functions: Mapping[str, Body] = field(default_factory=dict)
    turned: frozenset[str] = frozenset()  # names with one example a row, among such with columns
    letters: dict[str, Term] = field(default_factory=dict)  # what indices of entries run over
    reading: ReadShape | None = None

    def shape(self, node: Node) -> OpenShape:
        """Return the shape of a part.

        Raises
        ------
        ClashError
            Where its operands do not fit.
        BeyondError
            Where its shape is not followed here.
        """
        try:
            return self.followed(node)
        except BeyondError:
            return self.read(node)

    def read(self, node: Node) -> OpenShape:
        """Return the shape of a part that no rule here follows: it is read with what is known.

        A size that is still open stays so, as a name that nothing else has.
        """
        names = {part.name for part in parts_of(node) if isinstance(part, Name)}
        names -= self.numbers - self.solution.shapes.keys()
        if self.reading is None or self.letters or self.turned or has_example(node):
            raise BeyondError
        if not names <= self.solution.shapes.keys():
            raise BeyondError
        opened: dict[str, OpenSize] = {}

        def closed(term: Term) -> Dim:
            term = self.solution.root(term)
            if not isinstance(term, OpenSize):
                return term
            opened[f"{term.name}·{term.axis}"] = term
            return f"{term.name}·{term.axis}"

        shapes = {name: tuple(map(closed, self.solution.shapes[name])) for name in names}
        found = self.reading(node, shapes)
        if any(dim not in opened and opened.keys() & base_names(dim) for dim in found):
            raise BeyondError  # a size computed from one that is open
        return tuple(opened.get(dim, dim) if isinstance(dim, str) else dim for dim in found)

    def followed(self, node: Node) -> OpenShape:
        """Return the shape of a part by the rules of this class."""
        known = self.solution
        match node:
            case Literal():
                return NUMBER
            case Name():
                if node.name in known.shapes:
                    found = known.resolved(known.shapes[node.name])
                    if node.example and found == NUMBER:
                        raise ClashError
                    return (found[1], found[0]) if self.is_turned(node) else found
                if node.name in self.numbers:
                    return NUMBER
                raise BeyondError(node.name)
            case Bracket():
                return self.shape(node.inner)
            case Minus():
                return self.shape(node.operand)
            case Chain():
                return self.chain(node)
            case Power(base=Name(name="e")) if "e" not in known.shapes:
                return self.shape(node.exponent)
            case Power():
                return self.shape(node.base)
            case Transposed():
                if isinstance(node.operand, Ones):
                    raise BeyondError
                *outer, rows, columns = self.shape(node.operand)
                return (*outer, columns, rows)
            case Fence():
                inner = self.shape(node.inner)
                return NUMBER if node.norm else inner
            case Compared():
                return known.meeting(self.shape(node.left), self.shape(node.right))
            case Summation():
                return self.summed(node)
            case Indexed(base=Name(name=name)):
                return self.entry(node, name)
            case Call():
                return self.call(node)
            case Blocks():
                return self.blocks(node)
            case _:
                raise BeyondError

    def blocks(self, node: Blocks) -> OpenShape:
        """Return the shape of blocks: those below each other have the same columns."""
        known = self.solution
        alone: list[OpenShape] = []  # a number is as long as its neighbours
        for line in node.lines:
            shapes = [shape for shape in map(self.shape, line) if shape != NUMBER]
            for other in shapes[1:]:
                known.equal(shapes[0][0], other[0])
            alone += shapes if len(line) == 1 else []
        for other in alone[1:]:
            known.equal(alone[0][1], other[1])
        raise BeyondError  # its size is added up where it is read

    def chain(self, node: Chain) -> OpenShape:
        """Return the shape of a chain, from the left."""
        from chainrule.language.reading.syntax import MATRIX

        known = self.solution
        rest = list(node.rest)
        found: OpenShape
        if isinstance(node.first, Transposed) and isinstance(node.first.operand, Ones) and rest:
            found = 1, self.shape(rest.pop(0).operand)[1]
        else:
            found = self.shape(node.first)
        for joined in rest:
            if isinstance(joined.operand, Ones):
                found = known.resolved(found)[0], 1
                continue
            right = self.shape(joined.operand)
            if joined.operator in OUTER:
                found = self.outer(found, right)
                continue
            if node.level == MATRIX or joined.operator in ("@", "·", ""):
                found = known.product(found, right)
            else:
                if joined.operator == "-" and not isinstance(node.first, Literal):
                    known.cost += SPREAD * (NUMBER in (found, right) and found != right)
                found = known.meeting(found, right, 0 if joined.operator == "+" else SPREAD)
        if node.level == MATRIX and known.resolved(found) == NUMBER and has_example(node):
            raise ClashError  # w^T x_i differs from example to example
        return found

    def outer(self, first: OpenShape, second: OpenShape) -> OpenShape:
        """Return the shape of a sum in which a row and a column make a table."""
        known = self.solution
        first, second = known.resolved(first), known.resolved(second)
        if len(first) != 2 or len(second) != 2:
            raise BeyondError
        pairs = zip(first, second, strict=True)
        return tuple(b if a == 1 else a if b == 1 else known.equal(a, b) for a, b in pairs)

    def of_examples(self, node: Node, high: Node | None = None) -> Shaper:
        """Return the shaper of a formula of all examples."""
        names = {part.name for part in parts_of(node) if isinstance(part, Name) and part.example}
        known = self.solution
        shapes = {n: known.resolved(known.shapes[n]) for n in names if n in known.shapes}
        length: Term | None = high.name if isinstance(high, Name) else None
        if length not in {term for shape in shapes.values() for term in shape}:
            length = None
        turned = flipped(shapes, length)
        tables = [shape for shape in shapes.values() if len(shape) == 2]
        if any(rows == 1 and columns != 1 for rows, columns in tables):
            known.cost += SPREAD * sum(shapes[name][1] == 1 for name in turned)
        return replace(self, turned=turned)

    def is_turned(self, node: Name) -> bool:
        """Whether the matrix that a name stands for has one example per row."""
        return node.example and node.name in self.turned

    def summed(self, node: Summation) -> OpenShape:
        """Return the shape of a sum over indices: a number."""
        known, high = self.solution, node.high
        while isinstance(high, Bracket):
            high = high.inner
        end = high.name if isinstance(high, Name) and high.name in self.numbers else None
        if any(isinstance(part, Indexed) for part in parts_of(node.body)):
            own: dict[str, Term] = {n: end or OpenSize(f"{n} {id(node)}", 0) for n in node.indices}
            if replace(self, letters={**self.letters, **own}).shape(node.body) != NUMBER:
                raise ClashError
            return NUMBER
        rows, columns = known.resolved(self.of_examples(node.body, high).shape(node.body))
        if 1 not in (rows, columns):
            raise ClashError
        if end is not None and (rows, columns) != NUMBER:
            known.equal(columns if rows == 1 else rows, end)
        self.weigh_shared(node.body, columns if rows == 1 else rows)
        return NUMBER

    def weigh_shared(self, node: Node, count: Term) -> None:
        """Make it unlikely that what all examples share has an entry per example."""
        known = self.solution
        shared = {
            part.name
            for part in parts_of(node)
            if isinstance(part, Name) and not part.example and part.name in known.shapes
        }
        count = known.root(count)
        if count != 1:
            counted = [known.resolved(known.shapes[name]) for name in shared]
            known.cost += NOT_SHARED * sum(count in shape for shape in counted)

    def entry(self, node: Indexed, name: str) -> OpenShape:
        """Return the shape of an entry; its indices run over the sizes of its matrix."""
        known = self.solution
        if name not in known.shapes:
            raise BeyondError(name)
        shape = known.resolved(known.shapes[name])
        free = [axis for axis in (0, 1) if shape[axis] != 1]
        letters = [letter for part in node.places if (letter := letter_of(part)) is not None]
        if len(free) != len(letters):
            raise ClashError
        for axis, letter in zip(free, letters, strict=True):
            if letter not in self.letters:
                raise BeyondError(letter)
            known.equal(self.letters[letter], shape[axis])
        return NUMBER

    def call(self, node: Call) -> OpenShape:
        """Return the shape of a function applied."""
        word, known = node.function, self.solution
        if word in self.functions:
            return self.own(node, self.functions[word])
        if word == CHOICE and len(node.arguments) == 3:
            condition, one, other = map(self.shape, node.arguments)
            return known.meeting(condition, known.meeting(one, other))
        shapes = [self.shape(argument) for argument in node.arguments[:2]]
        if word in _OF_THE_FIRST:
            return shapes[0]
        if word in _OF_BOTH and len(shapes) == 2:
            return known.same(*shapes)
        if word in LARGER and len(shapes) == 2 and not node.options:
            return known.meeting(shapes[0], shapes[1])
        if word in PAIRS and len(shapes) == 2:
            return (known.product if PAIRS[word] == "@" else known.meeting)(shapes[0], shapes[1])
        if word in _PAIRED and len(shapes) == 2:
            known.same(*shapes)
            return NUMBER
        if word == "norm" and not node.options:
            return NUMBER
        if len(shapes) != 1:
            raise BeyondError
        (inner,) = shapes
        if word in ENTRYWISE or word in _ALIKE:
            return inner
        if word in REDUCTIONS:
            return self.reduced(node, inner)
        if word in _SQUARE:
            known.equal(*inner)
            return NUMBER
        if word in ("inv", "inverse"):
            known.equal(*inner)
            return inner
        if word in WHOLE and word == "transpose":
            return inner[1], inner[0]
        raise BeyondError

    def reduced(self, node: Call, inner: OpenShape) -> OpenShape:
        """Return the shape of a reduction: a number, or along an axis."""
        for option, value in node.options:
            if option != "axis":
                continue
            if len(inner) != 2:
                raise BeyondError
            if isinstance(value, Minus) or not isinstance(value, Literal):
                raise BeyondError
            return (1, inner[1]) if value.value == 0 else (inner[0], 1)
        return NUMBER

    def own(self, node: Call, body: Body) -> OpenShape:
        """Return the shape of a function of the author's."""
        shapes = dict(zip(body.parameters, map(self.shape, node.arguments), strict=False))
        before = self.solution.shapes
        self.solution.shapes = {**before, **shapes}
        try:
            return self.shape(body.node)
        finally:
            self.solution.shapes = before
