"""Open names of a text: objectives without a definition, names that were not read."""

from __future__ import annotations

from chainrule.teaching.marking.by_value.arrays import SIZE
from chainrule.teaching.marking.by_value.passage import (
    Passage,
    gradients,
)
from chainrule.teaching.marking.by_value.points import Key
from chainrule.teaching.marking.by_value.readers import Claim, Reader
from chainrule.teaching.marking.by_value.scripts import CLASS
from chainrule.teaching.marking.by_value.terms import (
    Called,
    Condition,
    Index,
    Moved,
    Named,
    Over,
    Slope,
    Term,
    every,
)


def opened_names(reader: Reader) -> dict[str, list[Named]]:
    """Return the numbers that are differentiated and not defined, and what they depend on."""
    passage = reader.passage
    found: dict[str, list[Named]] = {}
    for base, wrt in gradients(passage.terms).items():
        if base in passage.functions or base in passage.running:
            continue
        if base in passage.definitions:
            wrt = _of_undefined(passage, base)  # L_rec beside a defined L_KL
        names = {passage.key(name): name for name in wrt}
        if not names:
            continue
        last = {
            key: name
            for key, name in names.items()
            if not any(key in passage.behind(other) for other in names if other != key)
        }
        shifted = _shifted(passage)
        if len(last) > 1 and (sink := _sink(passage, set(last))) is not None:
            last = {passage.key(sink): sink}
        ends = last or _ends(passage, names)
        found[base] = [
            _at_the_end(passage, name, shifted)  # layers or times, each from the one before
            if key in passage.behind(key)
            else Named(name.base, *_whole(passage, name))
            for key, name in ends.items()
        ]
    return found


def _of_undefined(passage: Passage, base: str) -> list[Named]:
    """Return what a name is differentiated by where its label has no definition."""
    known = {passage.key(one.name) for one in passage.definitions[base]}
    slopes = (node for term in passage.terms for node in every(term) if isinstance(node, Slope))
    return [
        name
        for node in slopes
        if isinstance(node.of, Named) and node.of.base == base
        and passage.key(node.of) not in known and passage.key(node.of)[1]
        for name in node.wrt
    ]  # fmt: skip


def _sink(passage: Passage, keys: set[Key]) -> Named | None:
    """Return the value that all these names lead to, and that leads to no other."""
    names = [one.name for known in passage.definitions.values() for one in known]
    used = {key for name in names for key in passage.behind(passage.key(name))}
    ends = [
        name
        for name in names
        if passage.key(name) not in used and keys <= passage.behind(passage.key(name))
    ]
    return ends[0] if len(ends) == 1 else None


def _ends(passage: Passage, names: dict[Key, Named]) -> dict[Key, Named]:
    """Return a name that no other is computed from within one layer or time."""
    used = {
        passage.key(node)
        for key in names
        for one in passage.definitions.get(key[0], ())
        for node in every(one.body)
        if isinstance(node, Named) and not any(index.offset for index in node.places)
    }
    key = next((key for key in names if key not in used), next(iter(names)))
    return {key: names[key]}


def _shifted(passage: Passage) -> set[str]:
    """Return the letters of indices that stand with an offset: ``l`` in ``a^{l-1}``."""
    nodes = (node for term in passage.terms for node in every(term))
    return {node.text for node in nodes if isinstance(node, Index) and node.offset}


def _at_the_end(passage: Passage, name: Named, shifted: set[str]) -> Named:
    """Return a name at the last layer or time, with all its other indices left out."""
    runs = set(passage.runs(name))

    def kept(places: tuple[Index, ...]) -> tuple[Index, ...]:
        return tuple(
            Index(str(SIZE)) if index.text in shifted else index
            for index in places
            if index.text in shifted or index not in runs
        )

    return Named(name.base, kept(name.above), kept(name.below))


def _whole(passage: Passage, name: Named) -> tuple[tuple[Index, ...], tuple[Index, ...]]:
    runs = set(passage.runs(name))
    return (
        tuple(index for index in name.above if index not in runs),
        tuple(index for index in name.below if index not in runs),
    )


