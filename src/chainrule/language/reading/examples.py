r"""Names with an index: ``x^{(i)}``, ``y_i``; and formulas of one example as formulas of all.

``z^{(i)} = w^T x^{(i)} + b`` is said of one example. The same formula of whole matrices, the
examples in columns, has these values as its columns: ``z = w^T x + b``. Two factors of an example
multiply entry by entry, and a factor that all examples share multiplies as a matrix.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass, replace
from fractions import Fraction
from typing import Any, TypeVar

from chainrule.language.reading.functions import parts_of
from chainrule.language.reading.names import target_name
from chainrule.language.reading.syntax import MATRIX, PRODUCT
from chainrule.language.reading.tree import (
    Bracket,
    Call,
    Chain,
    Fence,
    Indexed,
    Joined,
    Literal,
    Minus,
    Name,
    Node,
    Power,
    Quoted,
    Summation,
    Transposed,
)

_NAME = re.compile(r"(?P<stem>[^_^]+)(?P<ups>(?:\^[^_^]+)*)(?P<downs>(?:_[^_^]+)*)")
_UP = re.compile(r"\^(\[[^\]]*\])?(?:\(([a-z])\))?")
_INDEX = re.compile(r"[a-v](?:,?[a-v])?")
"""One or two letters for indices; w to z are names of values, as in h_w."""

_SHIFTED = re.compile(r"(?:_|\()([a-z])[-+]\d")
_ALONG = frozenset({"softmax", "log_softmax", "logsoftmax", "logsumexp", "lse"})
T = TypeVar("T")


@dataclass(frozen=True)
class Reference:
    """A name with indices: ``x^{(i)}_j`` is x with i above and j below."""

    base: str
    above: str
    below: tuple[str, ...]

    @property
    def letters(self) -> tuple[str, ...]:
        """The indices as rows and columns: the example counts columns."""
        return (*self.below, self.above) if self.above else self.below


def reference(name: str) -> Reference | None:
    """Return the indices of a canonical name; None where it has none.

    >>> reference("x^(i)_j").letters, reference("y_i").letters, reference("w_1")
    (('j', 'i'), ('i',), None)
    """
    if name.endswith("^2"):  # σ_j² is an entry of σ²
        inner = reference(name[:-2])
        return None if inner is None else replace(inner, base=f"{inner.base}^2")
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    base, above = match["stem"], ""
    for up in re.findall(r"\^[^_^]+", match["ups"]):
        marked = _UP.fullmatch(up)
        if marked is None or (marked[2] and above):
            return None
        base += f"^{marked[1]}" if marked[1] else ""
        above = marked[2] or above
    below: tuple[str, ...] = ()
    for down in re.findall(r"[^_^]+", match["downs"]):
        if _INDEX.fullmatch(down) and not below:
            below = tuple(down.replace(",", ""))
        else:
            base += f"_{down}"
    return Reference(base, above, below) if above or below else None


def raised_bases(nodes: Iterable[tuple[Sequence[str], Node]]) -> frozenset[str]:
    """Return the names that carry an index above, in brackets: ``y^(i)``.

    Parameters
    ----------
    nodes : iterable of (sequence of str, Node)
        The names before each sign, and the tree behind it.
    """
    names = {name for targets, node in nodes for name in (*targets, *_names(node))}
    found = (reference(name) for name in names)
    return frozenset(one.base for one in found if one is not None and one.above)


def indexed_bases(
    definitions: Iterable[tuple[Sequence[str], Node]], known: Container[str]
) -> frozenset[str]:
    """Return the names that carry indices: under a sum over the index, or marked as an example.

    Parameters
    ----------
    definitions : iterable of (sequence of str, Node)
        The names before each sign, and the tree behind it.
    known : container of str
        Names that are declared as they are written: ``x_i : (n, 1)``.
    """
    lines = [
        (list(targets), list(_names(node)), list(_sums(node))) for targets, node in definitions
    ]
    everywhere = {name for targets, names, _ in lines for name in (*targets, *names)}
    squares = {target for targets, _, _ in lines for target in targets if target.endswith("^2")}
    everywhere = {name for name in everywhere if not name.endswith("^2") or name in squares}
    shifted = {letter for name in everywhere for letter in _SHIFTED.findall(name)}
    references = {
        name: found
        for name in everywhere
        if name not in known
        and (found := reference(name)) is not None
        and not shifted.intersection(found.letters)
    }
    bases = {found.base for found in references.values() if found.above}
    for _, _, sums in lines:
        for letters, names in sums:
            bases |= {
                references[n].base
                for n in names
                if n in references and set(letters) & set(references[n].letters)
            }
    while True:
        before = len(bases)
        for targets, names, _ in lines:
            for target in targets:
                said = references.get(target)
                if said is None:
                    continue
                if said.base not in bases:
                    entries = [references[n] for n in names if n in references]
                    shared = [one for one in entries if set(said.letters) & set(one.letters)]
                    if not any(one.base in bases and len(one.letters) > 1 for one in shared):
                        continue
                    bases.add(said.base)  # z_i = ∑_j W_ij x_j, with z as a whole elsewhere
                bases |= {
                    references[n].base
                    for n in names
                    if n in references and set(said.letters) & set(references[n].letters)
                }
        if len(bases) == before:
            return frozenset(bases)


def _names(node: Node) -> Iterable[str]:
    for part in parts_of(node):
        if isinstance(part, Name):
            yield part.name
        if (squared := square_of_name(part)) is not None:
            yield squared


def square_of_name(node: Node) -> str | None:
    """Return ``sigma_j^2`` for that power; None for another part."""
    match node:
        case Power(base=Name(name=name), exponent=Literal(value=value), sign="^") if value == 2:
            return f"{name}^2"
        case Power(base=Name(name=name), exponent=Bracket(inner=Literal(value=value))) if (
            value == 2
        ):
            return f"{name}^2"
    return None


def _sums(node: Node) -> Iterable[tuple[tuple[str, ...], list[str]]]:
    for part in parts_of(node):
        if isinstance(part, Summation):
            yield part.indices, list(_names(part.body))


_MARKS = (
    re.compile(r"\^\s*\{\s*\([a-z]\)\s*\}|\^\([a-z]\)"),
    re.compile(r"\(\s*[a-z]\s*\)"),
    re.compile(r"_\s*\{\s*[a-z]\s*,?\s*[a-z]?\s*\}|_[a-z]{1,2}(?![A-Za-z\d])|[ᵢⱼₖₗₘₙ]+"),
)
"""The marks of indices on a name, taken off one after another."""


def without_marks(text: str, base: str) -> str | None:
    """Return a name as written without its indices, of the same length; None where it is another.

    >>> without_marks("x_j^{(i)}", "x").rstrip()
    'x'
    """
    for mark in _MARKS:
        text = mark.sub(lambda match: " " * len(match[0]), text)
        with suppress(ValueError):
            if target_name(text) == base:
                return text
    return None


def letter_of(place: Node | None) -> str | None:
    """Return the letter of an index."""
    match place:
        case Name(name=letter) | Quoted(text=letter):
            return letter
    return None


def needs_entries(targets: Sequence[str], node: Node, bases: Container[str]) -> bool:
    """Whether a definition has entries with two indices, as in ``S_ij = ∑_k Q_ik K_jk``."""
    found = [reference(name) for name in (*targets, *_names(node))]
    if any(one is not None and one.base in bases and len(one.letters) > 1 for one in found):
        return True
    return any(len(part.indices) > 1 for part in parts_of(node) if isinstance(part, Summation))


@dataclass
class Whole:
    """The body of a formula of one example, with matrices in the place of their columns.

    Parameters
    ----------
    known : container of str
        The names of the forward pass.
    letter : str
        The index.
    bases : container of str
        The names that carry indices, in a definition; under a sum every name with the index does.
    bare : frozenset of str
        Names that stand for one example without an index.
    names : set of str
        The names that had the index, by canonical name.
    """

    known: Container[str]
    letter: str
    bases: Container[str] | None = None
    bare: frozenset[str] = frozenset()
    names: set[str] = field(default_factory=set)

    def node(self, node: Any) -> Any:  # noqa: ANN401
        """Return a part, or a tuple of parts, with the index taken off."""
        match node:
            case Name():
                return self.name(node)
            case Chain() if node.level == MATRIX:
                return self.product(node)
            case Fence(norm=True) if self.varies(node.inner):
                return _rooted(self.squares(node))
            case Power(base=Fence(norm=True) as fence, exponent=Literal(value=value)) if (
                value == 2 and self.varies(fence.inner)
            ):
                return self.squares(fence)
            case Power() if (square := self.square(node)) is not None:
                return square
            case Power() if node.sign == "^" and self.varies(node.base):
                return replace(node, base=self.node(node.base), sign=".^")
            case Call() if node.function in _ALONG and self.varies(node) and not node.options:
                axis = Literal(Fraction(0), start=node.start, end=node.end)
                inner = tuple(self.node(part) for part in node.arguments)
                return replace(node, arguments=inner, options=(("axis", axis),))
            case Indexed(places=(place,)) if letter_of(place) == self.letter:
                return self.node(node.base)
        if isinstance(node, tuple):
            return tuple(self.node(part) for part in node)
        if is_dataclass(node) and not isinstance(node, type):
            changed = {part.name: self.node(getattr(node, part.name)) for part in fields(node)}
            return replace(node, **changed)
        return node

    def square(self, node: Node) -> Name | None:
        """Return σ² for the power of σ_j, where σ² is a value."""
        name = square_of_name(node)
        whole = None if name is None else self.whole_name(name)
        if whole is None or whole not in self.known:
            return None
        self.names.add(whole)
        return Name(whole, example=True, start=node.start, end=node.end)

    def varies(self, node: Node) -> bool:
        """Whether a part has the index."""
        for part in parts_of(node):
            if isinstance(part, Name) and self.whole_name(part.name) is not None:
                return True
            if isinstance(part, Indexed) and self.letter in map(letter_of, part.places):
                return True
        return False

    def whole_name(self, name: str) -> str | None:
        """Return the name of the matrix that a name is a column or an entry of."""
        if name in self.bare:
            return name
        found = None if name in self.known else reference(name)
        if found is None or found.letters != (self.letter,):
            return None
        base = found.base
        if self.bases is not None and base not in self.bases:
            return None
        capital = base[:1].upper() + base[1:]
        return capital if base not in self.known and capital in self.known else base

    def name(self, node: Name) -> Name:
        """Return the matrix that a name is a column of."""
        whole = self.whole_name(node.name)
        if whole is None:
            return node
        self.names.add(whole)
        found = reference(node.name)
        marked = found is not None and bool(found.above)
        return replace(node, name=whole, example=True, marked=marked)

    def product(self, node: Chain) -> Node:
        """Return a product: shared factors as matrices, factors of an example entry by entry."""
        operands = [node.first, *(joined.operand for joined in node.rest)]
        if not any(self.varies(part) for part in operands):
            return node
        runs: list[list[Node]] = []
        waiting: list[Node] = []  # shared factors before the next factor of an example
        at = 0
        while at < len(operands):
            part = operands[at]
            at += 1
            if not self.varies(part):
                waiting.append(part)
                continue
            if isinstance(part, Transposed) and at < len(operands):
                shared: list[Node] = []
                while at < len(operands) and not self.varies(operands[at]):
                    shared.append(operands[at])
                    at += 1
                if shared:  # x_i^T w is w^T x_i
                    turned = [_transposed(one) for one in reversed(shared)]
                    runs.append([*waiting, *turned, self.node(part.operand)])
                    waiting = []
                    continue
                other = operands[at]
                at += 1
                inner = _joined(
                    [self.node(part.operand), self.node(_untransposed(other))], ".*", PRODUCT
                )
                runs.append([*waiting, _summed(inner)])
                waiting = []
                continue
            runs.append([*waiting, self.node(part)])
            waiting = []
        if waiting:
            runs[-1] += waiting
        factors = [_joined(run, "", MATRIX) for run in runs]
        return _bracketed(_joined(factors, ".*", PRODUCT)) if len(factors) > 1 else factors[0]

    def squares(self, fence: Fence) -> Node:
        """Return the squared norm of every column."""
        inner = self.node(fence.inner)
        start, end = fence.start, fence.end
        two = Literal(Fraction(2), start=start, end=end)
        depth = fence.depth + 1
        return _summed(Power(_bracketed(inner), two, ".^", start=start, end=end, depth=depth))


def _summed(node: Node) -> Call:
    """Return the sum of every column."""
    start, end = node.start, node.end
    axis = Literal(Fraction(0), start=start, end=end)
    return Call("sum", (node,), (("axis", axis),), start=start, end=end, depth=node.depth + 1)


def _rooted(node: Node) -> Call:
    return Call("sqrt", (node,), start=node.start, end=node.end, depth=node.depth + 1)


def _bracketed(node: Node) -> Bracket:
    return Bracket(node, start=node.start, end=node.end, depth=node.depth + 1)


def _transposed(node: Node) -> Node:
    if isinstance(node, Transposed):
        return node.operand
    return Transposed(node, start=node.start, end=node.end, depth=node.depth + 1)


def _untransposed(node: Node) -> Node:
    return node.operand if isinstance(node, Transposed) else node


def _joined(parts: Sequence[Node], operator: str, level: int) -> Node:
    """Return operands joined in one chain."""
    first, *rest = [_bracketed(part) if isinstance(part, Chain | Minus) else part for part in parts]
    if not rest:
        return parts[0]
    joined = tuple(Joined(operator, part.start, part) for part in rest)
    depth = max(part.depth for part in (first, *rest)) + 1
    return Chain(level, first, joined, start=first.start, end=rest[-1].end, depth=depth)


def flipped(given: Mapping[str, tuple[T, ...]], length: T | None = None) -> frozenset[str]:
    """Return which of the matrices of all examples have these in rows, where some have not.

    Parameters
    ----------
    given : mapping of str to tuple of sizes
        Shapes of the names that carry the index; tensors are left as they are.
    length : size, optional
        The number of examples, where it is known.

    >>> flipped({"y": ("m", 1), "X": ("n", "m")}), flipped({"y": ("m", 1), "z": ("m", 1)})
    (frozenset({'y'}), frozenset())
    """
    shapes = {name: (shape[0], shape[1]) for name, shape in given.items() if len(shape) == 2}
    if all(columns == 1 for _, columns in shapes.values()):
        return frozenset()
    vectors = [rows for rows, columns in shapes.values() if columns == 1 and rows != 1]
    lying = [columns for rows, columns in shapes.values() if rows == 1 and columns != 1]
    count = length if length is not None else next(iter((*vectors, *lying)), None)
    standing = {name for name, (rows, columns) in shapes.items() if columns == 1 and rows != 1}
    tables = {
        name
        for name, (rows, columns) in shapes.items()
        if 1 not in (rows, columns) and rows == count != columns
    }
    return frozenset(standing | tables)


def whole_sum(node: Summation, known: Container[str]) -> tuple[Node, set[str]]:
    """Return the body of a sum over all examples, and the names of those with its index."""
    whole = Whole(known, node.indices[0])
    return whole.node(node.body), whole.names


def of_all_examples(
    letter: str,
    node: Node,
    known: Container[str],
    bases: Container[str],
    bare: frozenset[str] = frozenset(),
) -> tuple[Node, set[str]]:
    """Return the body of a definition of one example for all, and the names with the index."""
    whole = Whole(known, letter, bases, bare)
    return whole.node(node), whole.names


__all__ = [
    "Reference",
    "flipped",
    "indexed_bases",
    "letter_of",
    "needs_entries",
    "of_all_examples",
    "reference",
    "square_of_name",
    "whole_sum",
    "without_marks",
]
