"""Text: the language of forward passes, which reads back, and a Unicode form for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise

from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import Expr, Symbol
from chainrule.calculus.graph.op import Op
from chainrule.language.typeset.comparisons import COMPARISONS
from chainrule.language.typeset.layout import Term, Unplaced, typeset
from chainrule.language.typeset.names import name_parts


class Plain(Unplaced):
    """Medium of the language of forward passes: ASCII wherever the names are."""

    fractions_hold = False
    sigma = "sum_"
    d = "d"
    dot = " * "

    def symbol(self, symbol: Symbol) -> str:
        """Set a name as it was written."""
        return symbol.name

    def number(self, value: Fraction) -> str:
        """Set a number."""
        return str(value)

    def word(self, text: str) -> str:
        """Set the name of a dimension."""
        return text

    def ones(self, *, row: bool) -> str:
        """Set the vector of ones."""
        return "1^T" if row else "1"

    def brackets(self, body: str) -> str:
        """Put brackets around."""
        return f"({body})"

    def terms(self, signed: Sequence[Term]) -> str:
        """Join terms."""
        first, *rest = signed
        head = f"-{first.text}" if first.minus else first.text
        return head + "".join(f" {'-' if term.minus else '+'} {term.text}" for term in rest)

    def table(self, signed: Sequence[Term]) -> str:
        """Join rows and columns by the signs that repeat both."""
        first, *rest = signed
        head = f"-{first.text}" if first.minus else first.text
        return head + "".join(f" {'.-' if term.minus else '.+'} {term.text}" for term in rest)

    def product(self, op: Op, factors: list[str]) -> str:
        """Join by the glyph of the language."""
        return op.notation.plain.join(factors)

    def juxtapose(self, factors: list[str]) -> str:
        """Set side by side; a bracket needs no space before it."""
        text = factors[0]
        for left, factor in pairwise(factors):
            tight = factor.startswith("(") and not left.endswith("T")
            text += factor if tight else f" {factor}"
        return text

    def dotted(self, factors: list[str]) -> str:
        """Join by dots."""
        return self.dot.join(factors)

    def fraction(self, top: str, bottom: str) -> str:
        """Set on one line."""
        return f"{top}/{bottom}"

    def power(self, base: str, exponent: str) -> str:
        """Set an exponent."""
        simple = exponent.isdigit() or (exponent.isidentifier() and exponent != "T")
        return f"{base}^{exponent}" if simple else f"{base}^({exponent})"

    def entry_power(self, base: str, exponent: str) -> str:
        """Set the power of every entry."""
        simple = exponent.isdigit()
        return f"{base} .^ {exponent}" if simple else f"{base} .^ ({exponent})"

    def entry_fraction(self, top: str, bottom: str) -> str:
        """Set a number over every entry."""
        return f"{top} ./ {bottom}"

    def postfix(self, op: Op, body: str) -> str:
        """Set a glyph behind."""
        return body + op.notation.plain

    def postfixes(self, ops: list[Op], body: str) -> str:
        """Set two glyphs behind as one."""
        first, second = (op.notation.plain for op in ops)
        return body + first.rstrip("1") + second.removeprefix("^")

    def function(self, op: Op, body: str, options: str) -> str:
        """Set a call."""
        return f"{op.notation.plain}({_arguments(op, body, options)})"

    def constant(self, op: Op) -> str:
        """Set a constant by its name."""
        return op.notation.plain

    def listed(self, arguments: list[str]) -> str:
        """Set arguments with commas."""
        return ", ".join(arguments)

    def fence(self, op: Op, body: str) -> str:
        """Set between fences."""
        return op.notation.plain.replace("|", body)

    def comparison(self, sign: str, left: str, right: str) -> str:
        """Set a mask as it is typed."""
        return f"[{left} {sign} {right}]"

    def part(self, base: str, ranges: list[tuple[str, str]]) -> str:
        """Set a part as it is typed."""
        return f"{base}[{', '.join(':'.join(bounds) for bounds in ranges)}]"

    def stack(self, blocks: list[str], beside: bool) -> str:
        """Set blocks on one line."""
        return f"[{(', ' if beside else '; ').join(blocks)}]"

    def entry(self, base: Symbol | str, places: list[str], lowered: bool) -> str:
        """Set a cell."""
        if isinstance(base, Symbol):
            parts = name_parts(base.name)
            name = base.name
            if lowered and parts.lowered() != parts:
                name = base.name.replace(parts.base, parts.lowered().base, 1)
            separator = "," if parts.sub and not parts.tight else "_"
            return f"{name}{separator}{''.join(places)}"
        return f"{base}_{''.join(places)}"

    def total(self, index: Index, body: str) -> str:
        """Set a sum."""
        return f"{self.sigma}{index.name} {body}"

    def round_sum(self, counter: str, first: str, last: str, body: str) -> str:
        """Set a sum over rounds."""
        return f"{self.sigma}{{{counter}={first}}}^{{{last}}} {body}"

    def partial(self, of: str, wrt: str) -> str:
        """Set a derivative."""
        return f"{self.d}{of}/{self.d}{wrt}"


class Unicode(Plain):
    """Medium of the terminal: hats, Greek letters, ⊙, ∂ and Σ."""

    sigma = "Σ_"
    d = "∂"
    dot = " · "

    def symbol(self, symbol: Symbol) -> str:
        """Set a name with its accents."""
        return name_parts(symbol.name).unicode()

    def table(self, signed: Sequence[Term]) -> str:
        """Join terms; the shapes below the line say that both are repeated."""
        return self.terms(signed)

    def product(self, op: Op, factors: list[str]) -> str:
        """Join by the glyph."""
        return (op.notation.unicode or op.notation.plain).join(factors)

    def function(self, op: Op, body: str, options: str) -> str:
        """Set a call."""
        glyph = op.notation.unicode or op.notation.plain
        return f"{glyph}({_arguments(op, body, options)})"

    def postfixes(self, ops: list[Op], body: str) -> str:
        """Set two glyphs behind as one."""
        return super().postfixes(ops, body).replace("^-T", "⁻ᵀ")

    def constant(self, op: Op) -> str:
        """Set a constant by its letter."""
        return op.notation.unicode

    def fence(self, op: Op, body: str) -> str:
        """Set between fences."""
        return op.notation.unicode.replace("|", body)

    def comparison(self, sign: str, left: str, right: str) -> str:
        """Set a mask with the signs of print."""
        return f"[{left} {COMPARISONS[sign]} {right}]"

    def power(self, base: str, exponent: str) -> str:
        """Set an exponent; squares and cubes as one glyph."""
        glyph = {"2": "²", "3": "³"}.get(exponent)
        return base + glyph if glyph else super().power(base, exponent)

    def entry_power(self, base: str, exponent: str) -> str:
        """Set the power of every entry."""
        return f"{base}^∘{exponent}" if exponent.isdigit() else f"{base}^∘({exponent})"

    def entry_fraction(self, top: str, bottom: str) -> str:
        """Set a number over every entry."""
        return f"{top} ⊘ {bottom}"

    def entry(self, base: Symbol | str, places: list[str], lowered: bool) -> str:
        """Set a cell."""
        if isinstance(base, str):
            return super().entry(base, places, lowered)
        parts = name_parts(base.name)
        name = (parts.lowered() if lowered else parts).unicode()
        separator = "," if parts.sub and not parts.tight else "_"
        return f"{name}{separator}{''.join(places)}"


_PLAIN, _UNICODE = Plain(), Unicode()


def plain(expr: Expr) -> str:
    """Write an expression in the language of forward passes, which reads back.

    Parameters
    ----------
    expr : Expr
        An expression: of a model, a gradient or a step.

    Returns
    -------
    str

    Examples
    --------
    >>> from chainrule import ModelBuilder, plain
    >>> m = ModelBuilder()
    >>> A, Y, X = m.input("A", 1, "m"), m.input("Y", 1, "m"), m.input("X", "n", "m")
    >>> plain((A - Y) @ X.T)
    '(A - Y) X^T'
    """
    return typeset(expr, _PLAIN)


def unicode(expr: Expr) -> str:
    """Write an expression in Unicode, for the terminal.

    Parameters
    ----------
    expr : Expr
        An expression: of a model, a gradient or a step.

    Returns
    -------
    str

    Examples
    --------
    >>> from chainrule import ModelBuilder, unicode
    >>> m = ModelBuilder()
    >>> unicode(m.input("theta") - m.input("y"))
    'θ - y'
    """
    return typeset(expr, _UNICODE)


def _arguments(op: Op, body: str, options: str) -> str:
    """Return the arguments of a call, with its options behind them or before them."""
    parts = [options, body] if op.notation.leading else [body, options]
    return ", ".join(part for part in parts if part)