def layers_by_letters(reader: Reader) -> bool:
    r"""Whether a name is defined from itself by another letter, or by two letters.

    ``z_j = h(\sum_i w_{ji} z_i)``, or ``a_j = \sum_i w_{ji} x_i`` and ``a_k = \sum_j w_{kj} z_j``.
    """
    letters: dict[str, set[str]] = {}
    for claim in reader.claims:
        left = claim.sides[0]
        if claim.starts or not isinstance(left, Named) or len(left.places) != 1:
            continue
        (index,) = left.places
        if index.text not in reader.passage.letters or index.offset:
            continue
        letters.setdefault(left.base, set()).add(index.text)
        for side in claim.sides[1:]:
            for node in every(side) if side is not None else ():
                if isinstance(node, Named) and node.base == left.base and len(node.places) == 1:
                    (other,) = node.places
                    if not other.offset and other.text in reader.passage.summed:
                        letters[left.base].add(other.text)
    passage = reader.passage
    keys = {passage.key(one.name) for known in passage.definitions.values() for one in known}
    circular = (key in passage.behind(key) and not passage.recurs(key[0]) for key in keys)
    return any(len(found) > 1 for found in letters.values()) or any(circular)


def moving_names(reader: Reader) -> list[Named]:
    """Return the names without a definition whose differentials stand in a text."""
    passage = reader.passage
    found: dict[Key, Named] = {}
    for term in passage.terms:
        for node in every(term):
            name = node.of if isinstance(node, Moved) else None
            if isinstance(name, Named) and name.base not in passage.definitions:
                found[passage.key(name)] = name
    if not found:  # dz moves all that stands on the left sides
        left = [claim.sides[0] for claim in reader.claims if isinstance(claim.sides[0], Moved)]
        for term in passage.terms:
            for node in every(term):
                name = node.of if isinstance(node, Moved) else None
                if isinstance(name, Named) and node not in left:
                    found[passage.key(name)] = name
    return list(found.values())


def is_about_definition(reader: Reader, claim: Claim) -> bool:
    """Whether a name stands on the left: the text may define it once more for another case.

    A name of a gradient, such as an error of a layer, is not defined twice.
    """
    left = claim.sides[0]
    if claim.starts or not isinstance(left, Named):
        return False
    known = reader.passage.definitions.get(left.base, ())
    return not any(isinstance(node, Slope) for one in known for node in every(one.body))


def is_of_slopes(reader: Reader, claim: Claim) -> bool:
    """Whether a claim, or the chain of equations that it goes on with, has a derivative."""
    at = claim.order
    while True:
        here = reader.claims[at]
        for side in here.sides:
            for node in every(side) if side is not None else ():
                if isinstance(node, (Slope, Moved)) or (isinstance(node, Called) and node.order):
                    return True
        if not here.starts or at == 0:
            return False
        at -= 1


def other_places(reader: Reader, claim: Claim) -> list[Condition]:
    """Return that the free indices of a claim are not the class: ``k`` is not ``y_i``."""
    passage = reader.passage
    nodes = [node for side in claim.sides if side is not None for node in every(side)]
    here = {(n.base, i.text) for n in nodes if isinstance(n, Named) for i in passage.runs(n)}
    everywhere = [n for term in passage.terms for n in every(term) if isinstance(n, Named)]
    found = []
    for base, letter in sorted(here):
        if letter in passage.fixed or not letter.isalpha():
            continue
        places = {i.text for n in everywhere if n.base == base for i in passage.runs(n)}
        for other in sorted(places):
            if CLASS.fullmatch(other):
                found.append(Condition(Index(letter), "!=", Index(other)))
    return found


def introduced(reader: Reader, claim: Claim) -> set[str]:
    """Return the names that stand first in an equation between values, and have no definition.

    Where such an equation is not proven, it says what these names are: ``f = M : M`` for an f that
    is known. They are not free values then.
    """
    if is_of_slopes(reader, claim):
        return set()
    earlier = {
        node.base
        for other in reader.claims
        for side in other.sides
        if side is not None and other.order < claim.order
        for node in every(side)
        if isinstance(node, Named)
    }
    here = {
        node.base
        for side in claim.sides
        if side is not None
        for node in every(side)
        if isinstance(node, Named)
    }
    return here - earlier - reader.passage.sizes - reader.passage.definitions.keys()


