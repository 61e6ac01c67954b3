"""Provenance of steps: a partition of the new line, equal expressions, and lines worked by hand."""

from __future__ import annotations

from collections import Counter
from importlib.resources import files

import pytest
from tests.calculus.derivation.reason_passes import PASSES
from tests.derivations import derived

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.own import own_function
from chainrule.calculus.derivation.provenance import OriginKind, traced
from chainrule.calculus.derivation.steps import Phase, Step
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr, Symbol
from chainrule.calculus.graph.paths import places, subexpression
from chainrule.calculus.graph.replacement import Replacement
from chainrule.calculus.ops import add, exp, mul
from chainrule.calculus.rewriting.simplification import simplify
from chainrule.deriving import derive_second
from chainrule.language.reading import read_model
from chainrule.language.typeset import plain
from chainrule.teaching.exercises.loading import exercises

LECTURE = (
    "X : (n, m)\nY : (1, m)\nw : (1, n)\nb : (1, 1)\nZ = w X + b\nA = sigmoid(Z)\n"
    "J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))"
)
EXAMPLES = {
    path.name: path.read_text()
    for path in sorted(files("chainrule").joinpath("examples").iterdir(), key=lambda p: p.name)
    if path.name.endswith(".cr")
}
SHARED = {
    "the same factor three times": "a : (1, 1)\nL = (a + a^2) (a + a^2) + (a + a^2)\nwrt: a",
    "one symbol everywhere": "x : (n, 1)\nL = x^T x + sum(x .* x) + x^T x\nwrt: x",
    "terms that cancel": "a : (1, 1)\nb : (1, 1)\nL = (a - b) (a + b) + b b\nwrt: a",
    "signs that come out": "x : (n, 1)\nL = sum(-(-x) .* (-(x^2)))\nwrt: x",
    "quotients": "x : (n, 1)\ny : (n, 1)\nL = sum(x/(1 + x/y))\nwrt: x, y",
    "a function of one's own": "f(z) = z^2/(1 + z)\nx : (n, 1)\nL = sum(f(x))\nwrt: x",
}


def models() -> dict[str, Model]:
    found = {f"exercise {e.id}": e.model for e in exercises() if e.level != "G"}
    found |= {f"example {name}": read_model(text) for name, text in EXAMPLES.items()}
    found |= {f"pass {name}": read_model(text) for name, text in PASSES.items()}
    return found | {f"shared {name}": read_model(text) for name, text in SHARED.items()}


MODELS = models()


def assert_partition(step: Step) -> None:
    """Hold the provenance of a step to what it must be, whatever the step is."""
    found = step.provenance
    assert list(found.origins) == [path for path, _ in places(step.after)]
    for path, origin in found.origins.items():
        here = subexpression(step.after, path)
        if origin.kind is OriginKind.INTRODUCED:
            assert origin.source is None
            continue
        assert origin.source is not None
        there = subexpression(step.before, origin.source)
        if origin.kind in (OriginKind.KEPT, OriginKind.MOVED):
            assert here is there
        if origin.kind is OriginKind.AROUND:
            assert type(here) is type(there)
            assert getattr(here, "op", None) is getattr(there, "op", None)
    kept = [o.source for o in found.origins.values() if o.kind is OriginKind.KEPT]
    assert max(Counter(kept).values(), default=1) == 1
    sources = {origin.source for origin in found.origins.values()}
    for path in found.cancelled:
        inside = [p for p, _ in places(subexpression(step.before, path), path)]
        assert sources.isdisjoint(inside)
    if step.before is step.after:
        assert {origin.kind for origin in found.origins.values()} == {OriginKind.KEPT}


@pytest.mark.parametrize("name", MODELS)
def test_every_node_of_a_line_has_one_origin(name: str) -> None:
    derivation = derived(MODELS[name])
    for step in derivation.steps:
        assert_partition(step)
        if step.phase is Phase.SUBSTITUTE:
            assert step.provenance.answered_in is not None
            answer = derivation.steps[step.provenance.answered_in - 1]
            assert step.replacement is not None
            assert step.replacement.after is answer.after


@pytest.mark.parametrize("name", MODELS)
def test_a_recorded_replacement_gives_both_lines(name: str) -> None:
    for step in derived(MODELS[name]).steps:
        if (record := step.replacement) is not None:
            assert record.around(record.before) is step.before
            assert record.around(record.after) is step.after


def test_second_derivatives_have_origins_too() -> None:
    for step in derive_second(LECTURE).steps:
        assert_partition(step)


