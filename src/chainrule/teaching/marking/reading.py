"""Reading of answers: text to expressions, in every interpretation that the text allows.

People write ``*`` for either product, leave the bracket after a sum out, and lay derivatives of
vectors out as they were taught. Each of these is a `Reading`. The first is the plain one; the
others are tried before a line is called wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from unicodedata import normalize

from chainrule.calculus.graph.dims import Dim, base_names
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr, Number, walk
from chainrule.errors import LimitError
from chainrule.language.answers import Lexicon, parse_answer
from chainrule.language.reading.context import Star
from chainrule.language.reading.functions import Functions
from chainrule.language.reading.statements import MAX_LINE, too_long
from chainrule.language.reading.tokens import Line
from chainrule.language.reading.tree import Node
from chainrule.teaching.marking.answer_elaboration import AnswerElaborator
from chainrule.teaching.marking.line_context import Claims, HeldFixed, JacobianLayout, LineContext

_STROKE = re.compile(r"/\s*(?:[\w.]|\([^()]*\))+\s*[\w(\[\\]")
_ONES = re.compile(r"(?<![\w.^)\]}])(?:1(?=\s*(?:\\,)?\s*[^\W\d])|𝟏|\\mathbf\{?1)")
"""A 1 directly before a name."""

MAX_SIZE = 1000
"""The largest size of a matrix in an answer, those of the forward pass apart."""

MAX_NUMBER = 10**100

_OPERATOR = re.compile(r"\\frac\s*\{\s*(?:\\partial|∂|d|\\mathrm\{d\})\s*\}")
_EXAMPLE = re.compile(r"\^\s*\{?\s*(?:\[[^\]]*\]\s*)?\(\s*([i-n])\s*\)")

_ELEMENTWISE = ("*", "⊙", "∘", "odot", "circ", "×")


@dataclass(frozen=True)
class Reading:
    """One interpretation of an ambiguous text.

    Parameters
    ----------
    star : Star
        The meaning of ``*``.
    greedy : bool
        Whether a sum reaches over the plus signs behind it.
    layout : JacobianLayout
        The layout of the derivative of a vector with respect to a vector.
    flat : bool
        Whether all products are taken from left to right.
    below : bool
        Whether all that stands side by side behind a stroke is below it.
    lone : int
        The axis of a lone index of a matrix, where it is ambiguous.
    apart : bool
        Whether two letters stand for two different places.
    ones : Dim
        The length of a column of ones, where it is ambiguous.
    example : str
        The example that names without an index are read at.
    wide : bool
        Whether a sign such as ``∂/∂w`` reaches over the whole product behind it.
    holding : HeldFixed
        Which values derivatives of intermediate values hold fixed.
    """

    star: Star = Star.ENTRIES
    greedy: bool = False
    layout: JacobianLayout = JacobianLayout.ENTRIES
    flat: bool = False
    below: bool = False
    lone: int = 0
    apart: bool = False
    ones: Dim = 1
    example: str = ""
    wide: bool = False
    holding: HeldFixed = HeldFixed.NOTHING

    def context(self, model: Model, lexicon: Lexicon, line: Line, claims: Claims) -> LineContext:
        """Return the context of a line in this interpretation."""
        return LineContext(model, lexicon, line, self.layout, claims=claims, holding=self.holding)


PARTIAL = tuple(Reading(holding=kind) for kind in HeldFixed if kind is not HeldFixed.NOTHING)
"""The interpretations of a derivative of an intermediate value as a partial one."""


def readings(text: str, ones: Dim = 1, *, code: bool = False) -> Iterator[Reading]:
    """Yield the interpretations that a text allows, the plainest first.

    Parameters
    ----------
    text : str
        The text.
    ones : Dim, optional
        The length of a column of ones, where it is ambiguous, as in ``1 g``.
    code : bool
        Whether it is code, in which `*` has one meaning.
    """
    stars: tuple[Star, ...] = (Star.ENTRIES, Star.LOOSE)
    if code:
        stars = (Star.ENTRIES,)  # NumPy has one meaning for it
    elif "*" in text:
        stars = (Star.ENTRIES, Star.MATRIX, Star.LOOSE)
    sums = any(word in text for word in ("sum", "∑", "Σ"))
    reaches = (False, True) if sums else (False,)
    slopes = text.count("∂") + text.count("partial") + text.count("/d") + text.count("d}{")
    layouts = tuple(JacobianLayout) if slopes else (JacobianLayout.ENTRIES,)
    orders = (False, True) if any(mark in text for mark in _ELEMENTWISE) else (False,)
    lengths = (1, ones) if ones != 1 and _ONES.search(text) else (1,)
    for layout in layouts:
        for greedy in reaches:
            for flat in orders:
                for star in stars:
                    for length in lengths:
                        yield Reading(star, greedy, layout, flat, ones=length)
    if _STROKE.search(text):
        for greedy in reaches:
            for star in stars:
                yield Reading(star, greedy, below=True)
    if "_" in text or "[" in text:
        for greedy in reaches:
            for star in stars:
                yield Reading(star, greedy, lone=1)
    if slopes and "_" in text:
        yield Reading(apart=True)
    if _OPERATOR.search(text):
        for greedy in reaches:
            yield Reading(Star.LOOSE, greedy, wide=True)
    if (marked := _EXAMPLE.search(text)) is not None:
        yield Reading(Star.LOOSE, example=marked[1])


_AROUND = re.compile(r"\\[\[\]()]|(?<=\s)#.*$|[.;,]+\s*$")


def line_of(text: str, number: int = 1) -> Line:
    """Return a text as one line, within the limit on its length.

    The marks around a formula, the stop behind it and a comment become spaces, so that every place
    in it stays where it was.

    Raises
    ------
    ParseError
        When it is too long.
    """
    if len(text) > MAX_LINE:
        raise too_long(number, len(text), MAX_LINE)
    whole = " ".join(normalize("NFC", text).splitlines())
    bare = _AROUND.sub(lambda found: " " * len(found[0]), whole)
    return Line(bare.rstrip(), number)


def tree(
    line: Line, lexicon: Lexicon, reading: Reading, start: int = 0, stop: int | None = None
) -> Node:
    """Return the syntax tree of a part of a line."""
    end = len(line.text) if stop is None else stop
    if "Σ" in line.text and "Sigma" not in lexicon.scope:
        line = Line(line.text.replace("Σ", "∑"), line.number)  # a capital letter for the sign
    declared = lexicon.declared()
    return parse_answer(
        line,
        start,
        end,
        declared,
        greedy=reading.greedy,
        flat=reading.flat,
        below=reading.below,
        wide=reading.wide,
        functions=Functions.of(lexicon.model).known,
    )


def expression(node: Node, context: LineContext, reading: Reading) -> Expr:
    """Build the expression of a tree.

    Raises
    ------
    ParseError
        `UnmetError` where shapes do not meet, `ScopeError` where an index is out of scope,
        `UndecidedError` where the meaning is clear and cannot be judged.
    """
    scope = context.lexicon.scope
    shapes = (symbol.shape for symbol in context.model.symbols)
    dims = {name for shape in shapes for dim in shape for name in base_names(dim)}
    meaning = AnswerElaborator(
        context.line,
        scope,
        dims,
        star=reading.star,
        context=context,
        ones=reading.ones,
        lone=reading.lone,
        example=reading.example,
        functions=Functions.of(context.model),
        answer=True,
    )
    expr = meaning.whole(node)
    known = {dim for symbol in context.model.symbols for dim in symbol.shape}
    for part in walk(expr):
        if isinstance(part, Number) and abs(part.value) > MAX_NUMBER:
            message = "a number in this is past the limit of 1e100; leave it out"
            raise context.line.error(message, node.start, LimitError)
        for dim in part.shape:
            if isinstance(dim, int) and dim > MAX_SIZE and dim not in known:
                raise context.line.error(
                    f"a matrix with {dim} entries along an axis is past the limit of {MAX_SIZE}; "
                    "use a size of the forward pass",
                    node.start,
                    LimitError,
                )
    return expr
