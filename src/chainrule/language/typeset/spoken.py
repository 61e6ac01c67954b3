"""Spoken form of an expression (alternative text for screen readers)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import Expr, Symbol
from chainrule.calculus.graph.op import Op
from chainrule.language.typeset.comparisons import SPOKEN
from chainrule.language.typeset.layout import Term, Unplaced, typeset
from chainrule.language.typeset.names import NameParts, name_parts

_POWERS = {"2": "squared", "3": "cubed"}


class Spoken(Unplaced):
    """Medium of spoken words; brackets are spoken only where they are needed."""

    fractions_hold = False

    def symbol(self, symbol: Symbol) -> str:
        """Say a name."""
        return _said(name_parts(symbol.name), [])

    def number(self, value: Fraction) -> str:
        """Say a number."""
        whole = value.denominator == 1
        return str(value.numerator) if whole else f"{value.numerator} over {value.denominator}"

    def word(self, text: str) -> str:
        """Say the name of a dimension."""
        return text

    def ones(self, *, row: bool) -> str:
        """Say the vector of ones."""
        return "a row of ones" if row else "a column of ones"

    def brackets(self, body: str) -> str:
        """Say where brackets begin and end."""
        return f"bracket {body} end bracket"

    def terms(self, signed: Sequence[Term]) -> str:
        """Say terms with their signs."""
        first, *rest = signed
        head = f"minus {first.text}" if first.minus else first.text
        return head + "".join(f" {'minus' if term.minus else 'plus'} {term.text}" for term in rest)

    def table(self, signed: Sequence[Term]) -> str:
        """Join rows and columns as terms."""
        return self.terms(signed)

    def product(self, op: Op, factors: list[str]) -> str:
        """Say an elementwise product."""
        return f" {op.notation.spoken} ".join(factors)

    def juxtapose(self, factors: list[str]) -> str:
        """Say what stands side by side."""
        return " times ".join(factors)

    def dotted(self, factors: list[str]) -> str:
        """Say the factors of a chain rule."""
        return " times ".join(factors)

    def fraction(self, top: str, bottom: str) -> str:
        """Say a fraction."""
        return f"{top} over {bottom}"

    def power(self, base: str, exponent: str) -> str:
        """Say a power."""
        return f"{base} {_POWERS.get(exponent, f'to the power {exponent}')}"

    def entry_power(self, base: str, exponent: str) -> str:
        """Say the power of every entry."""
        return f"{self.power(base, exponent)} entry by entry"

    def entry_fraction(self, top: str, bottom: str) -> str:
        """Say a number over every entry."""
        return f"{top} over every entry of {bottom}"

    def postfix(self, op: Op, body: str) -> str:
        """Say what stands behind."""
        return f"{body} {op.notation.spoken}"

    def postfixes(self, ops: list[Op], body: str) -> str:
        """Say what stands behind, one after the other."""
        return " ".join((body, *(op.notation.spoken for op in ops)))

    def function(self, op: Op, body: str, options: str) -> str:
        """Say a function of one argument."""
        said = f"{op.notation.spoken} {body}"
        if op.notation.leading:
            return f"{said} over {_as_words(options.replace('->', ' to ').replace(',', ' and '))}"
        if "=" in options:
            return f"{said} along {_as_words(options.replace(',', ' and'))}"
        return f"{said}, {options.replace(',', ' by')}" if options else said

    def constant(self, op: Op) -> str:
        """Say a constant."""
        return op.notation.spoken

    def listed(self, arguments: list[str]) -> str:
        """Say several arguments."""
        return " and ".join(arguments)

    def fence(self, op: Op, body: str) -> str:
        """Say a function that is written as fences."""
        return f"{op.notation.spoken} {body}"

    def comparison(self, sign: str, left: str, right: str) -> str:
        """Say where a mask is one."""
        return f"the mask where {left} {SPOKEN[sign]} {right}"

    def part(self, base: str, ranges: list[tuple[str, str]]) -> str:
        """Say which rows and columns are taken."""
        said = [
            f"{word} {first} to {end}"
            for word, (first, end) in zip(("rows", "columns"), ranges, strict=True)
            if end
        ]
        return f"{' and '.join(said)} of {base}"

    def stack(self, blocks: list[str], beside: bool) -> str:
        """Say blocks in order."""
        return (" beside " if beside else " on top of ").join(blocks)

    def entry(self, base: Symbol | str, places: list[str], lowered: bool) -> str:
        """Say a cell."""
        if isinstance(base, str):
            return f"{base} sub {' '.join(places)}"
        parts = name_parts(base.name)
        return _said(parts.lowered() if lowered else parts, places)

    def total(self, index: Index, body: str) -> str:
        """Say a sum over an index."""
        return f"the sum over {index.name} of {body}"

    def round_sum(self, counter: str, first: str, last: str, body: str) -> str:
        """Say a sum over rounds."""
        return f"the sum over {counter} from {first} to {last} of {body}"

    def partial(self, of: str, wrt: str) -> str:
        """Say a derivative."""
        return f"the derivative of {of} with respect to {wrt}"


_SPOKEN = Spoken()


def spoken(expr: Expr) -> str:
    """Return the spoken form of an expression.

    >>> from chainrule.calculus.graph.node import Symbol
    >>> A, Y, X = Symbol("A", (1, "m")), Symbol("Y", (1, "m")), Symbol("X", ("n", "m"))
    >>> spoken((A - Y) @ X.T)
    'bracket A minus Y end bracket times X transposed'
    """
    return typeset(expr, _SPOKEN)


def _said(parts: NameParts, places: list[str]) -> str:
    words = [parts.base, parts.accent, *(["prime"] * len(parts.primes))]
    words += ["of layer", _counted(parts.layer)] if parts.layer else []
    below = [_counted(parts.sub), *places] if parts.sub else places
    return " ".join([word for word in words if word] + (["sub", *below] if below else []))


def _counted(index: str) -> str:
    """Say an index relative to a round: ``t+1``."""
    return index.replace("+", " plus ").replace("-", " minus ")


def _as_words(options: str) -> str:
    """Return options without their signs."""
    return " ".join(re.findall(r"\w+", options))
