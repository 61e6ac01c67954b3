"""Definitions of a posted text, and what its names stand for where it has none."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from chainrule.teaching.marking.by_value.passage import (
    Definition,
    Passage,
    gradients,
)
from chainrule.teaching.marking.by_value.points import Key
from chainrule.teaching.marking.by_value.readers import Claim, Reader
from chainrule.teaching.marking.by_value.scripts import UnreadError
from chainrule.teaching.marking.by_value.terms import (
    Called,
    Combined,
    Constant,
    EntryOf,
    Index,
    Moved,
    Named,
    Over,
    Slope,
    Term,
    every,
    letters_of,
    parts,
    rebuilt,
)
from chainrule.teaching.marking.by_value.text_habits import left_name
from chainrule.teaching.marking.transcript import equals_signs


def declared_objective(claim: Claim) -> Named | None:
    r"""Return the L of ``dv = \partial L / \partial v``, which says what ``dv`` means."""
    if len(claim.sides) != 2 or claim.starts:
        return None
    left, right = claim.sides
    if not (isinstance(left, Moved) and isinstance(right, Slope)):
        return None
    return right.of if right.wrt == (left.of,) and isinstance(right.of, Named) else None


def named_at_the_end(passage: Passage, claim: Claim) -> None:
    """Take ``∂E/∂z = a - y = δ`` for the definition of a δ that has no other."""
    name, body = claim.sides[-1], claim.sides[-2] if len(claim.sides) > 2 else None
    if isinstance(name, Combined) and name.operation == "neg" and body is not None:
        (name,), body = name.parts, Combined("neg", (body,))
    if not isinstance(name, Named) or body is None or isinstance(body, Named):
        return
    texts = [index.text for index in passage.runs(name)]
    free = letters_of(body) & passage.letters
    last = claim.sides[-1]
    earlier = list(itertools.takewhile(lambda term: term is not last, passage.terms))
    known = passage.definitions.get(name.base, [])
    if any(one.order <= claim.order for one in known):
        return
    if any(_uses(term, name.base) for term in earlier):
        return
    if set(texts) == free and len(set(texts)) == len(texts):
        passage.definitions[name.base] = [Definition(name, body, claim.order), *known]
        if isinstance(body, Combined) and body.operation not in ("+", "neg"):
            passage.unread.add(name.base)  # one of the factors may be meant


def from_slopes(passage: Passage, claim: Claim) -> None:
    """Take ``∂L/∂u = ∂/∂u (u - y)^2`` for the definition of an L that has none."""
    for one, other in itertools.pairwise(claim.sides):
        for left, right in ((one, other), (other, one)):
            if not (isinstance(left, Slope) and isinstance(right, Slope)):
                continue
            name = left.of
            if left.wrt != right.wrt or not isinstance(name, Named) or isinstance(right.of, Named):
                continue
            runs = [index.text for index in passage.runs(name)]
            inner = letters_of(right.of) & passage.letters
            known = name.base in passage.definitions or name.base in passage.functions
            if known or set(runs) != inner or len(set(runs)) < len(runs):
                continue
            if _uses(right.of, name.base) or runs != list(dict.fromkeys(runs)):
                continue
            passage.definitions[name.base] = [Definition(name, right.of, claim.order)]


def assume(passage: Passage) -> None:
    """Let a name that is differentiated and not defined be a function of what it is by."""
    for base, wrt in gradients(passage.terms).items():
        if base in passage.definitions or base in passage.functions or base in passage.sizes:
            continue
        tops = [
            node.of
            for term in passage.terms
            for node in every(term)
            if isinstance(node, Slope) and isinstance(node.of, Named) and node.of.base == base
        ]
        by = {passage.key(name): name for name in wrt}
        if base not in passage.running or len(by) != 1:
            continue
        top = max(tops, key=lambda name: len(passage.runs(name)))
        below = next(iter(by.values()))
        runs = passage.runs(top)
        if not runs or len(passage.runs(below)) != len(runs) or below.base == base:
            continue
        if any(i.text not in passage.letters or i.offset for i in runs):
            continue
        places = (*runs[:-1],)
        inner = Named(below.base, (), places) if not below.above else below
        body: Term = EntryOf(Called("link", (inner,)), (runs[-1],))
        passage.definitions[base] = [Definition(top, body, 0)]
        passage.unread.add(base)


def shorten(reader: Reader) -> None:
    """Find the objective of which ``dX`` is the gradient; none where differentials are meant."""
    passage = reader.passage
    moved = [n.of for t in passage.terms for n in every(t) if isinstance(n, Moved)]
    if not moved:
        return
    tops = gradients(passage.terms)
    numbers = [
        base for base in tops if base not in passage.running and base not in passage.functions
    ]
    lefts = [
        claim.sides[0].of
        for claim in reader.claims
        if claim.sides and isinstance(claim.sides[0], Moved)
    ]
    if any(_is_formula(one) for one in lefts):
        return  # d(X^{-1}) is no gradient
    names = {one.base for one in lefts if isinstance(one, Named)}
    whole = {"L", "f", "J", "C", "E", "F", "L.cal", "y", "ell", *numbers}
    roots = [one.parts[0] if isinstance(one, Combined) else one for one in moved]
    said = _LOSS_NAME.search(passage.text)
    whole = {said["name"]} if said is not None else whole
    backward = passage.objective is not None or _goes_backward(reader)
    if any(not isinstance(one, Named) for one in roots) or (names & whole and not backward):
        return
    best = max(numbers, key=lambda base: len(tops[base]), default=None)
    if passage.objective is not None:
        best = passage.objective.base
    if best is None:
        best = next((b for b in ("L", "J", "C", "E", "L.cal") if b in passage.definitions), "L")
    passage.objective = Named(best)
    if best not in passage.definitions:
        for one in moved:
            if isinstance(one, Named):
                passage.terms.append(Slope(Named(best), (one,)))


def _is_formula(term: Term) -> bool:
    """Whether a differential is one of a formula; a variance is a name with its square."""
    return isinstance(term, Combined) and not (
        term.operation == "T" or (term.operation == "^" and term.parts[1] == Constant(2.0))
    )


def _goes_backward(reader: Reader) -> bool:
    """Whether ``do = dh * tanh(c)`` gives gradients: h is computed from o."""
    passage = reader.passage
    votes = 0
    for claim in reader.claims:
        left = claim.sides[0]
        if not isinstance(left, Moved) or not isinstance(left.of, Named):
            continue
        here = passage.key(left.of)
        moved = {
            passage.key(node.of)
            for side in claim.sides[1:] if side is not None
            for node in every(side) if isinstance(node, Moved) and isinstance(node.of, Named)
        }  # fmt: skip
        for other in moved - {here}:
            votes += (here in passage.behind(other)) - (other in passage.behind(here))
    return votes > 0


def match_names(passage: Passage, one: Term, other: Term, order: int, seen: set[Key]) -> None:
    r"""Take a name that stands where the other side has a formula as defined by it.

    In ``-\\sum_j y_j \\log p_j = -\\sum_j \\ell_j`` the last name is defined by the comparison.
    """
    if type(one) is not type(other) or isinstance(one, Named):
        for name, body in ((one, other), (other, one)):
            if not isinstance(name, Named) or isinstance(body, (Named, Index)):
                continue
            texts = [index.text for index in passage.runs(name)]
            plain = set(texts) <= passage.letters and len(set(texts)) == len(texts)
            free = letters_of(body) & passage.letters
            known = {passage.key(d.name) for ds in passage.definitions.values() for d in ds} | seen
            unread = name.base in passage.unread and not passage.by_letter
            if (
                plain
                and passage.key(name) not in known
                and not unread
                and free == set(texts)
                and not _uses(body, name.base)
            ):
                passage.definitions.setdefault(name.base, []).append(Definition(name, body, order))
                passage.unread.add(name.base)  # a guess, which makes no line wrong
            return
        return
    here, there = list(parts(one)), list(parts(other))
    if len(here) == len(there):
        different = [(a, b) for a, b in zip(here, there, strict=True) if a != b]
        if len(different) == 1:
            match_names(passage, *different[0], order, seen)


def is_given(side: Term) -> bool:
    """Whether a side has a probability such as ``p(y | x)``."""
    named = (node for node in every(side) if isinstance(node, Named))
    return any("|" in index.text for node in named for index in node.places)


def _uses(term: Term, base: str) -> bool:
    return any(isinstance(node, Named) and node.base == base for node in every(term))


_LOSS_NAME = re.compile(
    r"\b(?:loss|cost|objective)\s+(?:function\s+)?[$(\\]{0,3}\s*(?P<name>[A-Z])[\s$\\),.;]"
)
"""A sentence that gives the objective a letter: ``a scalar loss $L$``."""

_INVERSE = {"log": "exp", "exp": "log"}


def _solved(left: Term | None, right: Term) -> tuple[Term | None, Term]:
    r"""Solve ``\ln \lambda = u`` and ``\log(p / (1 - p)) = u`` for the one name on the left."""
    if isinstance(left, Combined) and left.operation == "^" and left.parts[1] == Constant(2.0):
        if (
            isinstance(right, Combined)
            and right.operation == "^"
            and right.parts[1] == left.parts[1]
        ):
            return left.parts[0], right.parts[0]  # the square of an error, which has a sign
        return left.parts[0], Called("sqrt", (right,))  # a variance and its root
    if not isinstance(left, Called) or left.order or len(left.arguments) != 1:
        return left, right
    inner = left.arguments[0]
    if left.function in ("log", "exp") and isinstance(inner, Named):
        return inner, Called(_INVERSE[left.function], (right,))
    if left.function == "log" and isinstance(inner, Combined) and inner.operation == "^":
        return _solved(inner, Called("exp", (right,)))
    if left.function == "log" and isinstance(inner, Combined) and inner.operation == "/":
        name, rest = inner.parts
        odds = Combined("+", (Constant(1.0), Combined("neg", (name,))))
        if isinstance(name, Named) and rest == odds:
            return name, Called("sigmoid", (right,))
    return left, right


def mark_unsolved(reader: Reader) -> None:
    r"""Mark a name that stands alone in a formula on a left side: ``g(\mu) = \eta`` defines it."""
    passage = reader.passage
    for claim in reader.claims:
        left = claim.sides[0]
        if claim.starts or claim.defines or left is None or isinstance(left, Named):
            continue
        here, there = (
            {n.base for side in sides if side is not None for n in every(side)
             if isinstance(n, Named)}
            for sides in (claim.sides[:1], claim.sides[1:])
        )  # fmt: skip
        moved = any(isinstance(node, Slope | Moved) for node in every(left))
        alone = here - passage.sizes
        if moved or len(alone) != 1 or not there or alone & there:
            continue
        passage.unread |= alone - passage.definitions.keys()
    differentiated = gradients(passage.terms)
    for name, (arguments, body) in passage.functions.items():
        if name in differentiated:
            continue
        used = {node.base for node in every(body) if isinstance(node, Named)}
        behind = {n.base for base in used for d in passage.definitions.get(base, ())
                  for n in every(d.body) if isinstance(n, Named)}  # fmt: skip
        passage.unread |= set(arguments) - used - behind - passage.definitions.keys()


def name_parts(passage: Passage) -> None:
    r"""Write a later name into earlier definitions: ``m_i = y_i w^T x_i`` in ``log(1 + e^{-m_i})``.

    Only names that the text differentiates by need it, as its objective does not mention them.
    """
    wanted = {passage.key(n) for names in gradients(passage.terms).values() for n in names}
    known = [one for some in passage.definitions.values() for one in some]
    for part in known:
        if passage.key(part.name) not in wanted or isinstance(part.body, Named | Constant):
            continue
        for base, some in passage.definitions.items():
            passage.definitions[base] = [
                one if one.order >= part.order else _with_part(one, part) for one in some
            ]


def _with_part(one: Definition, part: Definition) -> Definition:
    r"""Return a definition with a part named; as it is where the part parametrises it anew.

    With ``s = \log \sigma^2``, a sigma that stands elsewhere is a function of s, too.
    """
    body = rebuilt(one.body, partial(_named, part))
    inner, left = (
        {node.base for node in every(term) if isinstance(node, Named)} for term in (part.body, body)
    )
    return one if inner <= left else replace(one, body=body)


def _named(part: Definition, term: Term) -> Term:
    return part.name if term == part.body else term


def define_further(passage: Passage, head: Claim, claim: Claim) -> None:
    r"""Take what follows ``\ell = \log p(X | w)`` on the next line for the definition."""
    left = head.sides[0]
    known = passage.definitions.get(left.base, []) if isinstance(left, Named) else []
    body = claim.sides[-1]
    at = next((k for k, one in enumerate(known) if one.order == head.order), None)
    if at is None or body is None or is_given(body) or not is_given(known[at].body):
        return
    known[at] = replace(known[at], body=body)
    claim.defines = True


def _plainest(passage: Passage, sides: Sequence[Term | None]) -> Term | None:
    r"""Return the side that says the most of a name: ``p_i^T q_j = \sum_k p_{ik} q_{kj}`` has two.

    That is the first, unless the next has entries of what the first has as vectors, or the first
    calls a function that the text does not define.
    """
    read = [side for side in sides if side is not None]
    if len(read) < 2 or read[0] is not sides[0]:
        return read[0] if read else None
    first, second = read[:2]
    counts = [_places(passage, side) for side in (first, second)]
    deeper = any(counts[1].get(base, 0) > count for base, count in counts[0].items())
    called = {node.function for node in every(first) if isinstance(node, Called)}
    open_call = any(name in _OPEN_CALLS and name not in passage.functions for name in called)
    open_call = open_call and not any(isinstance(node, Called) for node in every(second))
    moved = {name.base for names in gradients(passage.terms).values() for name in names}
    here, there = ({n.base for n in every(s) if isinstance(n, Named)} for s in (first, second))
    unknown = bool(here - passage.definitions.keys() - passage.sizes)
    if moved & there and not moved & here and unknown:
        return second  # RSS = e^T e = (y - X b)^T (y - X b), differentiated by b
    return second if (deeper and isinstance(second, Over)) or open_call else first


_OPEN_CALLS = ("f", "g", "h", "F", "G", "H", "u", "v")


def _places(passage: Passage, side: Term) -> dict[str, int]:
    """Return how many indices each name of a formula has at most."""
    found: dict[str, int] = {}
    for node in every(side):
        if isinstance(node, Named):
            found[node.base] = max(found.get(node.base, 0), len(passage.runs(node)))
    return found


def define(passage: Passage, claim: Claim) -> None:
    """Take a statement as a definition, where its left side is a name that is new."""
    if claim.starts or len(claim.sides) < 2:
        return
    left = claim.sides[0]
    right = _plainest(passage, claim.sides[1:])
    if len(claim.sides) > 2 and right is not None and right is claim.sides[2]:
        claim.sides = [left, *claim.sides[2:]]
    row = claim.said.text[: equals_signs(claim.said.text)[0]]
    try:
        base, arguments = left_name(row, plain=passage.habits.plain, names=passage.habits.names)
    except UnreadError:
        inner = None if left is None else _solved(left, Constant(0.0))[0]
        if not isinstance(inner, Named) or inner == left:
            return
        base, arguments = inner.base, ""
    if right is None:
        passage.unread.add(base)
        return
    left, right = _solved(left, right)
    if isinstance(left, Called) and left.order == 0 and base in passage.habits.functions:
        names = [one.base for one in left.arguments if isinstance(one, Named)]
        if base not in passage.functions and len(names) == len(left.arguments):
            passage.functions[base] = tuple(names), right
            claim.defines = True
        return
    if not isinstance(left, Named):
        return
    if arguments:
        passage.arguments[base] = tuple(arguments.split(","))
    runs = passage.runs(left)
    texts = [index.text for index in runs]
    if len(set(texts)) < len(texts) or base in passage.sizes:
        return
    if any(isinstance(node, Named) and node == left for node in every(right)):
        passage.unread.add(base)  # an update
        claim.why = "an update"
        claim.defines = True
        return
    moved = {name.base for names in gradients(passage.terms).values() for name in names}
    if base in moved and any(isinstance(n, Combined) and n.operation == "^"
                             and n.parts[1] == Combined("neg", (Constant(1.0),))
                             for n in every(right)):  # fmt: skip
        claim.defines = True  # the optimum, where a gradient by this name is zero
        return
    known = passage.definitions.setdefault(base, [])
    fresh = all(
        passage.key(one.name) != passage.key(left)
        or [i.text for i in passage.runs(one.name)] != texts
        for one in known
    )
    if fresh and any(
        passage.key(one.name) == passage.key(left) and len(passage.runs(one.name)) == len(runs)
        for one in known
    ):
        fresh = any(not text.isalpha() or text.isupper() for text in texts)
    if fresh:
        known.append(Definition(left, right, claim.order))
        claim.defines = True


__all__ = [
    "assume",
    "declared_objective",
    "define",
    "define_further",
    "from_slopes",
    "is_given",
    "mark_unsolved",
    "match_names",
    "name_parts",
    "named_at_the_end",
    "shorten",
]
