"""MathML Core, which browsers render natively: one element per symbol."""

from __future__ import annotations

import re
from collections.abc import Collection, MutableMapping, Sequence
from fractions import Fraction
from functools import cached_property, lru_cache
from html import escape
from weakref import WeakKeyDictionary

from chainrule.calculus.graph.dims import Dim, Index, written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Entry, Expr, Partial, Symbol, walk
from chainrule.calculus.graph.op import Op
from chainrule.calculus.graph.paths import Path
from chainrule.language.typeset.comparisons import COMPARISONS
from chainrule.language.typeset.layout import Piece, Term, typeset
from chainrule.language.typeset.names import PIECES, NameParts, name_parts
from chainrule.language.typeset.text import unicode

_ACCENTS = {"hat": "^", "bar": "¯", "tilde": "~"}
_HIGH = ("<mfrac", "<munderover", "<mtable", "<msqrt")
"""Elements that make a bracket around them grow."""
_ONE_SYMBOL = re.compile(r"<(?:mi|msub|msup|msubsup|mover)\b[^>]*>(?!<mrow>)")
"""MathML that begins a symbol with its indices, and not the power of an expression."""
_ELEMENT = re.compile(r"<[a-z]+")
HERE = "\0"
"""The path of a piece inside itself; no name contains it."""

KEPT = 16
"""The number of forward passes whose pieces stay in memory."""

_RAISED = {"ᵀ": "<mi>⊤</mi>", "⁻¹": "<mrow><mo>−</mo><mn>1</mn></mrow>"}


