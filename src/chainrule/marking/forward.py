r"""The forward pass at the head of a transcript, also in index form and in LaTeX.

``X : (n, m)``, ``x \in \mathbb{R}^{n \times m}`` and ``Shapes: X (n, m), w (1, n)`` declare;
``z_i = \sum_j w_j X_{ji} + b`` and ``J = -\sum_i ...`` define, and are collapsed to matrices.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from chainrule.errors import DerivationError, ModelError, ParseError
from chainrule.graph.dims import SCALAR, Dim, Index, Shape
from chainrule.graph.model import Definition, Model, OneHot
from chainrule.graph.node import Expr, Symbol, Total, walk
from chainrule.indexing.collapse import collapse
from chainrule.interpreters.answers import Lexicon
from chainrule.interpreters.reading import canonical
from chainrule.interpreters.reading import statements as language
from chainrule.interpreters.reading.tokens import Line
from chainrule.marking.reading import Reading, expression, line_of, readings, tree
from chainrule.marking.sheet import Sheet
from chainrule.marking.transcript import Statement, equals_signs

_IN_SPACE = re.compile(
    r"^(?P<names>.+?)(?:\\in|∈)\s*(?:\\mathbb\s*\{?R\}?|ℝ|R)\s*"
    r"(?:\^\s*\{?\(?(?P<size>[^{}()]*)\)?\}?)?\s*$"
)
NOT_YET = "objectivetocome"
_TIMES = re.compile(r"\\times|×|\bx\b|,|\*")
_SHAPES = re.compile(r"^\s*shapes?\s*(?:of)?\s*:?\s*", re.IGNORECASE)
_SHAPED = re.compile(r"([^,;()\s][^,;()]*(?:,\s*[^,;()\s]+)*?)\s*\(([^()]*)\)")
_PLACES = re.compile(
    r"^(?P<base>[^_^]+(?:\^\[[^\]]*\])?)(?:\^\((?P<up>\w)\))?(?:_(?P<down>\w,?\w?))?$"
)


@dataclass
class ForwardPass:
    """A forward pass as it is gathered, line by line."""

    inputs: list[Symbol] = field(default_factory=list)
    definitions: list[Definition] = field(default_factory=list)
    onehot: list[OneHot] = field(default_factory=list)
    named: str = ""  # the objective, where a directive says so

    @property
    def partial(self) -> Model:
        """The forward pass so far, with nothing to differentiate yet."""
        return Model(tuple(self.inputs), tuple(self.definitions), Symbol(NOT_YET))

    @property
    def known(self) -> dict[str, Symbol]:
        """Every symbol so far by its canonical name."""
        return Lexicon(self.partial).scope

    def model(self) -> Model:
        """Return the whole.

        Raises
        ------
        ModelError
            When there is no scalar to differentiate.
        """
        scalars = [d.target for d in self.definitions if d.target.shape == SCALAR]
        if self.named:
            scalars = [s for s in scalars if canonical(s.name) == canonical(self.named)]
        if not scalars:
            raise ModelError(
                "the transcript needs its forward pass first: shapes such as X : (n, m), "
                "definitions such as Z = w X + b, and a scalar objective; or give it with --forward"
            )
        return Model(
            tuple(self.inputs), tuple(self.definitions), scalars[-1], onehot=tuple(self.onehot)
        )

    def takes(self, said: Statement) -> bool:
        """Take a statement when it belongs to the forward pass; else leave it.

        Raises
        ------
        ParseError
            When it is a part of the forward pass that cannot be read.
        """
        return self._declares(said) or self._directs(said) or self._defines(said)

    # ---- declarations ------------------------------------------------------------------------

    def _declares(self, said: Statement) -> bool:
        line = Line(said.text, said.line)
        if match := _SHAPES.match(said.text):
            found = list(_SHAPED.finditer(said.text, match.end()))
            for shaped in found:
                self._declare(line, shaped[1], _dims(line, shaped[2], shaped.start(2)))
            return bool(found)
        if match := _IN_SPACE.match(said.text):
            size = match["size"] or ""
            self._declare(line, match["names"], _dims(line, size, 0))
            return True
        if equals_signs(said.text) or ":" not in said.text:
            return False
        stated = language.statement(line)
        if stated is None or stated.sign != ":" or stated.directive:
            return False
        self._declare(line, stated.target, language.shape(stated))
        return True

    def _declare(self, line: Line, names: str, shape: Shape) -> None:
        for text in names.split(","):
            known = language.name(line, text, 0)
            if known not in self.known:
                self.inputs.append(Symbol(text.strip(), shape))

    def _directs(self, said: Statement) -> bool:
        word, colon, rest = said.text.partition(":")
        if not colon or word.strip().lower() not in language.DIRECTIVES:
            return False
        if word.strip().lower() == "objective":
            self.named = rest.strip()
        if word.strip().lower() == "onehot":
            for name in rest.split(","):
                bare = name.strip().removesuffix("^T")
                axis = 0 if bare == name.strip() else 1
                self.onehot.append(OneHot(self.known[canonical(bare)], axis))
        return True

    # ---- definitions -------------------------------------------------------------------------

    def _defines(self, said: Statement) -> bool:
        cuts = equals_signs(said.text)
        if len(cuts) != 1:
            return False
        target = said.text[: cuts[0]].strip()
        try:
            name = _canonical(target)
        except ValueError:
            return False
        places = _PLACES.match(name)
        if places is None or Lexicon(self.partial).find(name) is not None:
            return False
        base = places["base"]
        if base in self.known or canonical_base(target, base) is None:
            return False
        self._define(said, cuts[0], target, base, places)
        return True

    def _define(
        self, said: Statement, at: int, target: str, base: str, places: re.Match[str]
    ) -> None:
        line = line_of(said.text, said.line)
        letters = [*(places["down"] or "").replace(",", ""), *(places["up"] or "")]
        first: ParseError | None = None
        for reading in readings(said.text[at:]):
            sheet = Sheet(self.partial, Lexicon(self.partial), line, reading.layout)
            try:
                value = self._value(line, at, sheet, reading, letters)
            except ParseError as error:
                first = first or error
                continue
            shown = canonical_base(target, base) or base
            self.definitions.append(Definition(Symbol(shown, value.shape), value, said.line))
            return
        raise first or line.error("this definition cannot be read", 0)

    def _value(
        self, line: Line, at: int, sheet: Sheet, reading: Reading, letters: list[str]
    ) -> Expr:
        """Read the right side; an index form becomes the matrix whose entry it is."""
        node = tree(line, sheet.lexicon, reading, at + 1)
        value = expression(node, sheet, reading)
        indexed = any(isinstance(part, Total) for part in walk(value))
        if not letters and not indexed and not sheet.has_stand_ins(value):
            return value
        if letters and all(letter.isdigit() for letter in letters):
            return value
        dims: list[Dim] = [sheet.indices[letter] for letter in letters if letter in sheet.indices]
        if len(dims) < len(letters) and value.shape != SCALAR:
            return value
        rows, columns = _laid(dims)
        row, col = (
            next((Index(k, d) for k, d in sheet.indices.items() if d == dim and dim != 1), None)
            for dim in (rows, columns)
        )
        try:
            form = sheet.opened(value, row, col)
            return collapse(form, (rows, columns), row, col)[0]
        except DerivationError as error:
            raise line.error(f"this index form has no matrix form: {error}", at) from None


def canonical_base(target: str, base: str) -> str | None:
    """Return the letters of a target without its indices, as written; nothing when not a name."""
    shown = target
    while shown:
        try:
            if _canonical(shown) == base:
                return shown
        except ValueError:
            pass
        shown = shown[:-1]
    return None


def _canonical(text: str) -> str:
    return canonical(text)


def _laid(dims: list[Dim]) -> Shape:
    """Lay a new value out as the lecture does: examples along the columns."""
    if not dims:
        return SCALAR
    if len(dims) == 1:
        return (1, dims[0]) if dims[0] == "m" else (dims[0], 1)
    return dims[0], dims[1]


def _dims(line: Line, text: str, at: int) -> Shape:
    """Read ``n × m``, ``n`` (a column) or nothing (a number)."""
    parts = [part.strip() for part in _TIMES.split(text) if part.strip()]
    shape = f"({', '.join(parts)})" if len(parts) != 1 else f"({parts[0]}, 1)"
    stated = language.statement(Line(f"x : {shape}", line.number))
    assert stated is not None
    return language.shape(stated)
