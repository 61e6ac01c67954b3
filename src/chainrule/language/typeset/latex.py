"""LaTeX that compiles with plain amsmath."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from chainrule.calculus.graph.dims import Index
from chainrule.calculus.graph.node import Expr, Symbol
from chainrule.calculus.graph.op import Op
from chainrule.language.typeset.layout import Term, Unplaced, typeset
from chainrule.language.typeset.names import PIECES, NameParts, name_parts


class Latex(Unplaced):
    """Sets pieces in LaTeX."""

    fractions_hold = True

    def symbol(self, symbol: Symbol) -> str:
        """Set a name."""
        return _set_name(name_parts(symbol.name), [])

    def number(self, value: Fraction) -> str:
        """Set a number."""
        if value.denominator == 1:
            return str(value.numerator)
        return rf"\tfrac{{{value.numerator}}}{{{value.denominator}}}"

    def word(self, text: str) -> str:
        """Set a size: a name, a number, or what is computed from these."""
        pieces = [
            piece if piece.isdecimal() else f" {piece} " if piece in "+-" else _size(piece)
            for piece in PIECES.findall(text)
        ]
        return "".join(pieces).strip()

    def ones(self, *, row: bool) -> str:
        """Set the vector of ones."""
        return r"\mathbf{1}^{\top}" if row else r"\mathbf{1}"

    def brackets(self, body: str) -> str:
        """Put brackets around, as high as the body."""
        if r"\frac" in body or r"\sum" in body:
            return rf"\left({body}\right)"
        return f"({body})"

    def terms(self, signed: Sequence[Term]) -> str:
        """Join terms."""
        first, *rest = signed
        head = f"-{first.text}" if first.minus else first.text
        return head + "".join(f" {'-' if term.minus else '+'} {term.text}" for term in rest)

    def table(self, signed: Sequence[Term]) -> str:
        """Join rows and columns as terms."""
        return self.terms(signed)

    def product(self, op: Op, factors: list[str]) -> str:
        """Join by the glyph."""
        return op.notation.latex.join(factors)

    def juxtapose(self, factors: list[str]) -> str:
        """Set side by side, with a thin space."""
        return r"\,".join(factors)

    def dotted(self, factors: list[str]) -> str:
        """Join by dots."""
        return r" \cdot ".join(factors)

    def fraction(self, top: str, bottom: str) -> str:
        """Set one over the other."""
        return rf"\frac{{{top}}}{{{bottom}}}"

    def power(self, base: str, exponent: str) -> str:
        """Set an exponent."""
        return f"{{{base}}}^{{{exponent}}}" if "^" in base else f"{base}^{{{exponent}}}"

    def entry_power(self, base: str, exponent: str) -> str:
        """Set the power of every entry."""
        return self.power(base, rf"\circ {exponent}")

    def entry_fraction(self, top: str, bottom: str) -> str:
        """Set a number over every entry."""
        return rf"{top} \oslash {bottom}"

    def postfix(self, op: Op, body: str) -> str:
        """Set a glyph behind."""
        return f"{{{body}}}{op.notation.latex}" if "^" in body else body + op.notation.latex

    def postfixes(self, ops: list[Op], body: str) -> str:
        """Set two glyphs behind as one."""
        first, second = (op.notation.latex.strip("^{}") for op in ops)
        raised = f"^{{{first.rstrip('1')}{second}}}"
        return f"{{{body}}}{raised}" if "^" in body else body + raised

    def function(self, op: Op, body: str, options: str) -> str:
        """Set a function."""
        name = op.notation.latex
        if options:
            name += rf"_{{\text{{{options}}}}}"
        return f"{name}{self.brackets(body)}"

    def constant(self, op: Op) -> str:
        """Set a constant."""
        return op.notation.latex

    def listed(self, arguments: list[str]) -> str:
        """Set arguments with commas."""
        return ", ".join(arguments)

    def fence(self, op: Op, body: str) -> str:
        """Set between fences."""
        glyph = op.notation.latex
        if "|" not in glyph:
            return f"{glyph}{{{body}}}"
        before, after = glyph.split("|")
        return f"{before}{{{body}}}{after}" if glyph.startswith("\\") else before + body + after

    def comparison(self, sign: str, left: str, right: str) -> str:
        """Set a mask in brackets."""
        shown = {"<=": r"\le", ">=": r"\ge", "==": "=", "!=": r"\ne"}.get(sign, sign)
        return f"[{left} {shown} {right}]"

    def part(self, base: str, ranges: list[tuple[str, str]]) -> str:
        """Set a part by its ranges, in brackets behind it."""
        shown = r",\,".join("{:}".join(bounds) for bounds in ranges)
        return rf"{base}\left[{shown}\right]"

    def stack(self, blocks: list[str], beside: bool) -> str:
        """Set a matrix of blocks."""
        inside = (" & " if beside else r" \\ ").join(blocks)
        return rf"\begin{{bmatrix}} {inside} \end{{bmatrix}}"

    def entry(self, base: Symbol | str, places: list[str], lowered: bool) -> str:
        """Set a cell."""
        if isinstance(base, str):
            return f"{base}_{{{''.join(places)}}}"
        parts = name_parts(base.name)
        return _set_name(parts.lowered() if lowered else parts, places)

    def total(self, index: Index, body: str) -> str:
        """Set a sum."""
        return rf"\sum_{{{index.name}=1}}^{{{self.word(str(index.dim))}}} {body}"

    def round_sum(self, counter: str, first: str, last: str, body: str) -> str:
        """Set a sum over rounds."""
        return rf"\sum_{{{counter}={first}}}^{{{last}}} {body}"

    def partial(self, of: str, wrt: str) -> str:
        """Set a derivative."""
        return rf"\frac{{\partial {of}}}{{\partial {wrt}}}"


def _size(name: str) -> str:
    """Set the name of a size; a word stays upright."""
    parts = name_parts(name)
    if len(parts.base) > 1 and not (parts.sub or parts.layer):
        return rf"\mathrm{{{parts.base}}}" if parts.base.isascii() else parts.latex_base()
    return _set_name(parts, [])


def _set_name(parts: NameParts, places: list[str]) -> str:
    text = parts.latex_base()
    below = ",".join(part for part in (parts.sub, "".join(places)) if part)
    if parts.layer:
        text += f"^{{[{parts.layer}]}}"
    return text + (f"_{{{below}}}" if below else "")


_LATEX = Latex()


def latex(expr: Expr) -> str:
    r"""Write an expression in LaTeX, without dollar signs.

    Parameters
    ----------
    expr : Expr
        An expression: of a model, a gradient or a step.

    Returns
    -------
    str

    Examples
    --------
    >>> from chainrule import ModelBuilder
    >>> m = ModelBuilder()
    >>> print(latex(m.input("yhat") - m.input("y")))
    \hat{y} - y
    """
    return typeset(expr, _LATEX)