class MathML:
    """Sets pieces in MathML.

    Parameters
    ----------
    symbols : collection of Symbol, optional
        The symbols of the forward pass: indices stand above these alone.
    raised : collection of str, optional
        The indices that stand above their symbols, in brackets, as the example in ``y^(i)``.
    """

    fractions_hold = True
    _bold = ""
    _focus = ""

    def __init__(self, symbols: Collection[Symbol] = (), raised: Collection[str] = ()) -> None:
        self._symbols = symbols
        self._raised = raised
        self.known: MutableMapping[Expr, Piece] = WeakKeyDictionary()

    @property
    def apart(self) -> MathML:
        """The medium itself."""
        return self

    def placed(self, text: str, at: Path) -> str:
        """Return the text as it is."""
        return text

    def moved(self, text: str, at: Path) -> str:
        """Return the text as it is."""
        return text

    def symbol(self, symbol: Symbol) -> str:
        """Set a name."""
        return self._named(symbol, name_parts(symbol.name), [])

    def number(self, value: Fraction) -> str:
        """Set a number."""
        if value.denominator == 1:
            return f"<mn>{value.numerator}</mn>"
        return f"<mfrac><mn>{value.numerator}</mn><mn>{value.denominator}</mn></mfrac>"

    def word(self, text: str) -> str:
        """Set a size: a name, a number, or what is computed from these."""
        pieces = [_size(piece) for piece in PIECES.findall(text)]
        return pieces[0] if len(pieces) == 1 else f"<mrow>{''.join(pieces)}</mrow>"

    def ones(self, *, row: bool) -> str:
        """Set the vector of ones."""
        ones = f'<mn class="ones"{self._bold}>1</mn>'
        return f"<msup>{ones}<mi>⊤</mi></msup>" if row else ones

    def brackets(self, body: str) -> str:
        """Put brackets around, as high as the body where that is high."""
        flat = "" if any(tag in body for tag in _HIGH) else ' stretchy="false"'
        return f"<mrow><mo{flat}>(</mo>{body}<mo{flat}>)</mo></mrow>"

    def terms(self, signed: Sequence[Term]) -> str:
        """Join terms."""
        first, *rest = signed
        text = f'<mo form="prefix"{self._at(first.at)}>−</mo>' if first.minus else ""
        text += first.text
        for term in rest:
            text += f"<mo{self._at(term.at)}>−</mo>" if term.minus else "<mo>+</mo>"
            text += term.text
        return f"<mrow>{text}</mrow>"

    def table(self, signed: Sequence[Term]) -> str:
        """Join rows and columns as terms."""
        return self.terms(signed)

    def product(self, op: Op, factors: list[str]) -> str:
        """Join by the glyph."""
        glyph = f"<mo>{escape(op.notation.unicode.strip())}</mo>"
        return f"<mrow>{glyph.join(factors)}</mrow>"

    def juxtapose(self, factors: list[str]) -> str:
        """Set side by side."""
        gap = '<mspace width="0.17em"/>'
        return f"<mrow>{gap.join(factors)}</mrow>"

    def dotted(self, factors: list[str]) -> str:
        """Join by dots."""
        return f"<mrow>{'<mo>·</mo>'.join(factors)}</mrow>"

    def fraction(self, top: str, bottom: str) -> str:
        """Set one over the other."""
        return f"<mfrac><mrow>{top}</mrow><mrow>{bottom}</mrow></mfrac>"

    def power(self, base: str, exponent: str) -> str:
        """Set an exponent."""
        return f"<msup><mrow>{base}</mrow><mrow>{exponent}</mrow></msup>"

    def entry_power(self, base: str, exponent: str) -> str:
        """Set the power of every entry."""
        return self.power(base, f"<mo>∘</mo>{exponent}")

    def entry_fraction(self, top: str, bottom: str) -> str:
        """Set a number over every entry."""
        return f"<mrow>{top}<mo>⊘</mo>{bottom}</mrow>"

    def postfix(self, op: Op, body: str) -> str:
        """Set a glyph above: the transpose sign, or an exponent."""
        glyph = _RAISED.get(op.notation.unicode, f"<mi>{escape(op.notation.unicode)}</mi>")
        return f"<msup><mrow>{body}</mrow>{glyph}</msup>"

    def postfixes(self, ops: list[Op], body: str) -> str:
        """Set two glyphs above as one."""
        return f"<msup><mrow>{body}</mrow><mrow><mo>−</mo><mi>⊤</mi></mrow></msup>"

    def function(self, op: Op, body: str, options: str) -> str:
        """Set a function."""
        glyph = op.notation.unicode or op.notation.plain
        letters = glyph.rstrip("'")
        name = f"<mi>{escape(letters)}</mi>"
        if letters != glyph:
            name = f"<msup>{name}<mo>{'′' * (len(glyph) - len(letters))}</mo></msup>"
        if options:
            name = f"<msub>{name}<mtext>{escape(options)}</mtext></msub>"
        if self._raised and op.notation.plain == "log" and _ONE_SYMBOL.match(body):
            gap = '<mspace width="0.17em"/>'  # log a, as a lecture writes it beside y^(i)
            return f"<mrow>{name}<mo>&#x2061;</mo>{gap}{body}</mrow>"
        return f"<mrow>{name}<mo>&#x2061;</mo>{self.brackets(body)}</mrow>"

    def constant(self, op: Op) -> str:
        """Set a constant."""
        return f"<mi>{escape(op.notation.unicode)}</mi>"

    def listed(self, arguments: list[str]) -> str:
        """Set arguments with commas."""
        return "<mo>,</mo>".join(arguments)

    def fence(self, op: Op, body: str) -> str:
        """Set between fences."""
        return op.notation.mathml.format(body)

    def comparison(self, sign: str, left: str, right: str) -> str:
        """Set a mask in brackets."""
        shown = escape(COMPARISONS[sign])
        return f"<mrow><mo>[</mo>{left}<mo>{shown}</mo>{right}<mo>]</mo></mrow>"

    def part(self, base: str, ranges: list[tuple[str, str]]) -> str:
        """Set a part by its ranges, in brackets behind it."""
        shown = "<mo>,</mo>".join(
            "<mo>:</mo>".join(self.word(bound) if bound else "" for bound in bounds)
            for bounds in ranges
        )
        return f"<mrow>{base}<mo>[</mo>{shown}<mo>]</mo></mrow>"

    def stack(self, blocks: list[str], beside: bool) -> str:
        """Set a matrix of blocks."""
        cells = [f"<mtd>{block}</mtd>" for block in blocks]
        lines = ["".join(cells)] if beside else cells
        body = "".join(f"<mtr>{line}</mtr>" for line in lines)
        return f"<mrow><mo>[</mo><mtable>{body}</mtable><mo>]</mo></mrow>"

    def entry(self, base: Symbol | str, places: list[str], lowered: bool) -> str:
        """Set a cell."""
        if isinstance(base, str):
            return f"<msub>{base}{_row(places)}</msub>"
        parts = name_parts(base.name)
        above = [place for place in places if place in self._raised]
        if above and base in self._symbols:
            below = [place for place in places if place not in above]
            return self._named(base, parts.lowered(), below, above)
        return self._named(base, parts.lowered() if lowered else parts, places)

    def total(self, index: Index, body: str) -> str:
        """Set a sum."""
        below = f"<mrow><mi>{index.name}</mi><mo>=</mo><mn>1</mn></mrow>"
        above = self.word(str(index.dim))
        return _sum(below, above, body)

    def round_sum(self, counter: str, first: str, last: str, body: str) -> str:
        """Set a sum over rounds."""
        below = f"<mrow><mi>{counter}</mi><mo>=</mo>{self.word(first)}</mrow>"
        return _sum(below, self.word(last), body)

    def partial(self, of: str, wrt: str) -> str:
        """Set a derivative."""
        d = '<mo form="prefix" rspace="0">∂</mo>'
        return f"<mfrac><mrow>{d}{of}</mrow><mrow>{d}{wrt}</mrow></mfrac>"

    def _at(self, at: Path | None) -> str:
        """Return the attribute of a path."""
        return ""

    def _described(self, symbol: Symbol) -> str:
        """Return the attributes that say what a symbol is."""
        return ""

    def _named(
        self, symbol: Symbol, parts: NameParts, places: list[str], raised: Sequence[str] = ()
    ) -> str:
        base = (
            f'<mi class="sym"{self._focus} data-symbol="{escape(symbol.name, quote=True)}"'
            f"{self._described(symbol)}>{escape(parts.base + parts.primes)}</mi>"
        )
        if parts.accent:
            accent = f'<mo stretchy="false">{_ACCENTS[parts.accent]}</mo>'
            base = f'<mover accent="true">{base}{accent}</mover>'
        below = ([f"<mn>{escape(parts.sub)}</mn>"] if parts.sub else []) + [
            f"<mi>{escape(place)}</mi>" for place in places
        ]
        marks = ([_layer(parts.layer)] if parts.layer else []) + [_example(one) for one in raised]
        above = marks[0] if len(marks) == 1 else f"<mrow>{''.join(marks)}</mrow>"
        if below and marks:
            return f"<msubsup>{base}<mrow>{''.join(below)}</mrow>{above}</msubsup>"
        if marks:
            return f"<msup>{base}{above}</msup>"
        return f"<msub>{base}<mrow>{''.join(below)}</mrow></msub>" if below else base


