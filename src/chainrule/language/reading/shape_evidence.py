"""Evidence for the shape of a name, from its spelling and its position."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

from chainrule.calculus.graph.dims import Shape
from chainrule.language.reading.declarations import ShapeKind
from chainrule.language.reading.examples import letter_of
from chainrule.language.reading.functions import children, parts_of
from chainrule.language.reading.syntax import MATRIX, SUM
from chainrule.language.reading.tree import (
    Bracket,
    Call,
    Chain,
    Fence,
    Indexed,
    Literal,
    Minus,
    Name,
    Node,
    Power,
    Summation,
    Transposed,
)
from chainrule.language.reading.unification import NUMBER, has_example

DATA = re.compile(r"(?:x|X|Phi|phi)(?:[_^\d].*)?")
WEIGHTS = re.compile(r"(?:W|V|U|w|v|u|Theta|theta)(?:[_^\d].*)?$")
LABEL = re.compile(r"(?:y|Y|t)(?:[_^\d].*)?")


@dataclass
class ShapeEvidence:
    """Evidence that a name is a vector, or the bias of a layer."""

    long: set[str] = field(default_factory=set)  # declared, and no numbers
    vectors: set[str] = field(default_factory=set)
    rows: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)  # with two indices
    marked: set[str] = field(default_factory=set)  # with an example above
    alone: set[str] = field(default_factory=set)  # the label of one example
    biases: set[str] = field(default_factory=set)  # b of W A + b

    @classmethod
    def of(
        cls, known: Mapping[str, Shape], kinds: Mapping[str, ShapeKind], nodes: Iterable[Node]
    ) -> ShapeEvidence:
        """Gather what definitions say of the names that are neither known nor of a kind."""
        long = {name for name, shape in known.items() if shape != NUMBER}
        long |= {name for name, kind in kinds.items() if kind is not ShapeKind.SCALAR}
        found = cls(long)
        for node in nodes:
            found.entries(node)
            found.gather(node)
        return found

    def entries(self, node: Node) -> None:
        """Note the vectors of entries whose index counts columns: γ_j beside x_ij."""
        found = [part for part in parts_of(node) if isinstance(part, Indexed)]
        second = {letter_of(part.places[1]) for part in found if len(part.places) == 2}
        first = {letter_of(part.places[0]) for part in found if len(part.places) == 2}
        for part in parts_of(node):
            if isinstance(part, Summation):
                first |= set(part.indices)  # W_ij x_j under a sum over j: x may stand
        for part in found:
            if len(part.places) == 1 and letter_of(part.places[0]) in second - first:
                self.rows |= {part.base.name} if isinstance(part.base, Name) else set()

    def gather(self, node: Node) -> None:
        """Take a node and all below it; what has no index under a sum is likely a number."""
        self.take(node)
        for part in children(node):
            self.gather(part)
        if isinstance(node, Summation):
            self.numbers |= set(listed(node.body)) - self.vectors - self.rows - self.tables

    def about(self, name: str) -> str:
        """Return which order of likelihood a name has."""
        if name in self.marked:
            return "marked label" if LABEL.fullmatch(name) else "marked"
        if name in self.alone - self.vectors - self.tables:
            return "alone"
        letter = re.sub(r"^(?:bf|bm)", "", name)[:1]
        if letter.isupper() or re.match(r"(?:Gamma|Delta|Theta|Lambda|Sigma|Phi|Psi|Omega)", name):
            return "label" if LABEL.fullmatch(name) else "capital"
        if name in self.tables:
            return "capital"
        if name in self.numbers:
            return "number"
        if name in self.rows:
            return "row"
        if name in self.biases:
            return "bias"
        return "vector" if name in self.vectors else "number"

    def take(self, node: Node) -> None:
        """Note what one part says about the names in it."""
        match node:
            case Name(example=True):
                (self.marked if node.marked else self.vectors).add(node.name)
            case Indexed(base=Name(name=name)):
                (self.vectors if len(node.places) == 1 else self.tables).add(name)
            case Transposed(operand=Name(name=name)):
                self.vectors.add(name)
            case Fence(norm=True, inner=inner):
                self.vectors |= set(listed(inner))
            case Call(function=word, arguments=arguments) if word in _GATHERING:
                for argument in arguments[:2]:
                    self.vectors |= set(_entries(argument))
            case Chain(level=level) if level == MATRIX:
                self.scaled(node)
                operands = [node.first, *(joined.operand for joined in node.rest)]
                direct = [_direct(operand) for operand in operands]
                for (left, right), after in zip(pairwise(direct), operands[1:], strict=True):
                    if not has_example(after) or (left or "")[:1] == "w":
                        self.beside(left, right)
                for operand, after, behind in zip(operands, operands[1:], direct[1:], strict=False):
                    turned = isinstance(operand, Transposed)
                    if has_example(after) and (turned or (_direct(operand) or "")[:1].isupper()):
                        self.tables |= {n.name for n in _examples(after)}  # w^T x_i, W x_i
                    elif turned and behind and not _is_greek(behind):
                        self.vectors.add(behind)  # w^T x
                explicit = any(joined.operator == "@" for joined in node.rest)
                if explicit or any(name and name[0].isupper() for name in direct):
                    self.vectors |= {name for name in direct if name and not _is_greek(name)}
            case Chain(level=level) if level == SUM:
                self.bias(node)
            case Chain():
                dotted = [joined for joined in node.rest if joined.operator == ".*"]
                if dotted:
                    operands = [node.first, *(joined.operand for joined in dotted)]
                    self.vectors |= {n for n in map(_direct, operands) if n}

    def scaled(self, node: Chain) -> None:
        """Note the label of ``y log(a)``, which is a number: an inner product has a transpose."""
        operands = [node.first, *(joined.operand for joined in node.rest)]
        for left, right in pairwise(operands):
            label = left.inner if isinstance(left, Bracket) else left
            logarithm = isinstance(right, Call) and right.function in ("log", "ln")
            if isinstance(label, Name) and not label.example and logarithm:
                self.alone |= {label.name} if LABEL.fullmatch(label.name) else set()

    def beside(self, left: str | None, right: str | None) -> None:
        """Note the row and the column of ``w x``: what stands before data or a vector."""
        if left is None or right is None or not left[0].islower() or _is_greek(left):
            return
        if right in self.long or right[0].isupper():
            self.rows.add(left)
        elif right[0] == "x" and DATA.fullmatch(right) and left not in self.long:
            self.rows.add(left)
            self.vectors.add(right)

    def bias(self, node: Chain) -> None:
        """Note what a bias beside a product is, and what is taken off a matrix."""
        operands = [node.first, *(joined.operand for joined in node.rest)]
        factors = [found for operand in operands if (found := _factors(operand)) is not None]
        direct = [_direct(operand) for operand in operands]
        if any(name and name[0].isupper() for name in direct):
            # X - mu takes a mean off every column.
            self.vectors |= {n for n in direct if n and n[0].islower() and not _is_greek(n)}
        alone = [name for name in direct if name and name[0].islower() and not _is_greek(name)]
        dotted = [one for operand in operands if (one := _entrywise_factors(operand))]
        if dotted:
            self.vectors |= set(alone) & _SHIFTS  # gamma .* h + beta
        added = [name for name in alone if name[0] in "bc"]
        for first, last in factors[:1]:
            if first is None or last is None:
                continue
            if any(joined.operator == "-" for joined in node.rest):
                self.vectors |= {name for name in alone if LABEL.fullmatch(name)}  # y - X w
            learned = [WEIGHTS.match(name) is not None for name in (first, last)]
            if learned == [False, True] and last[0].isupper():
                self.rows |= set(added)  # X W + b has its examples in rows
                continue
            if not first[0].isupper():
                continue
            if not DATA.fullmatch(first):
                self.vectors |= set(alone)
                if learned[0] and last[0].isupper():
                    self.biases |= set(added)  # the same for all examples, which stand in columns
            elif last[0].isupper():
                self.rows |= set(added)
            else:
                self.numbers |= set(added)


_SHIFTS = frozenset({"b", "bias", "beta", "shift"})
"""Names of what is added to entries that a vector scales."""

_GATHERING = frozenset(
    {"sum", "mean", "softmax", "log_softmax", "logsumexp", "norm", "max", "variance", "std"}
    | {"trace", "tr", "diag", "dot", "matmul", "cross_entropy", "var", "layer_norm", "rms_norm"}
)
_SMALL = frozenset({"eps", "epsilon", "margin"})
"""Numbers beside a number: 1 - eps."""

_GREEK_NUMBERS = frozenset(
    {"lambda", "alpha", "epsilon", "eta", "tau", "gamma", "delta", "rho", "kappa", "nu", "margin"}
)


def _is_greek(name: str) -> bool:
    return name in _GREEK_NUMBERS


def _direct(node: Node) -> str | None:
    """Return the name that a factor is, transposed or in brackets."""
    while isinstance(node, Transposed | Bracket | Minus):
        node = node.inner if isinstance(node, Bracket) else node.operand
    return node.name if isinstance(node, Name) else None


def _factors(node: Node) -> tuple[str | None, str | None] | None:
    """Return the first and the last factor of a matrix product; None for another part."""
    if isinstance(node, Chain) and node.level == MATRIX:
        return _direct(node.first), _direct(node.rest[-1].operand)
    if isinstance(node, Call) and node.function in ("dot", "matmul") and len(node.arguments) == 2:
        return _direct(node.arguments[0]), _direct(node.arguments[1])
    return None


def _entrywise_factors(node: Node) -> bool:
    """Whether a part is a product entry by entry with a name."""
    if not isinstance(node, Chain) or all(joined.operator != ".*" for joined in node.rest):
        return False
    return any(_direct(part) for part in (node.first, *(joined.operand for joined in node.rest)))


def _examples(node: Node) -> Iterator[Name]:
    """Yield the names whose columns stand for examples, sums over them apart."""
    if isinstance(node, Name) and node.example:
        yield node
    if not isinstance(node, Summation):
        for part in children(node):
            yield from _examples(part)


def _entries(node: Node) -> Iterator[str]:
    """Yield the names that an argument consists of entry by entry, Greek factors apart."""
    if isinstance(node, Call) and node.function in _GATHERING:
        return
    if isinstance(node, Fence) and node.norm:
        return
    if isinstance(node, Name):
        if not _is_greek(node.name):
            yield node.name
        return
    if isinstance(node, Power):
        yield from _entries(node.base)
        return
    if isinstance(node, Chain) and node.level == MATRIX and _direct(node.first) == "beta":
        for joined in node.rest:  # it scales, as in beta KL; X beta has a vector
            yield from _entries(joined.operand)
        return
    if isinstance(node, Chain) and node.level == SUM:
        operands = [node.first, *(joined.operand for joined in node.rest)]
        multiplied = any(_factors(operand) is not None for operand in operands)
        counted = any(isinstance(operand, Literal) for operand in operands)
        for operand in operands:
            name = _direct(operand)
            if (multiplied and name and name[0] in "bc") or (counted and name in _SMALL):
                continue  # the bias of w X + b, and 1 - eps
            yield from _entries(operand)
        return
    for part in children(node):
        yield from _entries(part)


def listed(node: Node) -> list[str]:
    """Return the names in a formula, as often as they stand there."""
    return [part.name for part in parts_of(node) if isinstance(part, Name)]
