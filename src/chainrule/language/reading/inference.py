"""Shapes that nobody declared: which names are numbers, vectors and matrices, and their sizes.

Every undeclared name is a number, a column, a row or a matrix. How it is written and where it
stands make one of these likely (a capital letter, a transpose, a sum); the choices that fit every
line are searched in order of likelihood, and unification finds their sizes. The result is an
assumption with its reason, which every output shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from math import prod
from typing import TypeAlias

from chainrule.calculus.graph.dims import SCALAR, Dim, Shape, base_names, written
from chainrule.errors import ParseError, UnmetError
from chainrule.language.reading.declarations import ShapeKind
from chainrule.language.reading.functions import parts_of
from chainrule.language.reading.shape_evidence import DATA, LABEL, ShapeEvidence, listed
from chainrule.language.reading.tokens import Line
from chainrule.language.reading.tree import (
    Chain,
    Literal,
    Node,
)
from chainrule.language.reading.unification import (
    NUMBER,
    BeyondError,
    Body,
    ClashError,
    OpenShape,
    OpenSize,
    ReadShape,
    Shaper,
    Solution,
    Term,
    has_example,
)
from chainrule.language.reading.words import CONSTANTS

BEAM = 64
"""How many choices are kept from line to line."""

WIDE_BEAM = 1024
"""How many are kept where none of the likeliest fits a later line."""

Shapes: TypeAlias = tuple[tuple[str, Shape], ...]
"""The shapes of names, as a key."""

MAX_NAMES = 40
MAX_NEW = 6
"""How many names one line may introduce."""

MAX_BRANCHES = 25_000
"""The most choices of shapes that one search compares."""

SIZE_LETTERS = frozenset({"m", "n", "N", "M", "T", "K", "k", "d", "B", "batch_size"})
"""Names that are sizes where they divide and nobody declares them."""

_ORDER: Mapping[str, Mapping[ShapeKind, int]] = {
    "capital": {
        ShapeKind.MATRIX: 0, ShapeKind.COLUMN: 5, ShapeKind.ROW: 5, ShapeKind.SCALAR: 6
    },
    "label": {ShapeKind.MATRIX: 0, ShapeKind.COLUMN: 1, ShapeKind.ROW: 1, ShapeKind.SCALAR: 5},
    "vector": {ShapeKind.COLUMN: 0, ShapeKind.ROW: 1, ShapeKind.SCALAR: 3, ShapeKind.MATRIX: 4},
    "marked": {ShapeKind.MATRIX: 0, ShapeKind.ROW: 1, ShapeKind.COLUMN: 8},
    "marked label": {ShapeKind.ROW: 0, ShapeKind.MATRIX: 2, ShapeKind.COLUMN: 8},
    "row": {ShapeKind.ROW: 0, ShapeKind.COLUMN: 1, ShapeKind.SCALAR: 1, ShapeKind.MATRIX: 6},
    "bias": {ShapeKind.COLUMN: 0, ShapeKind.SCALAR: 1, ShapeKind.ROW: 5, ShapeKind.MATRIX: 6},
    "number": {ShapeKind.SCALAR: 0, ShapeKind.COLUMN: 2, ShapeKind.ROW: 3, ShapeKind.MATRIX: 6},
    "alone": {ShapeKind.SCALAR: 0, ShapeKind.COLUMN: 30, ShapeKind.ROW: 30},
}  # fmt: skip
"""How unlikely each kind is, by what speaks for it."""


@dataclass(frozen=True)
class Definition:
    """A definition to infer from: the names before its sign, its text and its tree.

    `letters` are the indices of its left side, where it is one of entries; `lying` says that a
    single one counts columns.
    """

    targets: tuple[str, ...]
    text: str
    node: Node
    letters: tuple[str, ...] = ()
    lying: bool = False
    line: Line | None = None


@dataclass(frozen=True)
class Inferred:
    """The shape of a name, and the reason for it."""

    name: str
    shape: Shape
    reason: str


@dataclass
class Inference:
    """Undeclared names and what the lines say about them.

    Parameters
    ----------
    known : mapping of str to Shape
        The declared names.
    kinds : mapping of str to ShapeKind
        Names that are declared without sizes: "x is a vector".
    lines : sequence of Definition
        The definitions, in order.
    functions : mapping of str to Body
        The functions that the forward pass defines.
    unknown : sequence of str
        The names whose shapes are to be found.
    taken : set of str
        Names that a size must not have.
    objective : str
        The value that must be a number.
    ends : set of str
        Names at which such sums end, which are sizes.
    reading : callable or None
        Finds the shape of a part that unification does not follow.
    """

    known: Mapping[str, Shape]
    kinds: Mapping[str, ShapeKind]
    lines: Sequence[Definition]
    functions: Mapping[str, Body]
    unknown: Sequence[str]
    taken: set[str] = field(default_factory=set)
    objective: str = ""
    ends: set[str] = field(default_factory=set)
    reading: ReadShape | None = None
    _read: dict[tuple[int, Shapes], Shape | type[Exception]] = field(default_factory=dict)

    def solve(self) -> tuple[list[Inferred], str | None]:
        """Return the shapes of the unknown names, and the name that turned out to be a size.

        The list is empty where no choice fits, or a line is past what is followed here.
        """
        sizes = self._divisors()
        numbers = {*sizes, *CONSTANTS} | {
            name for shape in self.known.values() for dim in shape for name in base_names(dim)
        }
        unknown = [name for name in self.unknown if name not in numbers]
        if len(unknown) > MAX_NAMES:
            return [], None
        try:
            best = self._search(unknown, frozenset(numbers), BEAM)
            best = best or self._search(unknown, frozenset(numbers), WIDE_BEAM)
        except BeyondError:
            return [], None
        if best is None:
            return [], None
        shapes = self._named(best, unknown, sizes)
        size = sizes[0] if sizes else None
        if size is not None and not any(size in shape for shape in shapes.values()):
            shapes[size], size = SCALAR, None  # it divides, and no size has this name
        found = [
            Inferred(name, shape, self._reason(name, best, shapes))
            for name, shape in shapes.items()
        ]
        return found, size

    def _divisors(self) -> list[str]:
        """Return undeclared names that divide and are usual for sizes, as in ``1/m``."""
        outside: set[str] = set()
        below: set[str] = set()
        for line in self.lines:
            inside = {n for part in _denominators(line.node) for n in listed(part)}
            below |= inside
            dividing = [n for part in _denominators(line.node) for n in listed(part)]
            everywhere = listed(line.node)
            outside |= {n for n in everywhere if everywhere.count(n) > dividing.count(n)}
        usual = [n for n in self.unknown if n in SIZE_LETTERS and n in below - outside]
        named = {name for shape in self.known.values() for dim in shape for name in base_names(dim)}
        return list(dict.fromkeys([*sorted(self.ends - self.known.keys() - named), *usual]))

    def _search(self, unknown: list[str], numbers: frozenset[str], kept: int) -> Solution | None:
        bodies = (body.node for body in self.functions.values())
        nodes = (*(line.node for line in self.lines), *bodies)
        evidence = ShapeEvidence.of(self.known, self.kinds, nodes)
        options = {name: self._options(name, evidence) for name in (*unknown, *self.kinds)}
        beam = [Solution(dict(self.known))]
        compared = 0
        for line in self.lines:
            fresh = [n for n in dict.fromkeys(listed(line.node)) if n in options]
            fresh = [n for n in fresh if n not in beam[0].shapes]
            if len(fresh) > MAX_NEW:
                raise BeyondError
            following: list[Solution] = []
            compared += len(beam) * prod(len(options[name]) for name in fresh)
            if compared > MAX_BRANCHES:
                raise BeyondError
            for state in beam:
                for chosen in product(*(options[name].items() for name in fresh)):
                    branch = state.branch(
                        {name: shape for name, (shape, _) in zip(fresh, chosen, strict=True)},
                        sum(cost for _, cost in chosen),
                    )
                    try:
                        shape = self._shape(line, branch, numbers)
                        if shape is None:
                            following.append(branch)
                            continue
                        shape = branch.resolved(shape)
                        for target in line.targets:
                            wanted = self.known.get(target)
                            branch.shapes[target] = (
                                shape if wanted is None else branch.same(shape, wanted)
                            )
                        if self.objective in line.targets:
                            branch.same(shape, NUMBER)
                    except ClashError:
                        continue
                    following.append(branch)
            if not following:
                return None
            following.sort(key=lambda state: state.cost)
            beam = following[:kept]
        return beam[0]

    def _shape(
        self, line: Definition, branch: Solution, numbers: frozenset[str]
    ) -> OpenShape | None:
        """Return the shape of a line; None where it is past what is followed here."""
        own: dict[str, Term] = {n: OpenSize(f"{n} {id(line.node)}", 0) for n in line.letters}
        shaper = Shaper(branch, numbers, self.functions, letters=own)
        if self.reading is not None and line.line is not None:
            shaper = replace(shaper, reading=partial(self.read, line.line))
        if has_example(line.node):
            shaper = shaper.of_examples(line.node)
        try:
            found = shaper.shape(line.node)
        except BeyondError:
            return None
        if has_example(line.node):
            shaper.weigh_shared(line.node, branch.resolved(found)[1])
        if not line.letters:
            return found
        if found != NUMBER:
            raise ClashError  # an entry is a number
        rows, *columns = own.values()
        if not columns:
            return (1, rows) if line.lying else (rows, 1)
        return rows, columns[0]

    def read(self, line: Line, node: Node, shapes: Mapping[str, Shape]) -> Shape:
        """Return the shape of a part, read once for all choices that give its names one shape."""
        assert self.reading is not None
        key = id(node), tuple(sorted(shapes.items(), key=lambda named: named[0]))
        if key not in self._read:
            try:
                self._read[key] = self.reading(line, node, shapes)
            except UnmetError:
                self._read[key] = ClashError
            except ParseError:
                self._read[key] = BeyondError
        found = self._read[key]
        if isinstance(found, tuple):
            return found
        raise found

    def _options(self, name: str, evidence: ShapeEvidence) -> dict[OpenShape, int]:
        said = self.kinds.get(name)
        if said is not None:
            return {_open(name, said): 0}
        return {_open(name, kind): cost for kind, cost in _ORDER[evidence.about(name)].items()}

    def _named(
        self, best: Solution, unknown: Sequence[str], sizes: Sequence[str]
    ) -> dict[str, Shape]:
        """Give every open size a name."""
        names = [n for n in (*unknown, *self.kinds) if n in best.shapes]
        holders: dict[OpenSize, list[tuple[str, int]]] = {}
        for name in names:
            for axis, term in enumerate(best.resolved(best.shapes[name])):
                if isinstance(term, OpenSize):
                    holders.setdefault(term, []).append((name, axis))
        met = {term for name in names for term in best.resolved(best.shapes[name])}
        loose = [size for size in sizes if size not in met]
        called = _SizeNames(self.taken | set(names), loose).of(holders)

        def closed(term: Term) -> Dim:
            term = best.root(term)
            return called[term] if isinstance(term, OpenSize) else term

        return {n: (closed(best.shapes[n][0]), closed(best.shapes[n][1])) for n in names}

    def _reason(self, name: str, best: Solution, shapes: Mapping[str, Shape]) -> str:
        if name in self.kinds:
            return f"since it is declared {self.kinds[name].value}"
        for line in self.lines:
            if name in listed(line.node) and line.targets and line.targets[0] in best.shapes:
                whole = best.resolved(best.shapes[line.targets[0]])
                if whole == NUMBER:
                    return f"since {line.text} is one number"
                shape = tuple(
                    next(
                        (
                            shapes[n][axis]
                            for n in shapes
                            for axis in (0, 1)
                            if best.root(best.shapes.get(n, NUMBER)[axis]) == term
                        ),
                        term if not isinstance(term, OpenSize) else "?",
                    )
                    for term in whole
                )
                return f"since {line.text} is {written(shape)}"
        return ""


@dataclass
class _SizeNames:
    """Usual letters for sizes: n features, m examples, k outputs, h units."""

    taken: set[str]
    sizes: Sequence[str]

    def of(self, holders: Mapping[OpenSize, list[tuple[str, int]]]) -> dict[OpenSize, str]:
        """Name every open size by what has it."""
        found: dict[OpenSize, str] = {}
        examples = self.examples(holders)
        if self.sizes and (examples or holders):
            counted = examples or self.likely(holders)
            if counted is not None:
                found[counted] = self.sizes[0]
                self.taken.add(self.sizes[0])
        for term, places in holders.items():
            if term in found:
                continue
            data = any(DATA.fullmatch(name) for name, _ in places)
            label = any(LABEL.fullmatch(name) for name, _ in places)
            if term == examples:
                letters = "mN"
            elif data:
                letters = "ndp"
            elif label:
                letters = "kcq"
            else:
                letters = "hkpqrs"
            found[term] = self.free(letters)
        return found

    def free(self, letters: str) -> str:
        """Return the first letter that is free, and take it."""
        more = [f"n_{number}" for number in range(1, MAX_NAMES * 2)]
        choices: list[str] = [*letters, *"nmkhpqrsdcuvgl", *more]
        for letter in choices:
            if letter not in self.taken:
                self.taken.add(letter)
                return letter
        raise BeyondError

    def examples(self, holders: Mapping[OpenSize, list[tuple[str, int]]]) -> OpenSize | None:
        """Return the size that only data and labels have."""
        for term, places in holders.items():
            names = {name for name, _ in places}
            data = {n for n in names if DATA.fullmatch(n) or LABEL.fullmatch(n)}
            matrix = any(n[0].isupper() for n in data)
            if data and names == data and (matrix or len(data) > 1):
                return term
        return None

    def likely(self, holders: Mapping[OpenSize, list[tuple[str, int]]]) -> OpenSize | None:
        """Return the only open size, where there is one."""
        labels = [t for t, p in holders.items() if any(LABEL.fullmatch(name) for name, _ in p)]
        return labels[0] if len(labels) == 1 else next(iter(holders)) if len(holders) == 1 else None


def _denominators(node: Node) -> Iterator[Node]:
    """Yield what stands below a stroke, and what is halved: ``1/m``, ``n/2``."""
    for part in parts_of(node):
        if isinstance(part, Chain):
            if part.rest[0].operator == "/" and isinstance(part.rest[0].operand, Literal):
                yield part.first
            for joined in part.rest:
                if joined.operator == "/":
                    yield joined.operand


def _open(name: str, kind: ShapeKind) -> OpenShape:
    rows, columns = OpenSize(name, 0), OpenSize(name, 1)
    return {
        ShapeKind.SCALAR: NUMBER,
        ShapeKind.COLUMN: (rows, 1),
        ShapeKind.ROW: (1, columns),
        ShapeKind.MATRIX: (rows, columns),
    }[kind]
