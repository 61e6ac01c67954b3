"""Lines for all rounds of a loop: ``dZ^[l] = W^[l+1]^T dZ^[l+1] .* ...``.

The gradients of the rounds are derived one by one. Where those of several rounds in a row become
one and the same expression once each index is written relative to its own round, that expression is
shown. It is verified by substituting each round: the result must be the line of that round. What
the rounds add to the gradient of something they share is shown as one sum.

A loop of any length is written out for a few rounds, and once more for two rounds more. The lines
for all rounds that both have in common are stated; where its ends lie is counted from its last.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from chainrule.calculus.derivation.over_rounds import (
    at_ends,
    counted_names,
    end_of,
    is_at_end,
    over_rounds,
)
from chainrule.calculus.derivation.relative_names import Relative, relative_to
from chainrule.calculus.derivation.steps import Claim, Derivation, Gradient, Phase, Step
from chainrule.calculus.graph.loop_indices import index_of, numbered_stem, with_index
from chainrule.calculus.graph.model import Loop, Model
from chainrule.calculus.graph.node import Expr, Partial, Symbol, symbols


@dataclass(frozen=True)
class _Stated:
    """A line of the derivation that may be the same in every round.

    Attributes
    ----------
    variable : Symbol
        What it is about.
    left, right : Expr
        The gradient, or a name that was added, and what it is.
    line : int
        The number of the line that says it.
    final : Expr
        The gradient in the letters of the forward pass, where that is short.
    final_line : int
        The number of the line that says that.
    """

    variable: Symbol
    left: Expr
    right: Expr
    line: int
    final: Expr
    final_line: int


@dataclass(frozen=True)
class _Round:
    """The line of one round: its number, and both sides relative to it."""

    number: int
    of: _Stated
    left: Expr
    right: Expr


def recursion_steps(
    model: Model,
    layers: Mapping[Symbol, Gradient],
    gradients: Iterable[Gradient],
    steps: Iterable[Step],
    longer: Derivation | None = None,
) -> Iterator[Step]:
    """Yield the general lines of a derivation that has loops.

    Parameters
    ----------
    model : Model
        The forward pass.
    layers : mapping of Symbol to Gradient
        The gradients with names.
    gradients : iterable of Gradient
        The others.
    steps : iterable of Step
        The lines so far.
    longer : Derivation, optional
        The derivation with more rounds, whose general lines are the only ones to be stated.
    """
    lines = list(steps)
    stated = list(_stated(model, layers, gradients, lines))
    found = list(_general(model, stated))
    if longer is not None:
        kept = {(step.left, step.after, step.counter, step.span) for step in longer.general}
        found = [s for s in found if (s.left, s.after, s.counter, s.span) in kept]
    for number, step in enumerate(found, len(lines) + 1):
        yield replace(step, id=number)


def _stated(
    model: Model,
    layers: Mapping[Symbol, Gradient],
    gradients: Iterable[Gradient],
    steps: Iterable[Step],
) -> Iterator[_Stated]:
    ends: dict[Expr, int] = {}
    opened: dict[Expr, int] = {}
    for step in steps:
        if step.concludes:
            ends[step.left] = step.id
        elif step.phase is Phase.OPENED:
            opened[step.left] = step.id
        elif step.phase is Phase.STAGE and model.lengths and isinstance(step.left, Symbol):
            yield _Stated(step.left, step.left, step.after, step.id, step.after, step.id)
    named: list[tuple[Gradient, Expr | None]] = [(g, name) for name, g in layers.items()]
    named += [(g, None) for g in gradients]
    for gradient, name in named:
        matrix, whole = gradient.matrix, Partial(model.objective, gradient.variable)
        if matrix is None or whole not in ends:
            continue
        final = matrix if name is not None or gradient.opened is None else gradient.opened
        last = ends[whole] if final is matrix else opened[whole]
        left = whole if name is None else name
        yield _Stated(gradient.variable, left, matrix, ends[whole], final, last)


def _general(model: Model, stated: list[_Stated]) -> Iterator[Step]:
    staged = (numbered_stem(d.target.name) for d in model.definitions if not d.line)
    nested = [stem for stem in staged if stem is not None]
    loops = [(loop, frozenset((*loop.stems, *nested))) for loop in _joined(model.loops)]
    for loop, known in loops:
        families: dict[tuple[bool, str], list[_Round]] = {}
        for one in stated:
            variable = one.variable
            index = index_of(variable.name, known)
            if index is None:
                continue
            family = one.left is variable, with_index(variable.name, known, lambda n: "")
            there = Relative(known, relative_to(loop.counter, index))
            sides = (there.expr(one.left), there.expr(one.right))
            families.setdefault(family, []).append(_Round(index, one, *sides))
        for rounds in families.values():
            yield from _family(loop, known, sorted(rounds, key=lambda one: one.number))
    for one in stated:
        if all(index_of(one.variable.name, known) is None for _, known in loops):
            yield from _shared(one, loops)


def _joined(loops: Iterable[Loop]) -> list[Loop]:
    """Return the loops, those of one and the same open length as one."""
    found: dict[object, Loop] = {}
    for number, loop in enumerate(loops):
        key = loop.length or number
        known = found.get(key)
        stems = loop.stems if known is None else (*known.stems, *loop.stems)
        found[key] = replace(known or loop, stems=stems)
    return [*found.values()]


def _family(loop: Loop, known: frozenset[str], rounds: list[_Round]) -> Iterator[Step]:
    """Yield the general lines about one name, from the last round back."""
    groups = list(_in_a_row(rounds))
    inside = {one for group in groups for one in group}
    alone = [one for one in reversed(rounds) if loop.length and one not in inside]
    for one in alone:
        if is_at_end(one.number, loop):
            yield _at_one_end(loop, known, one)
    for group in groups:
        yield _step(loop, group, rounds)
    for one in alone:
        if not is_at_end(one.number, loop):
            yield _at_one_end(loop, known, one)


def _in_a_row(rounds: list[_Round]) -> Iterator[list[_Round]]:
    """Yield runs of two or more rounds with the same relative form."""
    group: list[_Round] = []
    for one in rounds:
        fits = group and one.number == group[-1].number + 1 and one.right is group[-1].right
        if not fits:
            if len(group) > 1:
                yield group
            group = []
        group.append(one)
    if len(group) > 1:
        yield group


def _step(loop: Loop, group: list[_Round], family: list[_Round]) -> Step:
    first, last = group[0].number, group[-1].number
    ends = (end_of(first, loop), end_of(last, loop))
    lines = [str(line) for line in sorted(one.of.line for one in group)]
    said = f"{', '.join(lines[:-1])} and {lines[-1]}"
    why = f"for {loop.counter} = {ends[0]}..{ends[1]} this is what steps {said} say, each proven "
    why += f"there{_again(loop)}"
    begins = [one for one in family if one.number == last + 1]
    if begins:
        after = end_of(last + 1, loop)
        why += f"; round {after}, in step {begins[0].of.line}, is where it begins"
    return _line(
        "the same in every round",
        group[0].left,
        group[0].right,
        why,
        rounds=tuple((one.number, one.of.line) for one in group),
        counter=loop.counter,
        span=ends,
    )


def _at_one_end(loop: Loop, known: frozenset[str], one: _Round) -> Step:
    """Return the line of a round that is unlike those around it, counted from its end."""
    where = end_of(one.number, loop)
    last = is_at_end(one.number, loop)
    return _line(
        "where it begins" if last else "a round of its own",
        at_ends(one.of.left, loop, known),
        at_ends(one.of.right, loop, known),
        f"round {where}, as step {one.of.line} says{_again(loop)}",
        rounds=((loop.value, one.of.line),),
        counter=loop.length,
        span=(where, where),
    )


def _shared(one: _Stated, loops: list[tuple[Loop, frozenset[str]]]) -> Iterator[Step]:
    """Yield the gradient of what all rounds share, as a sum over them."""
    final = form = one.final
    for loop, known in loops:
        form = over_rounds(form, loop, known)
    open_loops = [loop for loop, known in loops if loop.length and counted_names(final, known)]
    again = _again(open_loops[0]) if open_loops else ""
    if counted_names(form, ()):  # there is a sum over rounds
        yield _line(
            "a sum over the rounds",
            one.left,
            form,
            "every round adds one term to the gradient of what they share; written out, the sum "
            f"is what step {one.final_line} says{again}",
            before=final,
            rounds=((0, one.final_line),),
            claim=Claim.ROUND_SUM,
        )
    elif open_loops:
        loop, known = next(each for each in loops if each[0] is open_loops[0])
        yield _line(
            "the same for any number of rounds",
            one.left,
            at_ends(one.right, loop, known),
            f"this is what step {one.line} says{again}",
            rounds=((loop.value, one.line),),
            counter=loop.length,
        )


def _again(loop: Loop) -> str:
    """Return for which numbers of rounds a general line was derived."""
    if not loop.length:
        return ""
    length = loop.length
    return f"; the same line for any {length} (derived for {loop.spans})"


def _line(
    rule: str,
    left: Expr,
    after: Expr,
    why: str,
    *,
    rounds: tuple[tuple[int, int], ...],
    before: Expr | None = None,
    counter: str = "",
    span: tuple[str, ...] = (),
    claim: Claim = Claim.ROUNDS,
) -> Step:
    return Step(
        0,
        Phase.RECURSION,
        rule,
        left,
        before or after,
        after,
        why,
        shapes=tuple((s.name, s.shape) for s in sorted(symbols(after), key=lambda s: s.name)),
        claim=claim,
        rounds=rounds,
        counter=counter,
        span=span,
    )


__all__ = ["recursion_steps"]