class Described(MathML):
    """MathML in which each symbol has its shape and its definition, as data and as a title.

    Parameters
    ----------
    model : Model or None
        Where definitions and notes of the symbols come from.
    raised : collection of str
        The indices that stand above their symbols.
    """

    _bold = ' style="font-weight:bold"'
    _focus = ' tabindex="-1"'

    def __init__(self, model: Model | None, raised: Collection[str]) -> None:
        super().__init__(() if model is None else model.symbols, raised)
        self._definitions = {} if model is None else model.values
        self._notes = {} if model is None else model.notes

    def _described(self, symbol: Symbol) -> str:
        meaning = self._meaning(symbol)
        shape = written(symbol.shape)
        text = f"{symbol.name}: shape {shape}" + (f"; {meaning}" if meaning else "")
        return (
            f' data-shape="{shape}" data-definition="{escape(meaning, quote=True)}" '
            f'title="{escape(text, quote=True)}"'
        )

    def _meaning(self, symbol: Symbol) -> str:
        if symbol in self._definitions:
            return f"{unicode(symbol)} = {unicode(self._definitions[symbol])}"
        return self._notes.get(symbol.name, "")


class Placed(MathML):
    """MathML in which each element names the path of its sub-expression in ``data-path``.

    A piece is set once and used at many places, so that inside it paths count from its own root,
    which is written as `HERE`; `whole` ends with the paths of the page.
    """

    @cached_property
    def apart(self) -> MathML:
        """The medium without paths."""
        return MathML(self._symbols, self._raised)

    def placed(self, text: str, at: Path) -> str:
        """Put the path of a sub-expression on its element."""
        name = _ELEMENT.match(text)
        assert name is not None
        return f"{name[0]}{self._at(at)}{text[name.end() :]}"

    def moved(self, text: str, at: Path) -> str:
        """Put a path before those of a piece."""
        return text.replace(HERE, HERE + _steps(at)) if at else text

    def whole(self, expr: Expr) -> str:
        """Set an expression that stands by itself."""
        return typeset(expr, self).replace(f"{HERE}.", "").replace(HERE, "")

    def _at(self, at: Path | None) -> str:
        return "" if at is None else f' data-path="{HERE}{_steps(at)}"'