def test_most_rewritten_lines_are_recorded() -> None:
    phases = (Phase.SUBSTITUTE, Phase.SIMPLIFY, Phase.COLLAPSE)
    steps = [
        step
        for name, model in MODELS.items()
        if name.startswith("exercise")
        for step in derived(model).steps
        if step.phase in phases
    ]
    recorded = sum(step.provenance.recorded for step in steps)
    assert recorded / len(steps) > 0.8, (recorded, len(steps))


# ---- by hand: what a teacher would draw with arrows between two lines -----------------------

a, b, c, x, y = (Symbol(name) for name in "abcxy")
HAND = {
    "a term moves to the front": (add(-b, a), add(a, -b), {"a": "a", "-b": "-b"}, []),
    "one factor is multiplied into two terms": (
        mul(add(a, b), c),
        add(mul(a, c), mul(b, c)),
        {"a": "a", "b": "b", "c": "c"},
        [],
    ),
    "opposite terms vanish": (add(a, b, -b), a, {"a": "a"}, ["b", "-b"]),
    "above and below cancel": (mul(a / b, b, c), mul(a, c), {"a": "a", "c": "c"}, ["b", "b"]),
    "a common factor is taken out": (
        add(mul(a, x), mul(b, x)),
        mul(x, add(a, b)),
        {"a": "a", "b": "b", "x": "x"},
        ["x"],
    ),
    "a product inside a function changes": (
        exp(mul(a, b)) + c,
        exp(mul(b, a)) + c,
        {"a": "a", "b": "b", "c": "c"},
        [],
    ),
}


@pytest.mark.parametrize("name", HAND)
def test_lines_worked_by_hand(name: str) -> None:
    before, after, carried, cancelled = HAND[name]
    found = traced("by hand", before, after)
    for path, origin in found.origins.items():
        text = plain(subexpression(after, path))
        if text in carried:
            assert origin.source is not None
            assert plain(subexpression(before, origin.source)) == carried[text]
    gone = [plain(subexpression(before, path)) for path in found.cancelled]
    assert sorted(gone) == sorted(cancelled)
    assert not found.recorded


def around(part: Expr) -> Expr:
    return add(a, part, a, x)


def test_the_record_tells_equal_terms_apart() -> None:
    """Of three equal terms the one in the middle is rewritten, as the record says."""
    before, after = around(a), around(y)
    found = traced("a rule", before, after, Replacement(a, y, around))
    assert found.recorded
    assert found.origins[(0,)].source == (0,)
    assert found.origins[(1,)].source == (1,)
    assert found.origins[(1,)].kind is OriginKind.REWRITTEN
    assert found.origins[(2,)].source == (2,)
    assert [found.origins[(k,)].kind for k in (0, 2, 3)] == [OriginKind.KEPT] * 3


def test_an_answer_comes_from_its_question_wherever_it_is_put() -> None:
    question = Symbol("q")

    def line(part: Expr) -> Expr:
        return mul(part, x) + part

    answer = add(a, b)
    found = traced("put in", line(question), line(answer), Replacement(question, answer, line, 7))
    assert found.answered_in == 7
    assert found.origins[(0, 0)].source == (0, 0)
    assert found.origins[(0, 0, 1)].kind is OriginKind.SUBSTITUTED
    assert {found.origins[(k,)].source for k in (1, 2)} == {(1,)}  # the sum joins the sum


def test_a_denominator_that_was_answered_by_one_over_something() -> None:
    question = Symbol("q")

    def line(part: Expr) -> Expr:
        return mul(part, x)

    found = traced("put in", line(question), line(1 / a), Replacement(question, 1 / a, line, 3))
    kinds = {plain(subexpression(x / a, p)): o.kind for p, o in found.origins.items()}
    assert kinds["x"] in (OriginKind.KEPT, OriginKind.MOVED)
    assert kinds["a"] is OriginKind.SUBSTITUTED


def test_provenance_is_computed_when_asked() -> None:
    step = next(s for s in derivation_of(read_model(LECTURE)).steps if s.phase is Phase.SIMPLIFY)
    assert "provenance" not in vars(step)
    assert step.provenance is step.provenance


def test_the_steps_of_a_function_of_ones_own_are_traced() -> None:
    z = Symbol("z")
    slope = own_function("f", z, z / (1 + z)).slope
    assert simplify(slope.body)[0] is slope.body
    for step in derivation_of(read_model(SHARED["a function of one's own"])).steps:
        if step.phase is Phase.FUNCTION:
            assert_partition(step)
