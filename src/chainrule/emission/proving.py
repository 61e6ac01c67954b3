"""Proofs of inequalities for a loss: for all scores and all targets, in exact arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import isqrt

import numpy as np

from chainrule.calculus.graph.node import Expr
from chainrule.emission import polynomial as p
from chainrule.emission.affine import Affine, common_line
from chainrule.emission.algebra import (
    EXPONENTIAL,
    LINE,
    SHIFT,
    Algebra,
    NotAlgebraicError,
    Quotient,
    at_target,
)
from chainrule.emission.polynomial import Poly
from chainrule.engine.losses.facts import Targets
from chainrule.language.typeset import plain

Build = Callable[[Algebra], Quotient]
_FEW = 3
_MOST_PIECES = 12


@dataclass(frozen=True)
class Piece:
    """A range of v at one target, or at all: low < v < high."""

    y: Fraction | None
    low: Fraction | None
    high: Fraction | None

    @property
    def inside(self) -> Fraction:
        """A value of v in the range."""
        if self.low is not None and self.high is not None:
            return (self.low + self.high) / 2
        if self.low is not None:
            return self.low + 1
        return self.high - 1 if self.high is not None else Fraction(1, 7)

    def __str__(self) -> str:
        """Say where it is."""
        low = f"{self.low} < " if self.low is not None else ""
        high = f" < {self.high}" if self.high is not None else ""
        where = [f"y = {self.y}"] if self.y is not None else []
        if low or high:
            where.append(f"{low}v{high}")
        return ", ".join(where)


@dataclass
class Prover:
    """Proves inequalities between expressions of one loss.

    Parameters
    ----------
    exprs : tuple of Expr
        All that will be spoken of: they choose v.
    targets : Targets
    root : int
        As in `Algebra`.
    """

    exprs: tuple[Expr, ...]
    targets: Targets
    root: int = 1

    def line(self, y: Fraction | None) -> tuple[Affine, int]:
        """Return v and k, which may depend on the target where targets are taken one by one."""
        return common_line(tuple(at_target(expr, y) for expr in self.exprs))

    def algebra(self, piece: Piece) -> Algebra:
        """Return the algebra of a piece."""
        line, denominator = self.line(piece.y)
        return Algebra(line, denominator, self.targets, piece.y, piece.inside, self.root)

    def pieces(self) -> list[Piece]:
        """Return the pieces on which nothing switches.

        Raises
        ------
        NotAlgebraicError
            When it cannot be said where something switches.
        """
        return [piece for y in self.cases() for piece in self._of_case(y)]

    def cases(self) -> list[Fraction | None]:
        """Return the targets one by one where they are few, else nothing in particular."""
        if self.targets.values:
            return [Fraction(y) for y in self.targets.values]
        low, high = self.targets.low, self.targets.high
        if self.targets.whole and high - low < _FEW:
            inside = range(int(low), int(high) + 1)
            return [Fraction(y) for y in inside if self.targets.holds(np.array(float(y)))]
        return [None]

    def _of_case(self, y: Fraction | None) -> Iterator[Piece]:
        ends: set[Fraction] = set()
        done: set[Fraction] = set()
        while True:
            borders = [None, *sorted(ends), None]
            found = [Piece(y, low, high) for low, high in pairwise(borders)]
            fresh = [piece for piece in found if piece.inside not in done]
            if not fresh or len(found) > _MOST_PIECES:
                break
            for piece in fresh:
                done.add(piece.inside)
                algebra = self.algebra(piece)
                for expr in self.exprs:
                    algebra.fraction(expr)
                for kink in algebra.kinks:
                    ends |= set(_roots(kink))
        yield from found

    def holds(self, build: Build, *, strictly: bool = False) -> str | None:
        """Return a proof that a value is nowhere negative, in words; nothing where there is none.

        Parameters
        ----------
        build : callable
            Gives the value as a fraction, in the algebra of a piece.
        strictly : bool
            Whether to prove that it is nowhere 0 either, inside the pieces.
        """
        said: list[str] = []
        letters: set[str] = set()
        try:
            for piece in self.pieces():
                algebra = self.algebra(piece)
                value = build(algebra)
                if strictly:
                    reason = algebra.positive(value)
                else:
                    reason = algebra.nonnegative(value) or _on_piece(algebra, value, piece)
                if reason is None:
                    return None
                where = f"for {piece}: " if str(piece) else ""
                letters |= {LINE} if (piece.low, piece.high) != (None, None) else set()
                letters |= p.names(value.top).union(*(p.names(dict(f)) for f in value.below))
                said.append(f"{where}{written(value)}, and {reason}")
        except NotAlgebraicError:
            return None
        return f"{self.legend(letters)}{'; '.join(dict.fromkeys(said))}"

    def rises(self, slope: Expr) -> bool:
        """Whether a slope, where the pieces of it meet, never jumps down as the score grows."""
        try:
            pieces = self.pieces()
            for left, right in pairwise(pieces):
                if left.high is None or left.y != right.y:
                    continue
                sides = []
                for piece in (left, right):
                    value = self.algebra(piece).fraction(slope)
                    if value.below or p.names(value.top) - {LINE, SHIFT, "y"}:
                        return False
                    sides.append(_at(value.top, left.high))
                jump = p.added(sides[1], sides[0], -1)
                rises = self.line(left.y)[0].z > 0
                known = self.algebra(left).known
                if not p.nonnegative(jump if rises else p.added({}, jump, -1), known):
                    return False
        except NotAlgebraicError:
            return False
        return True

    def legend(self, letters: set[str]) -> str:
        """Say what the letters of a proof stand for."""
        form, denominator = self.line(self.cases()[0])
        line = _affine_text(form) if len(self.cases()) == 1 else "z or -z"
        meanings = []
        if EXPONENTIAL in letters:
            share = f"({line})" if " " in line and denominator > 1 else line
            exponent = share if denominator == 1 else f"{share}/{denominator}"
            exponent = f"({exponent})" if " " in exponent or "/" in exponent else exponent
            meanings.append(f"t = e^{exponent} > 0")
        if LINE in letters and line != LINE:
            meanings.append(f"v = {line}")
        if SHIFT in letters:
            low = self.targets.low
            sign = ">=" if self.targets.has_low else ">"
            start = f"y - {low:g}" if low else "y"
            power = f"^{self.root}" if self.root > 1 else ""
            bounded = np.isfinite(self.targets.high)
            ratio = f"s = ({start})/({self.targets.high:g} - y), s {sign} 0"
            meanings.append(ratio if bounded else f"s{power} = {start}, s {sign} 0")
        return f"with {' and '.join(meanings)}: " if meanings else ""


def written(value: Quotient) -> str:
    """Write a fraction."""
    if not value.below:
        return p.text(value.top)
    factors = [
        _bracketed(p.text(dict(factor))) + (f"^{count}" if count > 1 else "")
        for factor, count in value.below.items()
    ]
    below = factors[0] if len(factors) == 1 else f"({' '.join(factors)})"
    return f"{_bracketed(p.text(value.top))}/{below}"


def _bracketed(text: str) -> str:
    return f"({text})" if " " in text else text


def _affine_text(line: Affine) -> str:
    parts = [(line.z, "z"), (line.y, "y"), *((value, plain(node)) for node, value in line.rest)]
    text = p.text({((name, 1),): value for value, name in parts if value})
    return text if not line.one else f"{text} + {line.one}"


def _on_piece(algebra: Algebra, value: Quotient, piece: Piece) -> str | None:
    """Prove that a fraction in v alone is nowhere negative on a range."""
    if (piece.low is None and piece.high is None) or p.names(value.top) - {LINE}:
        return None
    if not all(p.positive(dict(factor), algebra.known) for factor in value.below):
        return None
    dense = _dense(value.top)
    known = p.keeps_sign(dense, piece.low, piece.high)
    return "it has no sign change there, by Sturm's theorem in v" if known else None


def _dense(a: Poly) -> list[Fraction]:
    parts = {k: c.get((), Fraction(0)) for k, c in p.collected(a, LINE).items()}
    return [parts.get(k, Fraction(0)) for k in range(max(parts, default=0) + 1)]


def _at(a: Poly, v: Fraction) -> Poly:
    """Put a number in for v."""
    total: Poly = {}
    for power, rest in p.collected(a, LINE).items():
        total = p.added(total, rest, v**power)
    return total


def _roots(kink: Poly) -> list[Fraction]:
    """Return where something switches: the roots of a polynomial in v of degree 2 at most."""
    dense = _dense(kink)
    if len(dense) > 3:
        raise NotAlgebraicError("a switch that is not linear or quadratic")
    c, b, a = (*dense, Fraction(0), Fraction(0))[:3]
    if not a:
        return [-c / b] if b else []
    inside = b * b - 4 * a * c
    if inside < 0:
        return []
    above, below = isqrt(inside.numerator), isqrt(inside.denominator)
    root = Fraction(above, below)
    if root * root != inside:
        raise NotAlgebraicError("a switch at an irrational place")
    return [(-b - root) / (2 * a), (-b + root) / (2 * a)]
