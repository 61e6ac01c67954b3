"""Every line of a derivation says something new, and the last about a gradient is the result."""

from __future__ import annotations

import pytest
from tests.derivations import derived, verified

from chainrule import derive
from chainrule.calculus.derivation.steps import Derivation, Phase
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Partial
from chainrule.documents.lesson.building import lesson
from chainrule.documents.renderers import terminal
from chainrule.language.reading import example_names, load_model, read_model
from chainrule.language.typeset import unicode
from chainrule.teaching.exercises.loading import exercises

PASSES = (
    "x : (1, 1)\nL = x^2",
    "x : (1, 1)\ny : (1, 1)\nL = x^2 + x y",
    "x : (n, 1)\nL = sum(x)",
    "x : (n, 1)\ny : (1, 1)\nL = y\nwrt: x",
    "x : (n, 1)\nb : (1, 1)\nu = x + b\nL = sum(u^2)\nwrt: b, x",
    "x : (n, 1)\nu = x^2\nv = u + 3\nL = v[1] v[2] + sum(u)",
    "A : (n, n)\nx : (n, 1)\nL = x^T A x",
    "X : (n, m)\nW : (h, n)\nV : (1, h)\nY : (1, m)\nA = tanh(W X)\nB = sigmoid(V A)\n"
    "J = mean((B - Y)^2)",
    "x : (n, 1)\nL = sum(1/(1 + exp(-x)))",
    "s : (1, 1)\nw : (1, 1)\nfor l = 1..4:\n    s^[l] = tanh(w s^[l-1])\nL = s^[4]\nwrt: w",
)


def models() -> list[tuple[str, Model]]:
    found = [(name, load_model(name)) for name in example_names()]
    found += [(exercise.id, exercise.model) for exercise in exercises()]
    found += [(text.splitlines()[-1], read_model(text)) for text in PASSES if "for l" not in text]
    return found


@pytest.mark.parametrize("model", [m for _, m in models()], ids=[name for name, _ in models()])
def test_no_line_repeats_the_one_before_it(model: Model) -> None:
    last: dict[str, str] = {}
    before = ""
    for step in derived(model).steps:
        left, line = unicode(step.left), unicode(step.after)
        assert (left, line) != (before, last.get(before)), f"step {step.id}: {left} = {line}"
        if step.phase is not Phase.RECURSION:
            assert last.get(left) != line, f"step {step.id}: {left} = {line}"
        last[left], before = line, left


@pytest.mark.parametrize("name", example_names())
def test_one_line_concludes_each_gradient_and_is_certified_as_its_derivative(name: str) -> None:
    derivation = verified(load_model(name))
    for gradient in (*derivation.layers.values(), *derivation.gradients.values()):
        final = gradient.index if gradient.matrix is None else gradient.matrix
        (last,) = (s for s in derivation if s.concludes and _is_about(s.left, gradient.variable))
        assert last.after is final
        assert last.check is not None


def _is_about(left: object, variable: object) -> bool:
    wrt = left.wrt if isinstance(left, Partial) else None
    return getattr(wrt, "matrix", wrt) is variable


def test_the_result_of_a_direct_question_is_said_once() -> None:
    derivation: Derivation = derive("x : (1, 1)\nL = x^2")
    assert [step.id for step in derivation.steps if step.concludes] == [1]
    assert (
        terminal.render(lesson(derivation)).count("∂L/∂x = 2 x") == 2
    )  # the answer, and the summary
