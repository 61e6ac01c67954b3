r"""Chains of derivatives judged by their form: ``∂L/∂W = ∂L/∂a ∂a/∂z ∂z/∂W``.

A post often states the chain rule for names that it never defines. No values are needed for it:
what stands below one derivative stands above the next. A number in front of a chain is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

from chainrule.teaching.marking.by_value.passage import Passage
from chainrule.teaching.marking.by_value.terms import (
    Combined,
    Constant,
    Named,
    Over,
    Slope,
    Term,
    letters_of,
)

_PRODUCTS = ("*", "cdot", "odot")
MOST_LINKS = 12
"""The most derivatives in one chain."""


@dataclass(frozen=True)
class _Chain:
    """A product of derivatives that comes to one derivative times a number."""

    of: Named
    wrt: Named
    factor: float
    through: tuple[Named, ...]

    @property
    def ends(self) -> tuple[object, ...]:
        return (self.of.base, self.of.places, self.wrt.base, self.wrt.places)


def by_form(passage: Passage, left: Term, right: Term) -> float | None:
    """Return the number by which two chains of derivatives differ; None where they are none.

    Parameters
    ----------
    passage : Passage
        The text.
    left, right : Term
        The sides of an equation. A side is a product of derivatives, under sums over what they
        share, or a sum of such products, one for each path.
    """
    one, other = _paths(passage, left), _paths(passage, right)
    if not one or not other or len(one) > 1 < len(other):
        return None
    if len({path.ends for path in (*one, *other)}) > 1:
        return None
    single, several = (one[0], other) if len(one) == 1 else (other[0], one)
    if max(len(single.through), *(len(path.through) for path in several)) == 0:
        return None
    if len(several) > 1 and len({path.through[:1] for path in several}) < len(several):
        return None
    factors = {path.factor for path in several}
    if len(factors) > 1 and single.factor in factors:
        factors.discard(single.factor)
    return min(factors) / single.factor if single.factor else None


def _paths(passage: Passage, term: Term) -> list[_Chain] | None:
    """Return the chains of a sum of products; None where a part is none."""
    if isinstance(term, Combined) and term.operation == "+":
        found: list[_Chain] = []
        for part in term.parts:
            paths = _paths(passage, part)
            if paths is None:
                return None
            found.extend(paths)
        return found
    chain = _chain(passage, term)
    return None if chain is None else [chain]


def _chain(passage: Passage, term: Term) -> _Chain | None:
    factor, slopes, summed = _factors(term)
    if factor is None or not slopes or len(slopes) > MOST_LINKS:
        return None
    by_top = {(s.of.base, s.of.places): s for s in slopes if isinstance(s.of, Named)}
    below = {(s.wrt[0].base, s.wrt[0].places) for s in slopes}
    heads = [key for key in by_top if key not in below]
    if len(by_top) < len(slopes) or len(heads) != 1:
        return None
    here = by_top.pop(heads[0])
    of, through = here.of, []
    assert isinstance(of, Named)
    while by_top:
        link = here.wrt[0]
        key = (link.base, link.places)
        if key not in by_top:
            return None
        through.append(link)
        here = by_top.pop(key)
    wrt = here.wrt[0]
    ends = letters_of(of) | letters_of(wrt)
    inner = {letter for link in through for letter in letters_of(link)} & passage.letters
    if inner - ends - summed or summed - inner or summed & ends:
        return None  # a sum that is missing, or one too many
    return _Chain(of, wrt, factor, tuple(through))


def _factors(term: Term) -> tuple[float | None, list[Slope], set[str]]:
    """Return the number, the derivatives and the summed letters of a product."""
    match term:
        case Constant(value):
            return value, [], set()
        case Slope(of=Named(), wrt=(Named(),), bare=False, turned=False):
            return 1.0, [term], set()
        case Combined("neg", (inner,)):
            factor, slopes, summed = _factors(inner)
            return (None if factor is None else -factor), slopes, summed
        case Over("sum", letters, body, (), _) if letters != ("*",):
            factor, slopes, summed = _factors(body)
            return factor, slopes, summed | set(letters)
        case Combined(operation, (left, right)) if operation in _PRODUCTS:
            one, first, here = _factors(left)
            other, second, there = _factors(right)
            if one is None or other is None or here & there:
                return None, [], set()
            return one * other, [*first, *second], here | there
    return None, [], set()


__all__ = ["by_form"]
