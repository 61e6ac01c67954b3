"""Explanation of a wrong line of a derivation: the likely mistake, and the right line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.node import Entry, Expr, Symbol, running
from chainrule.errors import ChainruleError, ParseError, ScopeError
from chainrule.language.answers import Lexicon, spelled
from chainrule.language.reading.tree import Node
from chainrule.teaching.diagnosis.repairs import repairs
from chainrule.teaching.diagnosis.right_lines import Quantity, RightLines, free_indices
from chainrule.teaching.diagnosis.sample_points import POINTS, Array, SamplePoints, ratios, same
from chainrule.teaching.diagnosis.search import MistakeSearch
from chainrule.teaching.marking.judging import EqualityJudge
from chainrule.teaching.marking.line_context import AskedDerivative, Claims, LineContext
from chainrule.teaching.marking.reading import Reading, expression, line_of, readings, tree
from chainrule.teaching.marking.transcript import TranscriptStatement
from chainrule.teaching.marking.verdicts import NamedMistake

TRIED = 400
"""The most changes of one line that are tried."""

DEEP = 40
"""The most definitions for which the derivation is searched too, and not the line alone."""

EXPLAINED = 200
"""The most wrong lines of one transcript that are explained."""

NAMED = 3
"""The most mistakes that are named for one line."""

SUM_MISSING = NamedMistake(
    "sum missing", "chain rule", "the index runs over several paths, and their parts add"
)
_SUM_KEPT = NamedMistake(
    "sum kept although the index is free",
    "the indices",
    "only one term of the sum contains the entry of differentiation",
)


@dataclass(frozen=True)
class WrongSide:
    """The side of an equation that is wrong, as it was written and read.

    Parameters
    ----------
    said : TranscriptStatement
        The line.
    lexicon : Lexicon
        The meaning of its names.
    reading : Reading
        Its interpretation.
    side : tuple of int
        The start and end of the side.
    """

    said: TranscriptStatement
    lexicon: Lexicon
    reading: Reading
    side: tuple[int, int]


class LineExplainer:
    """Names the likely mistakes of wrong lines.

    Parameters
    ----------
    equality_judge : EqualityJudge
        Over the forward pass.
    claims : Claims
        The names and claims of earlier lines.
    """

    def __init__(self, equality_judge: EqualityJudge, claims: Claims) -> None:
        self.equality_judge, self.model, self.claims = equality_judge, equality_judge.model, claims
        self.explained = 0
        self.right_lines = RightLines(equality_judge, claims)
        self._searches: dict[tuple[Symbol, Symbol], MistakeSearch] = {}
        self._samples = SamplePoints(self.model)

    def mistakes(
        self, quantity: Quantity, claim: Expr, written: WrongSide
    ) -> tuple[NamedMistake, ...]:
        """Return the mistakes that explain a claim: in the line itself, else in the derivation."""
        self.explained += 1
        if self.explained > EXPLAINED:
            return ()
        found = {mistake.name: mistake for mistake in self._repaired(quantity, written)}
        deep = len(self.model.definitions) > DEEP
        if not (deep or found) and quantity.asked is not None and quantity.is_swept:
            values = self._values(quantity, quantity.context, claim)
            if values is not None:
                search = self._search(quantity.asked)
                for mistake in search.diagnose(values, pairs=False).mistakes:
                    found.setdefault(mistake.name, mistake)
        return tuple(found.values())[:NAMED]

    def unread(
        self, said: TranscriptStatement, lexicon: Lexicon, error: ParseError
    ) -> tuple[tuple[NamedMistake, ...], str]:
        """Return the mistakes of a line whose shapes or indices do not fit, and the right line."""
        line = line_of(said.text, said.line)
        reading = next(readings(said.text, code=said.code))
        context = reading.context(self.model, lexicon, line, self.claims)
        sides = said.sides()
        try:
            left = expression(tree(line, lexicon, reading, *sides[0]), context, reading)
        except ParseError:
            return (), ""
        quantity = Quantity(left, asked_by(left, context), context)
        if quantity.asked is not None and quantity.asked.of is quantity.asked.wrt:
            return (), ""  # in differential form
        self.explained += 1
        if quantity.asked is None or self.explained > EXPLAINED:
            return (), self.right_lines.line(quantity)
        if isinstance(error, ScopeError):
            return (_SUM_KEPT,), self.right_lines.line(quantity)
        written = WrongSide(said, lexicon, reading, sides[1])
        mistakes = {mistake.name: mistake for mistake in self._repaired(quantity, written)}
        return tuple(mistakes.values())[:NAMED], self.right_lines.line(quantity)

    def ratio(
        self, quantity: Quantity, claim: Expr
    ) -> tuple[tuple[float, Mapping[str, int]], ...] | None:
        """Return a gradient over the right one at every sample point, where that is a number."""
        if quantity.asked is None or quantity.asked.of is not self.model.objective:
            return None
        truth, values = self._truth(quantity), self._values(quantity, quantity.context, claim)
        if truth is None or values is None or self.explained > EXPLAINED:
            return None
        found = ratios(values, truth)
        return None if found is None else tuple(zip(found, self._samples.sizes, strict=True))

    # ---- parts -------------------------------------------------------------------------------

    def _search(self, asked: AskedDerivative) -> MistakeSearch:
        key = asked.of, asked.wrt
        if key not in self._searches:
            finished = self.right_lines.finished(*key)
            self._searches[key] = MistakeSearch(self.model, *key, finished)
        return self._searches[key]

    def _truth(self, quantity: Quantity) -> tuple[Array, ...] | None:
        """Return the right values: by the reverse sweep, or of the left side as it was read."""
        if quantity.asked is not None and quantity.is_swept:
            return self._search(quantity.asked).truth
        return self._values(quantity, quantity.context, quantity.left)

    def _values(
        self, quantity: Quantity, context: LineContext, claim: Expr, points: int = POINTS
    ) -> tuple[Array, ...] | None:
        """Return the values of a claim, as the matrix of which it may be an entry."""
        asked, shape = quantity.asked, claim.shape
        row = col = None
        if asked is not None and quantity.is_swept:
            row, col = asked.row, asked.col
            shape = asked.wrt.shape if (row or col) is not None else shape
        elif shape == SCALAR:
            free = free_indices(quantity.left)
            if len(free) > 2:
                return None  # a table of three or four indices
            row, col = (*free, None, None)[:2]
            shape = (row.dim if row else 1, col.dim if col else 1)
        try:
            if claim.shape == SCALAR:
                expr = context.meant(context.opened(claim, None, None))
            elif context.has_placeholders(claim):
                row, col = (context.letters.free(dim) for dim in shape)
                expr = context.meant(context.opened(claim, row, col))
            else:
                expr = context.meant(claim)
            if asked is not None and asked.of is self.model.objective:
                expr = self.claims.unscaled(asked.wrt, expr)
            if running(expr) - {row, col}:
                return None  # an index that belongs to nothing
            if (row or col) is None:
                return self._samples.matrices(expr, points=points)
            return self._samples.matrices(expr, shape, row, col, points=points)
        except (ChainruleError, KeyError, IndexError):
            return None

    def _repaired(self, quantity: Quantity, written: WrongSide) -> Iterator[NamedMistake]:
        """Yield the mistakes that make the written line right when undone."""
        truth = self._truth(quantity)
        if truth is None:
            return
        said, lexicon, reading = written.said, written.lexicon, written.reading
        line = line_of(said.text, said.line)
        try:
            node = tree(line, lexicon, reading, *written.side)
        except ParseError:
            return
        first = reading.context(self.model, lexicon, line, self.claims)
        try:
            expression(tree(line, lexicon, reading, *said.sides()[0]), first, reading)
        except ParseError:
            return
        letters = dict.fromkeys([*first.indices, *_letters(said.text)])
        changes = repairs(node, lambda name: _alike(name, lexicon), letters)
        for mistake, changed in islice(changes, TRIED):
            if self._holds(quantity, changed, first, reading, truth):
                yield mistake

    def _holds(
        self,
        quantity: Quantity,
        node: Node,
        first: LineContext,
        reading: Reading,
        truth: tuple[Array, ...],
    ) -> bool:
        context = reading.context(self.model, first.lexicon, first.line, self.claims)
        context.indices = dict(first.indices)
        try:
            claim = expression(node, context, reading)
        except (ChainruleError, RecursionError):
            return False
        for points in (1, len(truth)):
            values = self._values(quantity, context, claim, points)
            if values is None or not same(values, truth[:points]):
                return False
        return True


def asked_by(left: Expr, context: LineContext) -> AskedDerivative | None:
    """Return the value, the variable and the entry of the derivative on a left side."""
    row = col = None
    if isinstance(left, Entry):
        row, col = left.row, left.col
        left = left.matrix
    if isinstance(left, Symbol) and left in context.gradients:
        at = None if row is col is None else (row, col)
        return AskedDerivative(context.model.objective, context.gradients[left], None, at)
    return context.asked or context.derived


def _letters(text: str) -> Iterator[str]:
    """Yield the indices in a line."""
    at = text.find("_")
    while at >= 0:
        below = text[at + 1 : at + 6].lstrip("{")
        for character in below:
            if not character.islower():
                break
            yield character
        at = text.find("_", at + 1)


def _alike(name: str, lexicon: Lexicon) -> list[str]:
    """Return the other names of the shape of a name, gradients for gradients."""
    stem, _, below = name.partition("_")
    found = lexicon.find(stem) if below else lexicon.find(name)
    if found is None or (found.symbol.shape == SCALAR and found.symbol not in lexicon.model.values):
        if name not in {dim for symbol in lexicon.model.symbols for dim in symbol.shape}:
            return []
        return sorted(
            {str(dim) for s in lexicon.model.symbols for dim in s.shape if isinstance(dim, str)}
            - {name}
        )
    after = f"_{below}" if below else ""
    others = [s for s in lexicon.model.symbols if s.shape == found.symbol.shape]
    before = ("d", "") if found.of is not None else ("",)
    return [
        f"{mark}{spelled(symbol.name)}{after}"
        for mark in before
        for symbol in others
        if symbol is not found.symbol or mark != before[0]
    ]
