"""One form for one value: what sums, products and fractions come to, however they were written.

An expression of sums, products, fractions and powers is a fraction of two polynomials in its atoms.
Reduced and factored it does not depend on how it was written, and neither does what is written
back: one fraction, or a fraction for every denominator, or a whole part and a fraction, each sum
with its common factors out, whichever is shortest to read. Only the order of letters is kept from
where the expression came from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce
from itertools import chain
from math import lcm
from typing import TypeAlias

from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, walk
from chainrule.calculus.graph.op import Op
from chainrule.calculus.ops import broadcast, div, mul, neg, power, rebuild, replace
from chainrule.calculus.rewriting.cost import display_cost
from chainrule.calculus.rewriting.factoring import (
    Coefficient,
    Exponents,
    Poly,
    Terms,
    TooLarge,
    common,
    divided,
    exactly,
    factored,
    number_in_front,
    plus,
    primitive,
    scaled,
    times,
    whole,
)
from chainrule.calculus.rewriting.letters import ROOT, based, letter_of
from chainrule.calculus.rewriting.open_sums import front_sums, squared_sums
from chainrule.calculus.rewriting.rule import is_op
from chainrule.calculus.rewriting.shortening import raise_exponents
from chainrule.calculus.rewriting.signature import ADD, DIV, MUL, NEG, POWER, same_form, signature
from chainrule.calculus.rewriting.signs import (
    is_sum,
    numbered,
    positive_first,
    raised,
    without_sign,
)

LARGEST_POWER = 8
MOST_READ = 90
"""Longer forms are left alone: nobody reads them for their shape."""

MOST_GROUPED = 8
"""Terms among which letters are looked for that some of them share."""

Pair: TypeAlias = tuple[Poly, Poly]
"""A fraction: what stands above the line and below."""

OPEN = frozenset((ADD, NEG, MUL, DIV, POWER))


def normal_form(expr: Expr) -> Expr:
    """Write an expression the way its value alone demands, where that is no longer to read.

    Where it would be longer, as for a square of a sum among other terms, its parts are written so,
    and taken together with the sums in them closed.

    Parameters
    ----------
    expr : Expr
        Sums, products, fractions and powers over anything else.
    """
    return expr if _is_one_product(expr) else _normal(expr, {})


def _is_one_product(expr: Expr) -> bool:
    """Whether an expression is a product of different letters and of sums of them, over others."""
    if _is(expr, NEG):
        expr = expr.args[0]
    sides = expr.args if _is(expr, DIV) else (expr,)
    factors = [f for s in sides for f in (s.args if _is(s, MUL) else (s,))]
    sums = [[letter_of(without_sign(term)[1]) for term in f.args] for f in factors if _is(f, ADD)]
    bases = [based(f)[0] for f in factors if not _is(f, ADD)]
    if any(isinstance(n, Number) and n.value.denominator != 1 for n in bases):
        return False
    if any(isinstance(n, Number) and abs(n.value) != 1 for terms in sums for n in terms):
        return False
    numbers = [n for n in bases if isinstance(n, Number)]
    named = [n for n in (*bases, *chain(*sums)) if not isinstance(n, Number)]
    single = all(sum(isinstance(n, Number) for n in terms) <= 1 for terms in sums)
    closed = not any(isinstance(n, Apply) and (n.op in OPEN or n.op is ROOT) for n in named)
    return single and closed and len(numbers) <= 2 and len(set(named)) == len(named)


def _is(expr: Expr, op: Op) -> bool:
    return isinstance(expr, Apply) and expr.op is op


def _normal(expr: Expr, known: dict[Expr, Expr]) -> Expr:
    if not isinstance(expr, Apply) or expr.op not in OPEN or _open_cost(expr) > MOST_READ:
        return expr
    if expr not in known:
        inner = rebuild(expr, tuple(_normal(arg, known) for arg in expr.args))
        forms = [_rewritten(expr, closed=False), inner, expr]
        if not {node for node in walk(inner) if _is(node, ADD)} <= set(front_sums(inner)):
            forms.insert(1, _rewritten(inner, closed=True))
        if any(squared_sums(expr)):
            forms.append(_rewritten(expr, closed=False, squares=True))
        best = _shortest(form for form in forms if form is not None)
        known[expr] = expr if same_form(best, expr) else best
    return known[expr]


def _open_cost(expr: Expr) -> int:
    """Return how much there is to read, with what stands inside functions as one letter each."""
    if display_cost(expr) <= MOST_READ:
        return display_cost(expr)
    closed = (node for node in walk(expr) if not (isinstance(node, Apply) and node.op in OPEN))
    letters: dict[Expr, Expr] = {
        node: node if isinstance(node, Number) else Symbol(f"the letter {k}", node.shape)
        for k, node in enumerate(closed)
    }
    return display_cost(replace(expr, letters))


def _rewritten(expr: Expr, *, closed: bool, squares: bool = False) -> Expr | None:
    """Write an expression anew; with the sums in it closed, or opened, or but those squared."""
    try:
        letters = _Letters(expr, closed=closed, squares=squares)
        above, below = letters.fraction(expr)
        if below:
            return broadcast(_Writer(letters).best(above, below), expr.shape)
    except (TooLarge, ZeroDivisionError):
        pass
    return None


@dataclass(frozen=True)
class _Atom:
    """A letter of the polynomials: a node, and the root of it that is taken as one letter."""

    node: Expr
    root: int
    place: int

    is_root: bool

    def to(self, exponent: int) -> Expr:
        if self.is_root and exponent % self.root:
            return power(Apply(ROOT, (self.node,)), exponent)
        return power(self.node, Fraction(exponent, self.root))


class _Letters:
    """The atoms of an expression, in an order that does not depend on how it was written."""

    def __init__(self, expr: Expr, *, closed: bool, squares: bool = False) -> None:
        self._opened = set(front_sums(expr)) if closed else None
        if squares:  # (x - mu)^2 stays a square, and x - mu one letter
            sums = {node for node in walk(expr) if _is(node, ADD)}
            self._opened = sums - set(squared_sums(expr))
        roots: dict[str, int] = {}
        nodes: dict[str, tuple[int, Expr]] = {}
        self._names: dict[Expr, str] = {}
        for place, node in enumerate(self._atoms(expr)):
            base, exponent = based(node)
            name = self._name(base)
            nodes.setdefault(name, (place, base))
            roots[name] = lcm(roots.get(name, 1), exponent.denominator)
        rooted = {node.args[0] for node in walk(expr) if _is_root(node)}
        self.atoms = [
            _Atom(node, roots[name], place, node in rooted and roots[name] == 2)
            for name, (place, node) in sorted(nodes.items())
        ]
        self.written: dict[str, tuple[int, Expr]] = {}
        for node in walk(expr):
            if isinstance(node, Apply) and node.op is ADD:
                sign, text = signature(node)
                self.written.setdefault(text, (sign, node))
        self._numbers = {name: k for k, name in enumerate(sorted(nodes))}

    def fraction(self, node: Expr) -> Pair:
        """Read an expression as a fraction, reduced."""
        above, below = self._fraction(node)
        shared = common(above, below) if above and below else self._number(1)
        one, other = exactly(above, shared), exactly(below, shared)
        return one or {}, other or {}

    def _fraction(self, node: Expr) -> Pair:
        if isinstance(node, Number):
            return self._number(node.value), self._number(1)
        known = self._numbers.get(self._name(based(node)[0]))
        if known is not None:
            return self._power_of(known, based(node)[1])
        assert isinstance(node, Apply)
        pairs = [self._fraction(arg) for arg in node.args]
        if node.op is NEG:
            return scaled(pairs[0][0], -1), pairs[0][1]
        if node.op is ADD:
            return reduce(_sum, pairs)
        if node.op is MUL:
            return reduce(lambda p, q: (times(p[0], q[0]), times(p[1], q[1])), pairs)
        if node.op is DIV:
            (a, b), (c, d) = pairs
            return times(a, d), times(b, c)
        (a, b), exponent = pairs[0], int(node.attrs[0])
        if exponent < 0:
            a, b = b, a
        result = self._number(1), self._number(1)
        for _ in range(abs(exponent)):
            result = times(result[0], a), times(result[1], b)
        return result

    def _atoms(self, expr: Expr) -> Iterator[Expr]:
        """Yield the atoms in the order in which they are written."""
        roots = {node.args[0] for node in walk(expr) if based(node)[1].denominator != 1}
        self._closed = {self._name(root) for root in roots}
        waiting = [expr]
        while waiting:  # in reading order
            node = waiting.pop()
            if isinstance(node, Number):
                continue
            if self._is_open(node):
                waiting.extend(reversed(node.args))
            else:
                yield node

    def _is_open(self, node: Expr) -> bool:
        if not isinstance(node, Apply) or self._name(node) in self._closed:
            return False
        if self._opened is not None and node.op is ADD and node not in self._opened:
            return False
        if node.op is POWER:
            exponent = node.attrs[0]
            return (
                exponent.denominator == 1
                and abs(exponent) <= LARGEST_POWER
                and self._name(node.args[0]) not in self._closed
            )
        return node.op in OPEN

    def _name(self, node: Expr) -> str:
        if node not in self._names:
            sign, text = signature(node)
            self._names[node] = f"{getattr(node, 'name', '~')} {text} {sign}"
        return self._names[node]

    def _number(self, value: Fraction | int) -> Poly:
        return {(0,) * len(self.atoms): whole(value)} if value else {}

    def _power_of(self, letter: int, exponent: Fraction) -> Pair:
        e = int(exponent * self.atoms[letter].root)
        key = tuple(abs(e) if k == letter else 0 for k in range(len(self.atoms)))
        pair: Pair = ({key: 1}, self._number(1))
        return pair if e >= 0 else (pair[1], pair[0])


def _is_root(node: Expr) -> bool:
    return isinstance(node, Apply) and node.op is ROOT


def _sum(p: Pair, q: Pair) -> Pair:
    """Add two fractions over their least common denominator."""
    shared = common(p[1], q[1]) if p[1] and q[1] else p[1]
    if not shared:
        raise ZeroDivisionError
    left, right = exactly(p[1], shared), exactly(q[1], shared)
    assert left is not None
    assert right is not None
    return plus(times(p[0], right), times(q[0], left)), times(p[1], right)


class _Writer:
    """Writes polynomials and fractions over given letters, as short as it finds."""

    def __init__(self, letters: _Letters) -> None:
        self.atoms = letters.atoms
        self._written = letters.written
        self.one: Poly = {(0,) * len(self.atoms): 1}
        self._known: dict[Terms, Expr] = {}
        self._term_by_term: dict[Terms, Expr] = {}
        self._monomials: dict[tuple[Exponents, Coefficient], Expr] = {}

    def best(self, above: Poly, below: Poly) -> Expr:
        """Write a reduced fraction."""
        if not above:
            return Number(0)
        return _shortest(self._forms(above, below))

    def _forms(self, above: Poly, below: Poly) -> Iterator[Expr]:
        yield self._one_line(above, below)
        parts = self._by_denominator(above, below)
        if len(parts) > 1:
            yield self._joined(self._one_line(*part) for part in parts)
        if len(parts) > 1:
            yield from self._with_factor_out(above, below)
        for factor, _ in factored(below):
            if len(factor) < 2:
                continue
            quotient, rest = divided(above, factor)
            if quotient and rest:
                left = exactly(below, factor)
                assert left is not None
                pieces = [self._reduced(quotient, left), (rest, below)]
                yield self._joined(self._one_line(*piece) for piece in pieces)

    def _with_factor_out(self, above: Poly, below: Poly) -> Iterator[Expr]:
        """Take what all terms share out of a sum of fractions."""
        letters: Poly = {tuple(min(column) for column in zip(*above, strict=True)): 1}
        sums = [f for f, e in factored(above) if len(f) > 1 for _ in range(e)]
        for front in (letters, *(times(letters, f) for f in sums if len(sums) > 1)):
            rest = exactly(above, front)
            if rest is not None and front != self.one:
                parts = self._by_denominator(rest, below)
                sign, bare = without_sign(self._joined(self._one_line(*part) for part in parts))
                yield mul(Number(sign), self._sum(front), bare)

    def _reduced(self, above: Poly, below: Poly) -> Pair:
        shared = common(above, below)
        one, other = exactly(above, shared), exactly(below, shared)
        assert one is not None
        assert other is not None
        return one, other

    def _by_denominator(self, above: Poly, below: Poly) -> list[Pair]:
        """Give every term its own denominator, so far as single letters go."""
        letters = tuple(min(column) for column in zip(*below, strict=True))
        groups: dict[Exponents, Poly] = {}
        for key, c in above.items():
            gone = tuple(min(a, b) for a, b in zip(key, letters, strict=True))
            short = tuple(a - b for a, b in zip(key, gone, strict=True))
            left = tuple(a - b for a, b in zip(letters, gone, strict=True))
            groups.setdefault(left, {})[short] = c
        rest = exactly(below, {letters: 1})
        assert rest is not None
        return [(p, times({left: 1}, rest)) for left, p in sorted(groups.items())]

    def _one_line(self, above: Poly, below: Poly) -> Expr:
        """Write a fraction with one line, or none."""
        if below == self.one:
            return self._sum(above)
        number = number_in_front(above) / number_in_front(below)
        top, bottom = primitive(above), primitive(below)
        sign, over = without_sign(self._sum(top))
        turn, under = without_sign(self._sum(bottom))
        number *= sign * turn
        if number < 0 and (turned := self._other_way(over)) is not None:
            number, over = -number, turned
        front = mul(Number(abs(number.numerator)), over)
        written = div(front, mul(Number(number.denominator), under))
        return written if number > 0 else neg(written)

    def _sum(self, p: Poly) -> Expr:
        """Write a polynomial, its common factors out where that reads shorter."""
        key = tuple(sorted(p.items()))
        if key not in self._known:
            self._known[key] = _shortest_unsigned(self._sums(p))
        return self._known[key]

    def _sums(self, p: Poly) -> Iterator[Expr]:
        if len(p) == 1:
            yield self._flat(p)
            return
        factors, number = factored(p), number_in_front(p)
        if len(factors) == 1 and factors[0][1] == 1:  # a sum with at most a number in front
            size = abs(number)
            if size.denominator != 1:
                yield self._flat(p)
            yield numbered(size, self._irreducible(scaled(p, 1 / size)))
            yield self._flat(p)
            return
        factors = [self._letter(f, e) if len(f) == 1 else (f, e) for f, e in factors]
        yield self._product(number, ((self._irreducible(f), e) for f, e in factors), factors)
        letters = [(f, e) for f, e in factors if len(f) == 1]
        sums = (f for f, e in factors if len(f) > 1 for _ in range(e))
        rest = reduce(times, sums, self.one)
        pieces = [*((self._flat(f), e) for f, e in letters), (self._flat(rest), 1)]
        yield self._product(number, pieces, [*letters, (rest, 1)])
        yield self._flat(p)

    def _letter(self, f: Poly, exponent: int) -> tuple[Poly, int]:
        """Take a power of a letter as one factor: there are letters that stand for roots."""
        (key,) = f
        return {tuple(e * exponent for e in key): 1}, 1

    def _irreducible(self, p: Poly) -> Expr:
        return _shortest_unsigned(self._groupings(p))

    def _as_before(self, expr: Expr) -> Expr:
        """Write a sum the way round in which it was written before."""
        sign, text = signature(expr)
        if text not in self._written:
            return expr
        before, node = self._written[text]
        return node if sign == before else neg(node)

    def _groupings(self, p: Poly) -> Iterator[Expr]:
        """Yield a polynomial with a letter taken out of some of its terms, and term by term."""
        for k in range(len(self.atoms)) if len(p) <= MOST_GROUPED else ():
            inside = {key: c for key, c in p.items() if key[k]}
            outside = {key: c for key, c in p.items() if not key[k]}
            if len(inside) > 1 and outside:
                yield self._joined([self._sum(inside), self._sum(outside)])
        yield self._flat(p)

    def _product(
        self,
        number: Fraction,
        pieces: Iterable[tuple[Expr, int]],
        factors: Iterable[tuple[Poly, int]],
    ) -> Expr:
        both = zip(pieces, factors, strict=True)
        placed = sorted(
            ((self._place(p), written, e) for (written, e), (p, _) in both),
            key=lambda found: found[0],
        )
        bare = mul(Number(1), *(raised(written, e) for _, written, e in placed))
        product = numbered(abs(number), bare)
        sign, product = without_sign(product)
        if sign * number > 0:
            return product
        turned = self._other_way(product)
        return neg(product) if turned is None else turned

    def _other_way(self, expr: Expr) -> Expr | None:
        """Write a difference, or one in a product, the other way round if it gets no longer.

        Not where it was written this way round before.
        """
        before = {node for _, node in self._written.values()}
        parts = list(expr.args) if isinstance(expr, Apply) and expr.op is MUL else [expr]
        for k, part in enumerate(parts):
            if isinstance(part, Apply) and part.op is ADD and part not in before:
                turned = positive_first([neg(term) for term in part.args])
                if display_cost(turned) <= display_cost(part):
                    return mul(*parts[:k], turned, *parts[k + 1 :])
        return None

    def _place(self, p: Poly) -> tuple[int, tuple[int, ...]]:
        places = [self.atoms[k].place for key in p for k, e in enumerate(key) if e]
        return (int(len(p) > 1), tuple(sorted(places)))

    def _flat(self, p: Poly) -> Expr:
        known = tuple(sorted(p.items()))
        if known not in self._term_by_term:
            terms = sorted(p.items(), key=lambda term: self._reading(term[0]))
            written = positive_first([self._monomial(key, c) for key, c in terms])
            self._term_by_term[known] = self._as_before(written)
        return self._term_by_term[known]

    def _reading(self, key: Exponents) -> tuple[int, ...]:
        return tuple(sorted(self.atoms[k].place for k, e in enumerate(key) if e))

    def _monomial(self, key: Exponents, c: Coefficient) -> Expr:
        if (key, c) not in self._monomials:
            letters = sorted((self.atoms[k].place, k) for k, e in enumerate(key) if e)
            pieces = [self.atoms[k].to(key[k]) for _, k in letters]
            if any(is_op(piece, "pow") for piece in pieces):
                powers = dict(map(based, pieces))
                raise_exponents(powers)
                pieces = [power(base, exponent) for base, exponent in powers.items() if exponent]
            product = mul(Number(1), *pieces)
            self._monomials[key, c] = numbered(Fraction(c), product)
        return self._monomials[key, c]

    def _joined(self, parts: Iterable[Expr]) -> Expr:
        terms = [t for p in parts for t in (p.args if is_sum(p) else (p,))]
        terms.sort(key=lambda term: not isinstance(term, Number))
        return self._as_before(positive_first(terms))


def _shortest_unsigned(forms: Iterable[Expr]) -> Expr:
    """Return the shortest form; a sign in front goes before the fraction or the term."""
    return min(forms, key=lambda form: display_cost(without_sign(form)[1]))


def _shortest(forms: Iterable[Expr]) -> Expr:
    """Return the form that is shortest to read, the first of equals."""
    return min(forms, key=display_cost)
