"""Numerical stability: which forms overflow in float64, and what the stable ones give."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

import numpy as np

from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Code, Prose
from chainrule.teaching.exercises.questions import LETTERS
from chainrule.teaching.exercises.templates.template import Draft

Form = tuple[str, Callable[[float], float], str]
"""A formula as code, the function that it computes, and why it fails where it does."""

_np = np.float64


def _sigmoid(z: float) -> float:
    return float(1 / (1 + np.exp(-_np(z))))


SOFTPLUS: tuple[Form, ...] = (
    (
        "np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))",
        lambda z: float(np.maximum(z, 0) + np.log1p(np.exp(-np.abs(_np(z))))),
        "",
    ),
    ("np.log(1 + np.exp(z))", lambda z: float(np.log(1 + np.exp(_np(z)))), "exp(z) overflows"),
    (
        "z + np.log(1 + np.exp(-z)) if z < 0 else np.log(1 + np.exp(z))",
        lambda z: float(z + np.log(1 + np.exp(-_np(z))) if z < 0 else np.log(1 + np.exp(_np(z)))),
        "the two cases are exchanged, so the exponential that overflows is taken",
    ),
    (
        "-np.log(1 / (1 + np.exp(z)))",
        lambda z: float(-np.log(1 / (1 + np.exp(_np(z))))),
        "exp(z) overflows, and its reciprocal is 0",
    ),
)
"""log(1 + exp(z)) at a large z; the first form is right."""

LOGSUMEXP: tuple[Form, ...] = (
    (
        "m = z.max(); m + np.log(np.exp(z - m).sum())",
        lambda z: float(z + np.log(np.exp(np.array([0.0, -1.0])).sum())),
        "",
    ),
    (
        "np.log(np.exp(z).sum())",
        lambda z: float(np.log(np.exp(np.array([z, z - 1])).sum())),
        "exp overflows",
    ),
    (
        "m = z.min(); m + np.log(np.exp(z - m).sum())",
        lambda z: float(z - 1 + np.log(np.exp(np.array([1.0 + 2 * z, 0.0])).sum())),
        "scores far above the smallest still overflow",
    ),
    (
        "np.log(np.exp(z)).sum()",
        lambda z: float(np.log(np.exp(np.array([z, z - 1]))).sum()),
        "exp overflows, and logarithm and sum are exchanged",
    ),
)
"""log-sum-exp of scores one of which is large; the first form is right."""

SIGMOID_LOSS: tuple[Form, ...] = (
    (
        "np.log1p(np.exp(-np.abs(z))) + np.maximum(z, 0) - y * z",
        lambda z: float(np.log1p(np.exp(-np.abs(_np(z)))) + np.maximum(z, 0)),
        "",
    ),
    (
        "-(y * np.log(a) + (1 - y) * np.log(1 - a))",
        lambda z: float(-np.log(1 - _np(_sigmoid(z)))),
        "a is rounded to 1, and log(0) is infinite",
    ),
    (
        "-np.log(np.where(y == 1, a, 1 - a))",
        lambda z: float(-np.log(1 - _np(_sigmoid(z)))),
        "a is rounded to 1, and log(0) is infinite",
    ),
    (
        "np.log(1 + np.exp(z)) - y * z",
        lambda z: float(np.log(1 + np.exp(_np(z)))),
        "exp(z) overflows",
    ),
)
"""The cross-entropy with y = 0 at a large score; the first form is right."""


def finite_form(what: str, forms: Sequence[Form], rng: Random) -> Draft:
    """Ask which of several formulas is finite at a large number."""
    z = rng.choice((800.0, 1000.0, 2000.0))
    order = list(forms)
    rng.shuffle(order)
    with np.errstate(all="ignore"):
        finite = [math.isfinite(compute(z)) for _, compute, _ in order]
    assert finite.count(True) == 1, (what, z)
    letter = LETTERS[finite.index(True)]
    right = order[finite.index(True)]
    mistakes = tuple(
        (LETTERS[k], "stability overflow", f"at z = {z:g} {why}")
        for k, (_, _, why) in enumerate(order)
        if not finite[k]
    )
    return Draft(
        (Prose(f"Which of these gives a finite, right value of {what} where z is {z:g}?"),),
        AnswerKey("choice", letter, choices=tuple(code for code, _, _ in order), mistakes=mistakes),
        (
            "float64 ends near 1.8e308, which is exp(709.78).",
            "In each form, find the largest argument of an exponential.",
            "In a stable form no argument of exp is positive.",
        ),
        (
            Prose(f"{letter}) {right[0]}"),
            Prose(f"It gives {right[1](z):.6g}; the others give inf or nan."),
        ),
        tuple(Code(code) for code, _, _ in order),
    )


def softmax_values(rng: Random) -> Draft:
    """Ask for a softmax of large scores."""
    base, gap = rng.choice((1000, 5000)), rng.choice((1, 2, 3))
    scores = np.array([base, base - gap], float)
    p = np.exp(scores - scores.max())
    p /= p.sum()
    return Draft(
        (
            Prose(
                f"The scores are ({base}, {base - gap}). What are the probabilities of softmax, p1 "
                "and p2, exactly computed? Three digits."
            ),
        ),
        AnswerKey(
            "values",
            f"p1 = {p[0]:.6g}, p2 = {p[1]:.6g}",
            choices=("p1", "p2"),
            mistakes=(
                ("p1 = 1, p2 = 0", "stability taken for a limit", f"the gap is only {gap}"),
                ("p1 = 0.5, p2 = 0.5", "stability ratio of scores", "exponentials are compared"),
                (f"p1 = {p[1]:.6g}, p2 = {p[0]:.6g}", "stability exchanged", "larger score first"),
            ),
        ),
        (
            "Softmax does not change when a constant is taken off all scores.",
            f"Take off {base}: the scores are 0 and {-gap}.",
            f"exp(0) = 1 and exp({-gap}) = {math.exp(-gap):.4g}",
        ),
        (Prose(f"p1 = 1/(1 + e^{-gap}) = {p[0]:.4g}, p2 = {p[1]:.4g}"),),
    )


def stable_gradient(rng: Random) -> Draft:
    """Ask for the gradient of softplus at a large score."""
    z = rng.choice((50.0, 500.0, 1000.0, -50.0, -800.0))
    right = 1.0 if z > 0 else 0.0
    return Draft(
        (Prose(f"f = log(1 + exp(z)). What is df/dz at z = {z:g}, to three decimals?"),),
        AnswerKey(
            "value",
            f"{right:g}",
            mistakes=(
                (f"{1 - right:g}", "sign", "the slope tends to 1 for large z, to 0 for small z"),
                ("0.5", "stability at zero", "that is the slope at z = 0"),
            ),
            tolerance=0.0005,
        ),
        (
            "Differentiate f; it is an activation that you know.",
            "df/dz = exp(z)/(1 + exp(z)) = 1/(1 + exp(-z))",
            f"What is exp(-z) at z = {z:g}, roughly?",
        ),
        (Prose(f"df/dz = sigmoid({z:g}) = {right:g} to far more than three decimals."),),
    )


def cancellation(rng: Random) -> Draft:
    """Ask for the float64 result of a cancellation."""
    power = rng.choice((17, 18, 20))
    return Draft(
        (
            Prose(
                f"With float64, what does the code print for x = 1e-{power}? And what is the "
                "exact value near? Give printed, exact."
            ),
            Code("np.log(1 + x)"),
        ),
        AnswerKey(
            "values",
            f"printed = {math.log(1 + 10.0**-power):g}, exact = 1e-{power}",
            choices=("printed", "exact"),
            mistakes=(
                (
                    f"printed = 1e-{power}, exact = 1e-{power}",
                    "stability rounding overlooked",
                    "1 + x is rounded before the logarithm is taken",
                ),
                ("printed = 0, exact = 0", "stability exact value", "log(1 + x) is about x"),
            ),
            tolerance=0.01,
        ),
        (
            "The numbers next to 1 are 2.2e-16 away.",
            f"What is 1 + 1e-{power} after rounding?",
            "For small x, log(1 + x) is x - x²/2 + ...",
        ),
        (Prose(f"1 + x is rounded to 1, so 0 is printed. np.log1p(x) gives 1e-{power}."),),
    )


STABILITIES = (
    (
        "stable-softplus",
        "a stable softplus",
        "C",
        partial(finite_form, "log(1 + exp(z))", SOFTPLUS),
    ),
    (
        "stable-logsumexp",
        "a stable log-sum-exp",
        "C",
        partial(finite_form, "log-sum-exp of scores (z, z - 1, and one far below)", LOGSUMEXP),
    ),
    (
        "stable-loss",
        "a stable cross-entropy",
        "C",
        partial(finite_form, "the cross-entropy of a = sigmoid(z) with y = 0", SIGMOID_LOSS),
    ),
    ("stable-softmax", "softmax of large scores", "B", softmax_values),
    ("stable-gradient", "the gradient of a softplus", "B", stable_gradient),
    ("stable-cancellation", "a cancellation", "C", cancellation),
)
"""Id, title, level and template of every exercise on numerical stability."""
