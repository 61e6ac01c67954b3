"""Oracles of the kinds of question: a right and a wrong answer, worked out from the lecture.

The answers for logistic regression on many examples are known without chainrule: A - Y,
(A - Y) X^T, a(1 - a). A kind is right when the one is accepted and the other refused.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping

import numpy as np
from tests.architecture.tables import Oracle, Table

from chainrule.documents.exercises.building import question_blocks
from chainrule.documents.renderers.terminal import text_of
from chainrule.teaching.exercises.answer_readers import judge
from chainrule.teaching.exercises.kinds import KINDS
from chainrule.teaching.exercises.kinds import ask as ask_kind
from chainrule.teaching.exercises.kinds.numbers import ORDINALS
from chainrule.teaching.exercises.pool import course_exercise
from chainrule.teaching.exercises.questions import Question, QuestionKind

Answers = tuple[str, str] | None
"""The right and a wrong answer, or nothing where this question is not one that we know."""


def _letter(text: str, wanted: str) -> str | None:
    """Return the letter of the option that says something."""
    found = re.search(rf"^ *([a-z])\) {re.escape(wanted)} *$", text, re.MULTILINE)
    return found[1] if found else None


def _gradient(text: str) -> Answers:
    known = {"∂J/∂b = ?": ("(A - Y) 1", "(Y - A) 1"), "∂J/∂w = ?": ("(A-Y) X^T", "(A-Y) X")}
    return next((pair for asked, pair in known.items() if asked in text), None)


def _chosen(asked: str, right: str, wrong: str) -> Callable[[str], Answers]:
    def answers(text: str) -> Answers:
        good, bad = _letter(text, right), _letter(text, wrong)
        return (good, bad) if asked in text and good and bad else None

    return answers


def _shape(text: str) -> Answers:
    known = {"w": ("(1, n)", "(n, 1)"), "Z": ("(1, m)", "(m, 1)"), "A": ("(1, m)", "(n, m)")}
    found = re.search(r"gradient of J with respect to (\w)\?", text)
    return known.get(found[1]) if found else None


def _next(text: str) -> Answers:
    right = _letter(text, "∂J/∂w_p = (A - Y) X_p^T")
    wrong = _letter(text, "∂J/∂w_p = (A + Y) X_p^T")
    return (right, wrong) if right and wrong else None


def _rule(text: str) -> Answers:
    if "∂J/∂b = Σ_i (a_i - y_i)\n" not in text:
        return None
    right = _letter(text, "un-broadcast: times a vector of ones")
    wrong = next((letter for letter in "abcd" if letter != right), "a")
    return (right, wrong) if right else None


LINES = (
    "Σ_i ∂J/∂a_i",
    "(-y_i/a_i + (1 - y_i)/(1 - a_i)) · ∂a_i",
    "a_i(1 - a_i) · ∂z_i",
    "((1 - y_i)/(1 - a_i)) a_i",
    "-y_i + y_i a_i",
    "(A - Y) X_p^T",
)
"""Parts of the lines for the gradient of w, in the order of the board."""


def _order(text: str) -> Answers:
    options = re.findall(r"^  ([a-z])\) (.*(?:\n {6,}.*)*)", text, re.MULTILINE)
    places = []
    for letter, line in options:
        flat = " ".join(line.split())
        place = next((k for k, part in enumerate(LINES) if part in flat), None)
        if place is None:
            return None
        places.append((place, letter))
    if len({place for place, _ in places}) < len(LINES):
        return None
    right = [letter for _, letter in sorted(places)]
    return " ".join(right), " ".join(reversed(right))


def _wrong_line(text: str) -> Answers:
    found = re.search(r"^ *(\d)\) ∂z_i/∂w_p = -X_pi$", text, re.MULTILINE)
    return (found[1], str(int(found[1]) - 1)) if found else None


def _verify(text: str) -> Answers:
    return ("yes", "no") if "∂J/∂w = (A - Y) X^T\n" in text else None


def _number(text: str) -> Answers:
    found = re.search(
        r"respect to w,\s+the\s+entry\s+in\s+its\s+(\w+)\s+row\s+and\s+(\w+)\s+column", text
    )
    if found is None:
        return None
    arrays = {
        name: np.array(eval(value)) for name, value in re.findall(r"(\w) = (\[\[.*\]\])", text)
    }
    gradient = (arrays["A"] - arrays["Y"]) @ arrays["X"].T
    value = gradient[ORDINALS.index(found[1]), ORDINALS.index(found[2])]
    return f"{value:.4g}", f"{-value:.4g}"


def _why(text: str) -> Answers:
    """Weights act in every example: their gradient adds, since paths add."""
    found = re.search(r"([a-z])\) Each weight acts in every example", text)
    return (found[1], "b" if found[1] == "a" else "a") if found else None


def _cache(text: str) -> Answers:
    return ("X, Y, A", "X, Z") if "∂J/∂w, ∂J/∂b" in text else None


TWO_LAYERS = (
    "dZ2 = A2 - Y",
    "dZ1 = W2.T @ dZ2 * (1 - np.square(A1))",
    "dW1 = dZ1 @ X.T",
    "db1 = np.sum(dZ1, axis=1, keepdims=True)",
    "dW2 = dZ2 @ A1.T",
    "db2 = np.sum(dZ2, keepdims=True)",
)
"""The backward pass of a tanh network under a sigmoid with cross-entropy."""

TANH_NETWORK = (
    "dZ2 = A2 - Y",
    "dW2 = dZ2 A1^T",
    "db2 = dZ2 1",
    "dA1 = W2^T dZ2",
    "dZ1 = dA1 .* (1 - A1^2)",
    "dW1 = dZ1 X^T",
)


def _debug(text: str) -> Answers:
    shown = re.findall(r"^ *(\d)\) (.*)$", text, re.MULTILINE)
    wrong = [number for number, line in shown if line not in TWO_LAYERS]
    return (wrong[0], "1" if wrong[0] != "1" else "2") if len(wrong) == 1 else None


def _given(text: str) -> dict[str, float]:
    return {n: float(v) for n, v in re.findall(r"\b([a-z]\d?) = (-?[\d.]+)(?![\d.]*\|)", text)}


def _circuit(text: str) -> Answers:
    x, y, z = (_given(text)[name] for name in "xyz")
    return (
        f"q = {x + y}, f = {(x + y) * z}, df/dq = {z}, df/dx = {z}, df/dy = {z}, df/dz = {x + y}",
        f"q = {x + y}, f = {(x + y) * z}, df/dq = {z}, df/dx = 1, df/dy = 1, df/dz = {x + y}",
    )


def _step(text: str) -> Answers:
    u, v = _given(text)["u"], _given(text)["v"]
    rate = float(re.search(r"rate ([\d.]+\d)", text)[1])  # type: ignore[index]
    return (
        f"{u - rate * 2 * u}, {v - rate * 6 * v}",
        f"{u + rate * 2 * u}, {v + rate * 6 * v}",
    )


def _difference(text: str) -> Answers:
    found = re.search(r"t = ([\d.]+) by .*? ε =\s+([\d.]+\d)\.", text, re.DOTALL)
    assert found is not None
    t, e = float(found[1]), float(found[2])
    return f"{6 * t**2 + 2 * e**2:.10g}", f"{6 * t**2:g}"


def _broadcast(text: str) -> Answers:
    rows = re.search(r"A.shape = \((\d), 1\)", text)
    columns = re.search(r"B.shape = \(1, (\d)\)", text)
    assert rows is not None
    assert columns is not None
    return f"({rows[1]}, {columns[1]})", f"({columns[1]}, {rows[1]})"


def _kinks(text: str) -> Answers:
    z, da = (ast.literal_eval(each) for each in re.findall(r"= (\[.*\])", text))
    right = [str(g if s > 0 else 0) for s, g in zip(z, da, strict=True)]
    return ", ".join(right), ", ".join(map(str, da))


def _saturation(text: str) -> Answers:
    z, y = (float(v) for v in re.search(r"z = (-?\d+), y = (\d)", text).groups())  # type: ignore[union-attr]
    return f"{1 / (1 + np.exp(-z)) - y:.6g}", "0.0001"


def _flow(text: str) -> Answers:
    found = re.search(r"(\d+) units in a chain, all weights ([\d.]+\d|\d)", text)
    assert found is not None
    return f"({found[2]}/4)^{int(found[1]) - 1}", f"({found[2]}/4)^{found[1]}"


def _counting(text: str) -> Answers:
    n, h, k = (int(each) for each in re.findall(r"\b(\d+)\b", text)[:3])
    return f"{h * n} + {h} + {k * h} + {k}", f"{h * n + k * h}"


KNOWN: Mapping[str, Callable[[str], Answers]] = {
    "gradient": _gradient,
    "factor": _chosen("∂z_i/∂w_p = ?", "X_pi", "w_p"),
    "shape": _shape,
    "next": _next,
    "rule": _rule,
    "order": _order,
    "wrong-line": _wrong_line,
    "verify": _verify,
    "number": _number,
    "code-to-maths": lambda text: (
        ("(A - Y) X^T", "(A - Y) X") if "dw = (A - Y) @ X.T" in text else None
    ),
    "maths-to-code": lambda text: (
        ("(A - Y) @ X.T", "(A - Y) @ X") if "∂J/∂w = (A - Y) X^T\n" in text else None
    ),
    "cache": _cache,
    "debug": _debug,
    "concept": _chosen("largest slope of the sigmoid", "1/4, at z = 0", "1, at z = 0"),
    "circuit": _circuit,
    "step": _step,
    "gradient-check": _difference,
    "broadcast": _broadcast,
    "kinks": _kinks,
    "stability": lambda text: (
        ("1", "0") if "at z = 50," in text else ("0", "1") if "at z = -50," in text else None
    ),
    "saturation": _saturation,
    "gradient-flow": _flow,
    "counting": _counting,
    "initialization": lambda text: ("1", "2") if "different rows" in text else None,
    "parts": lambda text: (
        "; ".join(TANH_NETWORK),
        "; ".join([*TANH_NETWORK[:5], "dW1 = dZ1 X"]),
    ),
    "why": _why,
}

EXERCISES = {
    "debug": "two-layers",
    "concept": "concept-sigmoid-max",
    "circuit": "circuit-sum-product",
    "step": "step-bowl",
    "gradient-check": "check-central",
    "broadcast": "broadcast-outer",
    "kinks": "kink-mask",
    "stability": "stable-gradient",
    "saturation": "saturated-entropy",
    "gradient-flow": "flow-sigmoid",
    "counting": "count-dense",
    "initialization": "equal-weights",
    "parts": "parts-tanh",
}
"""The exercise that a kind is asked about, where it is not logistic regression."""

SEEDS = 60


def kind_oracle(kind: QuestionKind) -> str:
    """Answer the first question of a kind whose answer is known, rightly and wrongly."""
    for seed in range(SEEDS):
        question = _asked(kind, seed)
        answers = (
            None
            if question is None
            else KNOWN[kind.name](text_of(question_blocks(question)) + "\n")
        )
        if question is None or answers is None:
            continue
        right, wrong = answers
        if not judge(question.key, right).right:
            return f"{right!r} is right and was refused: {question.key}"
        if judge(question.key, wrong).right:
            return f"{wrong!r} is wrong and was accepted: {question.key}"
        return ""
    return f"none of {SEEDS} questions is one with a known answer"


def _asked(kind: QuestionKind, seed: int) -> Question | None:
    return ask_kind(course_exercise(EXERCISES.get(kind.name, "logistic-batch")), kind.name, seed)


def _oracle(name: str) -> Oracle | None:
    return kind_oracle if name in KNOWN else None


QUESTIONS = Table("kind of question", lambda: {kind.name: kind for kind in KINDS}, _oracle)