def is_identity(reader: Reader, claim: Claim, sign: int) -> bool:
    """Whether an equals sign stands between two formulas in the same names, all of them read.

    Such an equation neither defines a name nor restricts one: ``log σ(z) = -log(1 + e^-z)``,
    or the second sign in ``f = (y - u)^T (y - u) = y^T y - 2 y^T u + u^T u``.
    """
    passage = reader.passage
    left, right = claim.sides[sign - 1], claim.sides[sign]
    if left is None or right is None or isinstance(left, Named) or isinstance(right, Named):
        return False
    here, there = ({n.base for n in every(s) if isinstance(n, Named)} for s in (left, right))
    if here - passage.sizes != there - passage.sizes or not here or here & passage.unread:
        return False
    if here & (reader.opened.keys() | passage.definitions.keys()):
        return False
    nodes = [n for s in (left, right) for n in every(s) if isinstance(n, Named)]
    if any(len({len(passage.runs(n)) for n in nodes if n.base == base}) > 1 for base in here):
        return False  # p_i beside p_{ik}: which place is left out is a convention
    in_chain = sign > 1 or bool(claim.starts)
    called = (isinstance(n, Called | Over) for s in (left, right) for n in every(s))
    return in_chain or any(called)


def _is_a_value(side: Term | None, base: str) -> bool:
    """Whether a name stands in a term other than under a derivative."""
    nodes = [] if side is None else list(every(side))
    named = sum(isinstance(node, Named) and node.base == base for node in nodes)
    under = sum(
        isinstance(node, Slope) and isinstance(node.of, Named) and node.of.base == base
        for node in nodes
    )
    return named > under


def _repeats_a_place(passage: Passage, claim: Claim) -> bool:
    r"""Whether a claim uses ``u_{j_k}`` beside a sum over k: all stand in one place."""
    here = {
        index.text
        for side in claim.sides if side is not None
        for node in every(side) if isinstance(node, Named)
        for index in node.places if CLASS.fullmatch(index.text)
    }  # fmt: skip
    summed = {
        index.text
        for term in passage.terms
        for total in every(term) if isinstance(total, Over)
        for node in every(total.body) if isinstance(node, Named)
        for index in node.places
        if index.text[-1] in total.letters and index.text[0] not in passage.samples
    }  # fmt: skip
    given = {
        letter
        for side in claim.sides if side is not None
        for node in every(side) if isinstance(node, Named)
        for index in node.places if "|" in index.text
        for letter in index.text if letter in passage.summed
    }  # fmt: skip
    return bool(here & summed or given)  # p(b | s) in a sum over b is one name here


def is_tainted(reader: Reader, claim: Claim) -> bool:
    """Whether a claim uses names whose definitions are not read, or an objective that is open."""
    passage = reader.passage
    opened = reader.opened
    used: set[Key] = set()
    numerators: list[set[str]] = []
    for side in claim.sides:
        here: set[str] = set()
        assert side is not None
        for node in every(side):
            if isinstance(node, Named):
                used.add(passage.key(node))
                behind = passage.behind(passage.key(node))
                used |= behind
                here |= {node.base} | {base for base, _ in behind}
        numerators.append(here)
    if any(base in passage.unread for base, _ in used) or _repeats_a_place(passage, claim):
        return True
    earlier = {
        node.base
        for other in reader.claims
        for side in other.sides[: 2 if other.defines else None]
        if side is not None and (other.order < claim.order or other.defines)
        for node in every(side)
        if isinstance(node, Named)
    }
    first = (
        {node.base for node in every(claim.sides[0]) if isinstance(node, Named)}
        if claim.sides[0]
        else set()
    )
    if any(base not in earlier | first | passage.sizes | {"I", "1", "pi"} for base, _ in used):
        return True  # a name that first stands here, on the right side
    if any(_is_a_value(side, base) for side in claim.sides for base in opened):
        return True  # its own value is as open as what it depends on
    for base in opened:
        shown = [base in here for here in numerators]
        if any(shown) and (not all(shown) or len(opened[base]) != 1):
            return True
    return False