def _steps(at: Path) -> str:
    return "".join([f".{step}" for step in at])


@lru_cache(KEPT)
def _with_paths(symbols: tuple[Symbol, ...], raised: frozenset[str]) -> Placed:
    """Return the medium of a forward pass, with the pieces that it has set."""
    return Placed(symbols, raised)


def _sum(below: str, above: str, body: str) -> str:
    """Set a sum between its ends."""
    sigma = f'<munderover><mo movablelimits="false">∑</mo>{below}{above}</munderover>'
    return f"<mrow>{sigma}{body}</mrow>"


def _size(piece: str) -> str:
    """Set a piece of a size."""
    if piece.isdecimal():
        return f"<mn>{piece}</mn>"
    if piece in "+-":
        return f"<mo>{piece.replace('-', '−')}</mo>"
    parts = name_parts(piece)
    base = f"<mi>{escape(parts.base)}</mi>"
    layer = _layer(parts.layer)
    below = f"<mn>{escape(parts.sub)}</mn>"
    if parts.sub and parts.layer:
        return f"<msubsup>{base}{below}{layer}</msubsup>"
    if parts.layer:
        return f"<msup>{base}{layer}</msup>"
    return f"<msub>{base}{below}</msub>" if parts.sub else base


def _layer(index: str) -> str:
    """Set the index of a layer in brackets that do not grow."""
    fences = (f'<mo stretchy="false">{fence}</mo>' for fence in "[]")
    return f"<mrow>{f'<mn>{escape(index)}</mn>'.join(fences)}</mrow>"


def _example(index: str) -> str:
    """Set the index of an example in round brackets that do not grow."""
    fences = (f'<mo stretchy="false">{fence}</mo>' for fence in "()")
    return f"<mrow>{f'<mi>{escape(index)}</mi>'.join(fences)}</mrow>"


def _row(places: list[str]) -> str:
    return "<mrow>" + "".join(f"<mi>{escape(place)}</mi>" for place in places) + "</mrow>"


def mathml(
    expr: Expr, model: Model | None = None, *, paths: bool = False, raised: Dim | None = None
) -> str:
    """Write the inside of a ``<math>`` element.

    Parameters
    ----------
    expr : Expr
        The expression.
    model : Model, optional
        Where definitions and notes of the symbols come from.
    paths : bool, optional
        Whether elements carry the path of their sub-expression: ``data-path="0.1"``, empty for the
        whole, and no description of their symbols. Broadcasts are silent and have no element.
    raised : Dim, optional
        The dimension whose indices stand above their symbols, as in ``y^(i)``; by default the one
        whose indices the author of the model writes so.
    """
    if raised is None and model is not None:
        raised = model.raised
    above = frozenset(_indices_over(expr, raised)) if raised else frozenset[str]()
    if paths:
        symbols = model.symbols if model is not None and above else ()
        return _with_paths(symbols, above).whole(expr)
    return typeset(expr, Described(model, above))


def _indices_over(expr: Expr, dim: Dim) -> set[str]:
    """Return the names of the indices over a dimension."""
    found: set[str] = set()
    for node in walk(expr):
        if isinstance(node, Entry):
            found |= {p.name for p in node.places if isinstance(p, Index) and p.dim == dim}
        elif isinstance(node, Partial):
            found |= _indices_over(node.of, dim) | _indices_over(node.wrt, dim)
    return found


def math_element(inside: str, spoken: str, *, display: bool = True) -> str:
    """Wrap MathML in a ``<math>`` element with its spoken form as alternative text."""
    block = ' display="block"' if display else ""
    return f'<math{block} alttext="{escape(spoken, quote=True)}"><mrow>{inside}</mrow></math>'
