"""Expressions of a loss as exact fractions of polynomials.

With v an affine function of the score, such as z or (z - y)/c, all that a derived l' or l'' is made
of is algebraic in v, t = e^(v/k), square roots and the target: sigmoids and tanh are fractions in
t. Minima, masks and absolute values are resolved on a range of v where none of them switches.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from math import isqrt

from chainrule.calculus.graph.node import Apply, Expr, Number, walk
from chainrule.calculus.ops import replace
from chainrule.emission import polynomial as p
from chainrule.emission.affine import EXPONENTIALS, Affine, affine
from chainrule.emission.formula import SCORE, TARGET
from chainrule.emission.polynomial import Poly, Variables
from chainrule.engine.losses.facts import Targets

LINE, EXPONENTIAL, SHIFT, EULER = "v", "t", "s", "e"


class NotAlgebraicError(Exception):
    """An expression is not a fraction of polynomials in the variables here."""


@dataclass
class Quotient:
    """A polynomial over a product of powers of polynomials, which is nowhere 0."""

    top: Poly
    below: dict[tuple[tuple[p.Monomial, Fraction], ...], int] = field(default_factory=dict)


@dataclass
class Algebra:
    """Turns expressions into fractions, at one target or for all of them.

    Parameters
    ----------
    line : Affine
        v.
    denominator : int
        k in t = e^(v/k).
    targets : Targets
    y : Fraction or None
        A target, or None for all.
    at : Fraction or None
        A value of v that says which way minima, masks and absolute values go; None where there
        are none.
    root : int
        The target is s^root.

    Attributes
    ----------
    kinks : list of Poly
        What the minima and masks compare with 0.
    squares : dict of str to Poly
        The squares of the square roots.
    certain : set of str
        The square roots that are nowhere 0.
    least : dict of str to Fraction
        Lower bounds > 0 of these.
    ratios : dict of Expr to str
        The variables of ratios of a density to its distribution function.
    lemmas : list of (Poly, str)
        What is known of these.
    """

    line: Affine
    denominator: int
    targets: Targets
    y: Fraction | None = None
    at: Fraction | None = None
    root: int = 1
    kinks: list[Poly] = field(default_factory=list)
    squares: dict[str, Poly] = field(default_factory=dict)
    certain: set[str] = field(default_factory=set)
    least: dict[str, Fraction] = field(default_factory=dict)
    ratios: dict[Expr, str] = field(default_factory=dict)
    lemmas: list[tuple[Poly, str]] = field(default_factory=list)
    _found: dict[Expr, Quotient] = field(default_factory=dict)

    @property
    def known(self) -> Variables:
        """Known facts about the variables."""
        strict = {EXPONENTIAL, EULER, *self.ratios.values()}
        strict |= self.certain
        strict |= set() if self.targets.has_low else {SHIFT}
        return Variables(
            frozenset({EXPONENTIAL, SHIFT, EULER, *self.squares, *self.ratios.values()}),
            frozenset(strict),
            dict(self.squares),
            tuple(self.lemmas),
            dict(self.least),
        )

    def fraction(self, expr: Expr) -> Quotient:
        """Return an expression as a fraction.

        Raises
        ------
        NotAlgebraicError
        """
        expr = at_target(expr, self.y)
        for node in walk(expr):
            if node not in self._found:
                # logarithms and the like are read where an exponential has them as its exponent
                try:
                    self._found[node] = self._fraction(node)
                except NotAlgebraicError:
                    if node is expr:
                        raise
        return self._found[expr]

    def _of(self, expr: Expr) -> Quotient:
        if expr not in self._found:
            raise NotAlgebraicError(repr(expr))
        return self._found[expr]

    def _fraction(self, expr: Expr) -> Quotient:
        if isinstance(expr, Number):
            return Quotient(p.number(expr.value))
        if expr is TARGET:
            return self._target()
        if expr is SCORE:
            return self._score()
        if not isinstance(expr, Apply):
            raise NotAlgebraicError(repr(expr))
        name = expr.op.name
        if name in EXPONENTIALS:
            return self._of_exponential(name, expr.args[0])
        if name in ("gumbel_mills", "inverse_mills"):
            return self._ratio(expr)
        args = [self._of(arg) for arg in expr.args]
        if name == "add":
            total = args[0]
            for arg in args[1:]:
                total = self.plus(total, arg)
            return total
        if name == "mul":
            product = args[0]
            for arg in args[1:]:
                product = self.times(product, arg)
            return product
        if name == "neg":
            return self.times(Quotient(p.number(-1)), args[0])
        if name == "div":
            return self.times(args[0], self.inverse(args[1]))
        if name == "power":
            return self._power(args[0], Fraction(expr.attrs[0]))
        if name == "sqrt":
            return self._root(args[0])
        return self._switched(name, args)

    def _target(self) -> Quotient:
        if self.y is not None:
            return Quotient(p.number(self.y))
        low, high = self.targets.low, self.targets.high
        if low == float("-inf"):
            return Quotient(p.variable("y"))
        start = Quotient(p.number(Fraction(low)))
        shift = Quotient(p.variable(SHIFT, self.root))
        if high == float("inf"):
            return self.plus(start, shift)
        one = p.number(1)
        share = self.times(shift, self.inverse(Quotient(p.added(one, p.variable(SHIFT)))))
        width = Quotient(p.number(Fraction(high) - Fraction(low)))
        return self.plus(start, self.times(width, share))

    def _score(self) -> Quotient:
        if not self.line.z or self.line.rest:
            raise NotAlgebraicError("the score itself")
        offset = p.added(p.variable(LINE), p.number(self.line.one), -1)
        line = Quotient(offset)
        if self.line.y:
            line = self.plus(line, self.times(Quotient(p.number(-self.line.y)), self._target()))
        return self.times(Quotient(p.number(1 / self.line.z)), line)

    def _of_exponential(self, name: str, exponent: Expr) -> Quotient:
        base = self._exponential(exponent)
        one = Quotient(p.number(1))
        minus = Quotient(p.number(-1))
        if name == "exp":
            return base
        if name == "expm1":
            return self.plus(base, minus)
        if name == "sigmoid":
            return self.times(base, self.inverse(self.plus(one, base)))
        square, half = self.times(base, base), Quotient(p.number(Fraction(1, 2)))
        if name == "tanh":
            top, bottom = self.plus(square, minus), self.plus(square, one)
            return self.times(top, self.inverse(bottom))
        sign = one if name == "cosh" else minus
        down = self.inverse(base)
        return self.times(half, self.plus(base, self.times(sign, down)))

    def _exponential(self, exponent: Expr) -> Quotient:
        form = affine(exponent)
        if form is None:
            raise NotAlgebraicError(repr(exponent))
        share = form.z / self.line.z if self.line.z else Fraction(0)
        left = form.plus(self.line, -share)
        steps = share * self.denominator
        if left.z or left.y or left.one.denominator != 1 or steps.denominator != 1:
            raise NotAlgebraicError(repr(exponent))
        found = self._power(Quotient(p.variable(EXPONENTIAL)), steps)
        found = self.times(found, self._power(Quotient(p.variable(EULER)), left.one))
        for node, times in left.rest:
            found = self.times(found, self._of_logarithm(node, times))
        return found

    def _of_logarithm(self, node: Expr, times: Fraction) -> Quotient:
        """Return e^(times log u) = u^times."""
        if not (isinstance(node, Apply) and node.op.name in ("log", "log1p")):
            raise NotAlgebraicError(repr(node))
        inner = self.fraction(node.args[0])
        if node.op.name == "log1p":
            inner = self.plus(Quotient(p.number(1)), inner)
        return self._power(inner, times)

    def _ratio(self, expr: Apply) -> Quotient:
        """Return a variable for a density over its distribution function, and note its lemmas."""
        (argument,) = expr.args
        name = f"r{len(self.ratios) + 1}"
        ratio, one = p.variable(name), p.number(1)
        gumbel = expr.op.name == "gumbel_mills"
        inner = self._exponential(argument) if gumbel else self._of(argument)
        if inner.below:
            raise NotAlgebraicError(repr(expr))
        self.ratios[expr] = name
        if gumbel:
            lemma = p.added(p.added(ratio, inner.top), one, -1)
            why = f"{name} = u/(e^u - 1) >= 1 - u, for e^u <= 1/(1 - u) where u < 1"
            self.lemmas.append((lemma, why))
        else:
            lemma = p.added(ratio, inner.top)
            self.lemmas.append((lemma, f"{name} = phi(x)/Phi(x) > -x (Gordon 1941)"))
            slope = p.added(one, p.multiplied(ratio, lemma, self.known), -1)
            self.lemmas.append((slope, f"{name} (x + {name}) < 1 (Sampford 1953)"))
        return Quotient(ratio)

    def _power(self, base: Quotient, exponent: Fraction) -> Quotient:
        if not base.below and len(base.top) == 1:
            ((monomial, value),) = base.top.items()
            powers = [(name, k * abs(exponent)) for name, k in monomial]
            # a whole power of each variable; of a product of variables >= 0, also by a fraction
            if value == 1 and all(
                k.denominator == 1 and (exponent.denominator == 1 or name in self.known.positive)
                for name, k in powers
            ):
                raised = {tuple((name, int(k)) for name, k in powers if k): Fraction(1)}
                found = Quotient(p.multiplied(raised, p.number(1), self.known))
                return found if exponent >= 0 else self.inverse(found)
        if exponent.denominator == 2:
            return self._power(self._root(base), exponent * 2)
        if exponent.denominator != 1:
            raise NotAlgebraicError("a power that is neither whole nor a root")
        found, square, left = Quotient(p.number(1)), base, abs(int(exponent))
        while left:
            if left % 2:
                found = self.times(found, square)
            left //= 2
            square = self.times(square, square) if left else square
        return found if exponent >= 0 else self.inverse(found)

    def _root(self, base: Quotient) -> Quotient:
        if base.below:
            top = self._root(Quotient(base.top))
            found = top
            for factor, count in base.below.items():
                bottom = Quotient(dict(factor))
                below = self._power(bottom, Fraction(count, 2))
                found = self.times(found, self.inverse(below))
            return found
        constant = base.top.get(()) if len(base.top) == 1 else None
        if constant is not None and constant > 0:
            root = _root_below(constant)
            if root * root == constant:
                return Quotient(p.number(root))
        for name, square in self.squares.items():
            if square == base.top:
                return Quotient(p.variable(name))
        if not p.nonnegative(base.top, self.known):
            raise NotAlgebraicError("a root of what may be negative")
        name = f"q{len(self.squares) + 1}"
        if p.positive(base.top, self.known):
            self.certain.add(name)
            floor = p.floor(base.top, self.known)
            if floor:
                self.least[name] = _root_below(floor)
        self.squares[name] = base.top
        return Quotient(p.variable(name))

    def _switched(self, name: str, args: list[Quotient]) -> Quotient:
        """Resolve what switches, at the value of v that stands for its range."""
        zero = Quotient({})
        first = args[0]
        if name in ("maximum", "minimum"):
            compared = self.plus(first, self.times(Quotient(p.number(-1)), args[1]))
        elif name in ("relu", "step", "sign", "abs"):
            compared = first
        else:
            raise NotAlgebraicError(name)
        above = self._is_above(compared)
        match name:
            case "maximum":
                return first if above else args[1]
            case "minimum":
                return args[1] if above else first
            case "relu":
                return first if above else zero
            case "step":
                return Quotient(p.number(1)) if above else zero
            case "sign":
                return Quotient(p.number(1 if above else -1))
        return first if above else self.times(Quotient(p.number(-1)), first)

    def _is_above(self, compared: Quotient) -> bool:
        if compared.below or p.names(compared.top) - {LINE} or self.at is None:
            raise NotAlgebraicError("what switches depends on more than v")
        self.kinks.append(compared.top)
        value = sum(
            (c * self.at ** dict(m).get(LINE, 0) for m, c in compared.top.items()), Fraction(0)
        )
        return value > 0

    def plus(self, a: Quotient, b: Quotient) -> Quotient:
        """Return a + b over the common denominator."""
        below = {f: max(a.below.get(f, 0), b.below.get(f, 0)) for f in {**a.below, **b.below}}
        tops = []
        for part in (a, b):
            top = part.top
            for factor, count in below.items():
                missing = p.power(dict(factor), count - part.below.get(factor, 0), self.known)
                top = p.multiplied(top, missing, self.known)
            tops.append(top)
        return self._cancelled(Quotient(p.added(tops[0], tops[1]), below))

    def times(self, a: Quotient, b: Quotient) -> Quotient:
        """Return a b."""
        below = dict(a.below)
        for factor, count in b.below.items():
            below[factor] = below.get(factor, 0) + count
        return self._cancelled(Quotient(p.multiplied(a.top, b.top, self.known), below))

    def inverse(self, a: Quotient) -> Quotient:
        """Return 1 / a."""
        if not a.top:
            raise NotAlgebraicError("division by 0")
        top = p.number(1)
        for factor, count in a.below.items():
            top = p.multiplied(top, p.power(dict(factor), count, self.known), self.known)
        if len(a.top) == 1:  # one term: its variables are factors
            ((monomial, value),) = a.top.items()
            below = {tuple(p.variable(name).items()): count for name, count in monomial}
            return self._cancelled(Quotient(p.added({}, top, 1 / value), below))
        return self._cancelled(Quotient(top, {tuple(sorted(a.top.items())): 1}))

    def _cancelled(self, a: Quotient) -> Quotient:
        top, below = a.top, dict(a.below)
        if not top:
            return Quotient({})
        for factor in list(below):
            if len(factor) == 1 and len(factor[0][0]) == 1 and factor[0][0][0][1] == 1:
                ((name, _),), value = factor[0]  # a variable: all its powers at once
                times = min(below[factor], p.common_power(top, name))
                if value == 1 and times:
                    rest = p.quotient(top, p.variable(name, times))
                    assert rest is not None
                    top, below[factor] = rest, below[factor] - times
                continue
            while below[factor]:
                shared = p.quotient(top, dict(factor))
                if shared is None:
                    break
                top, below[factor] = shared, below[factor] - 1
        return Quotient(top, {f: count for f, count in below.items() if count})

    def nonnegative(self, a: Quotient) -> str | None:
        """Return the reason why a fraction is nowhere negative."""
        known = self.known
        for factor in a.below:
            if not p.positive(dict(factor), known):
                return None
        return p.nonnegative(a.top, known)

    def positive(self, a: Quotient) -> str | None:
        """Return the reason why a fraction is nowhere negative and nowhere 0."""
        reason = self.nonnegative(a) if p.positive(a.top, self.known) else None
        return f"{reason}, and it is nowhere 0" if reason else None


def at_target(expr: Expr, y: Fraction | None) -> Expr:
    """Put a target in, where there is one."""
    return expr if y is None else replace(expr, {TARGET: Number(y)})


def _root_below(value: Fraction) -> Fraction:
    """Return the square root of a number > 0 where it is rational, else a little less."""
    above, below = isqrt(value.numerator), isqrt(value.denominator)
    if Fraction(above * above, below * below) == value:
        return Fraction(above, below)
    return Fraction(isqrt(value.numerator * _SCALE**2 // value.denominator), _SCALE)


_SCALE = 10**6
