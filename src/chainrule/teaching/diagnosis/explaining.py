"""Why a line of a derivation is wrong: the likely mistake, and what would be right."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from chainrule.calculus.derivation.sensitivity import pulled
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.node import Entry, Expr, Number, Symbol, running
from chainrule.calculus.rewriting.cost import display_cost
from chainrule.calculus.rewriting.simplification import simplify
from chainrule.errors import ChainruleError, ParseError, ScopeError
from chainrule.language.answers import Lexicon, spelled
from chainrule.language.reading.tree import Node
from chainrule.language.typeset import plain
from chainrule.teaching.diagnosis.bench import Array, same
from chainrule.teaching.diagnosis.diagnosis import Clinic
from chainrule.teaching.diagnosis.repairs import repairs
from chainrule.teaching.marking.derived import derived
from chainrule.teaching.marking.judging import Judge
from chainrule.teaching.marking.reading import Reading, expression, line_of, readings, tree
from chainrule.teaching.marking.sheet import Asked, Claims, Sheet
from chainrule.teaching.marking.transcript import Statement
from chainrule.teaching.marking.verdicts import Mistake

TRIED = 400
"""How many changes of a line are tried."""

DEEP = 40
"""With more definitions than this, mistakes are looked for in the line alone."""

EXPLAINED = 200
"""How many wrong lines of one transcript are explained."""

NAMED = 3
"""How many mistakes are named that explain a line alike."""

SUM_MISSING = Mistake(
    "sum missing", "chain rule", "the index runs over several paths, and their parts add"
)
_SUM_KEPT = Mistake(
    "sum kept although the index is free",
    "the indices",
    "only one term of the sum contains the entry that is differentiated by",
)


@dataclass(frozen=True)
class Written:
    """The side of an equation that is wrong, as it was written and read.

    Parameters
    ----------
    said : Statement
        The line.
    lexicon : Lexicon
        What its names mean.
    reading : Reading
        How it was read.
    side : tuple of int
        Where the side begins and ends.
    """

    said: Statement
    lexicon: Lexicon
    reading: Reading
    side: tuple[int, int]


class Explaining:
    """Finds what was most likely done wrong in a line.

    Parameters
    ----------
    judging : Judge
        Over the forward pass.
    claims : Claims
        What the lines before it introduced.
    """

    def __init__(self, judging: Judge, claims: Claims) -> None:
        self.judging, self.model, self.claims = judging, judging.model, claims
        self.explained = 0
        self._clinics: dict[tuple[Symbol, Symbol], Clinic] = {}
        self._derivations: dict[Symbol, Derivation] = {}

    def mistakes(
        self, asked: Asked, sheet: Sheet, claim: Expr, written: Written
    ) -> tuple[Mistake, ...]:
        """Name the mistakes that explain a claim: in the line itself, else on the way to it."""
        self.explained += 1
        if self.explained > EXPLAINED:
            return ()
        clinic = self._clinic(asked[0], asked[1])
        found = {mistake.name: mistake for mistake in self._repaired(asked, written)}
        deep = len(self.model.definitions) > DEEP
        values = None if deep or found else self._values(clinic, asked, sheet, claim)
        if values is not None:
            for mistake in clinic.diagnose(values, pairs=False).mistakes:
                found.setdefault(mistake.name, mistake)
        return tuple(found.values())[:NAMED]

    def unread(
        self, said: Statement, lexicon: Lexicon, error: ParseError
    ) -> tuple[tuple[Mistake, ...], str]:
        """Name the mistake of a line whose shapes or indices do not meet, and the right line."""
        line = line_of(said.text, said.line)
        reading = next(readings(said.text, code=said.code))
        sheet = Sheet(self.model, lexicon, line, reading.layout, claims=self.claims)
        sides = said.sides()
        try:
            left = expression(tree(line, lexicon, reading, *sides[0]), sheet, reading)
        except ParseError:
            return (), ""
        asked = asked_by(left, sheet)
        if asked is None:
            return (), ""
        mistakes: dict[str, Mistake] = {}
        self.explained += 1
        if self.explained > EXPLAINED:
            return (), ""
        if isinstance(error, ScopeError):
            mistakes[_SUM_KEPT.name] = _SUM_KEPT
        else:
            written = Written(said, lexicon, reading, sides[1])
            mistakes = {m.name: m for m in self._repaired(asked, written)}
        return tuple(mistakes.values())[:NAMED], self.right(asked)

    def right(self, asked: Asked) -> str:
        """Return the right side in short form."""
        found = self.short_form(asked[0], asked[1])
        return "" if found is None else plain(found)

    def short_form(self, of: Symbol, wrt: Symbol) -> Expr | None:
        """Return the right answer in short form, as a matrix, where there is one."""
        if of is self.model.objective:
            if wrt not in self._derivations:
                self._derivations[wrt] = derived(self.model, wrt.name)
            return self._derivations[wrt][wrt.name].matrix
        plainest = pulled(self.model, of, wrt, Number(1, of.shape))
        return min(plainest, simplify(plainest)[0], key=display_cost)

    # ---- parts -------------------------------------------------------------------------------

    def _clinic(self, of: Symbol, wrt: Symbol) -> Clinic:
        if (of, wrt) not in self._clinics:
            finished = self.short_form(of, wrt)
            if of is self.model.objective and finished is not None:
                finished = self._derivations[wrt].without_layers(finished)
            self._clinics[of, wrt] = Clinic(self.model, of, wrt, finished)
        return self._clinics[of, wrt]

    def _values(
        self, clinic: Clinic, asked: Asked, sheet: Sheet, claim: Expr, points: int = 3
    ) -> tuple[Array, ...] | None:
        """Return what a claim comes to, as the matrix of which it may be an entry."""
        _, wrt, row, col = asked
        shape = wrt.shape
        try:
            if (row or col) is not None:
                expr = sheet.meant(sheet.opened(claim, None, None))
            elif sheet.has_stand_ins(claim):
                shape = claim.shape
                row, col = (sheet.letters.free(dim) for dim in shape)
                expr = sheet.meant(sheet.opened(claim, row, col))
            else:
                expr = sheet.meant(claim)
            if running(expr) - {row, col}:
                return None  # an index that belongs to nothing
            if (row or col) is None:
                return clinic.bench.matrices(expr, points=points)
            return clinic.bench.matrices(expr, shape, row, col, points=points)
        except (ChainruleError, KeyError, IndexError):
            return None

    def _repaired(self, asked: Asked, written: Written) -> Iterator[Mistake]:
        """Yield the mistakes that, undone in the line as written, make it right."""
        truth = self._clinic(asked[0], asked[1]).truth
        if truth is None:
            return
        said, lexicon, reading = written.said, written.lexicon, written.reading
        line = line_of(said.text, said.line)
        try:
            node = tree(line, lexicon, reading, *written.side)
        except ParseError:
            return
        first = Sheet(self.model, lexicon, line, reading.layout, claims=self.claims)
        try:
            expression(tree(line, lexicon, reading, *said.sides()[0]), first, reading)
        except ParseError:
            return
        letters = dict.fromkeys([*first.indices, *_letters(said.text)])
        changes = repairs(node, lambda name: _alike(name, lexicon), letters)
        for mistake, changed in islice(changes, TRIED):
            if self._holds(asked, changed, first, reading, truth):
                yield mistake

    def _holds(
        self, asked: Asked, node: Node, first: Sheet, reading: Reading, truth: tuple[Array, ...]
    ) -> bool:
        sheet = Sheet(
            self.model, first.lexicon, first.line, reading.layout, dict(first.indices), self.claims
        )
        clinic = self._clinic(asked[0], asked[1])
        try:
            claim = expression(node, sheet, reading)
        except (ChainruleError, RecursionError):
            return False
        for points in (1, len(truth)):
            values = self._values(clinic, asked, sheet, claim, points)
            if values is None or not same(values, truth[:points]):
                return False
        return True


def asked_by(left: Expr, sheet: Sheet) -> Asked | None:
    """Return of what and by what a left side is a derivative, and of which entry."""
    row = col = None
    if isinstance(left, Entry):
        row, col = left.row, left.col
        left = left.matrix
    if isinstance(left, Symbol) and left in sheet.gradients:
        return sheet.model.objective, sheet.gradients[left], row, col
    return sheet.asked or sheet.derived


def _letters(text: str) -> Iterator[str]:
    """Yield the indices that a line uses."""
    at = text.find("_")
    while at >= 0:
        below = text[at + 1 : at + 6].lstrip("{")
        for character in below:
            if not character.islower():
                break
            yield character
        at = text.find("_", at + 1)


def _alike(name: str, lexicon: Lexicon) -> list[str]:
    """Return the names of the same shape as a name, gradients for gradients."""
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
