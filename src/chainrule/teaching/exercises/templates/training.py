"""Behaviour of gradients in training: symmetry, vanishing and exploding, saturation."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import numpy as np

from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Code, Prose
from chainrule.teaching.exercises.templates.evaluation import Point, model_of, slope, written
from chainrule.teaching.exercises.templates.template import Draft

TWO_LAYERS = """
X : (2, 3)
Y : (1, 3)
W1 : (2, 2)
b1 : (2, 1)
W2 : (1, 2)
b2 : (1, 1)
Z1 = W1 X + b1
A1 = {activation}(Z1)
Z2 = W2 A1 + b2
A2 = sigmoid(Z2)
J = -sum(Y .* log(A2) + (1 - Y) .* log(1 - A2))
wrt: W1, b1, W2, b2
"""
PARAMETERS = ("W1", "b1", "W2", "b2")
SYMMETRIC = 1e-9


def _network(activation: str, rng: Random, fill: Callable[[tuple[int, int]], Any]) -> Point:
    model = model_of(TWO_LAYERS.format(activation=activation))
    numbers = [rng.choice((-2, -1, 1, 2, 3)) for _ in range(6)]
    given: dict[str, Any] = {"X": np.reshape(numbers, (2, 3)), "Y": [[1, 0, 0]]}
    shapes = {"W1": (2, 2), "b1": (2, 1), "W2": (1, 2), "b2": (1, 1)}
    given |= {name: fill(shape) for name, shape in shapes.items()}
    return Point(model, given)


def zero_start(activation: str, rng: Random) -> Draft:
    """Ask which gradients are zero when all parameters are."""
    point = _network(activation, rng, np.zeros)
    zero = [n for n in PARAMETERS if np.abs(point.gradient(n)).max() < SYMMETRIC]
    outputs = [n for n in PARAMETERS if n not in zero]
    inside = f"{activation}(0) = {written(float(np.ravel(point.array('A1'))[0]))}"
    return Draft(
        (
            Prose(
                f"All weights and biases start at 0; the hidden layer is {activation}, and one of "
                "the three labels is 1. Which gradients are zero at the first step?"
            ),
        ),
        AnswerKey(
            "names",
            ", ".join(zero),
            choices=PARAMETERS,
            mistakes=_names_mistakes(
                zero,
                (
                    (PARAMETERS, "symmetry all gradients zero", "look at dZ2 = A2 - Y: not zero"),
                    (("W1", "W2"), "symmetry weights only", "how does b1 get its gradient?"),
                    (("W1", "b1"), "symmetry hidden layer only", f"dW2 = dZ2 A1^T; {inside}"),
                    (("W1", "b1", "W2"), "symmetry A1 taken as zero", inside),
                ),
            ),
        ),
        (
            "Walk forward first: what are A1 and A2?",
            f"{inside}, and A2 = 1/2, so dZ2 is not zero.",
            "dA1 = W2^T dZ2, and W2 = 0.",
        ),
        (
            Prose(f"Zero: {', '.join(zero)}. Not zero: {', '.join(outputs)}."),
            Prose(f"dA1 = W2^T dZ2 = 0 stops W1 and b1; dW2 = dZ2 A1^T, and {inside}."),
        ),
        model=point.model,
    )


def _names_mistakes(
    right: list[str], wrong: tuple[tuple[tuple[str, ...], str, str], ...]
) -> tuple[tuple[str, str, str], ...]:
    return tuple((", ".join(n), name, why) for n, name, why in wrong if list(n) != right)


def equal_rows(rng: Random) -> Draft:
    """Ask how many different units a network with equal weights has."""
    width, steps = rng.choice((4, 8, 16)), rng.choice((1, 10, 1000))
    point = _network("tanh", rng, lambda shape: np.full(shape, 0.5))
    rows = point.gradient("W1")
    assert np.abs(rows[0] - rows[1]).max() < SYMMETRIC
    return Draft(
        (
            Prose(
                f"A hidden layer has {width} tanh units. All weights start at the same number c, "
                f"all biases at 0. After {steps} step{'s' * (steps > 1)} of gradient descent on "
                "all examples, how many different rows does W1 have?"
            ),
        ),
        AnswerKey(
            "count",
            "1",
            mistakes=(
                (str(width), "symmetry broken by training", "equal units get equal gradients"),
                ("2", "symmetry broken by signs", "every unit has the same outgoing weight"),
                ("0", "symmetry rows vanish", "rows are there; are they different?"),
            ),
        ),
        (
            "Compare the outputs of two hidden units at the start.",
            "Compare their gradients: what enters each, and what comes back to each?",
            "Equal rows with equal gradients: what are they after the step?",
        ),
        (
            Prose(
                "Equal units compute the same, get the same gradient and stay equal, step after "
                "step: one row. Random starts break the symmetry."
            ),
        ),
    )


def variance(form: str, rng: Random) -> Draft:
    """Ask for the standard deviation of weights that keeps the variance of a layer."""
    n = rng.choice((50, 200, 800, 450))
    factor = {"linear": 1, "relu": 2}[form]
    right = math.sqrt(factor / n)
    name = {"linear": "no activation", "relu": "ReLU"}[form]
    other = math.sqrt((3 - factor) / n)
    extra = (
        "with Var(z) = n Var(w) E[x²]"
        if form == "linear"
        else "ReLU of a symmetric input keeps half of E[z²]"
    )
    return Draft(
        (
            Prose(
                f"A layer has {n} inputs and {name}. Weights are independent with mean 0. Which "
                "standard deviation keeps the mean square of the signal the same from layer to "
                "layer?"
            ),
        ),
        AnswerKey(
            "value",
            f"{right:.6g}",
            mistakes=(
                (f"{factor / n:.6g}", "symmetry variance", "that is the variance; take its root"),
                (f"{other:.6g}", "symmetry factor of ReLU", f"{extra}"),
                (f"{1 / n:.6g}", "symmetry one over n", "the variance is of this order"),
            )[: 3 if factor == 2 else 2],
            tolerance=0.01,
        ),
        (
            "z is a sum of n products w x. How does its variance depend on n?",
            "Var(z) = n Var(w) E[x²].",
            "Now E[x²] of the next layer" + (": ReLU keeps half." if factor == 2 else " is E[z²]."),
        ),
        (
            Prose(
                f"n Var(w) = {factor}, so the standard deviation is sqrt({factor}/{n}) = "
                f"{right:.4g}."
            ),
            Prose("Sources: Glorot and Bengio (2010); for ReLU He et al. (2015)."),
        ),
    )


def chain(activation: str, rng: Random) -> Draft:
    """Ask for a bound on the ratio of gradients through a chain of units.

    The bound need not be reached: without a bias no sigmoid after the first is at its steepest.
    """
    depth = rng.choice((4, 6, 10))
    bound = {"sigmoid": 0.25, "tanh": 1.0}[activation]
    weight = rng.choice((0.5, 2.0, 1.0))
    steps = depth - 1
    name = {"sigmoid": "the sigmoid", "tanh": "tanh"}[activation]
    steepest = slope(f"z : (1, 1)\nf = {activation}(z)\nwrt: z", {"z": 0.0}, "z")
    assert abs(steepest - bound) < SYMMETRIC
    right = (bound * weight) ** steps
    return Draft(
        (
            Code(f"a_k = {activation}(z_k),  z_(k+1) = {weight:g} a_k,  k = 1 ... {steps}"),
            Prose(
                f"{depth} units in a chain, all weights {weight:g}. Which upper bound on "
                f"|dL/dz_1| / |dL/dz_{depth}| follows from the weights and the largest slope "
                f"of {name}?"
            ),
        ),
        AnswerKey(
            "value",
            f"{right:.8g}",
            mistakes=tuple(
                (f"{value:.8g}", name, why)
                for value, name, why in (
                    (bound**steps, "flow without weights", "every step also has the weight"),
                    (weight**steps, "flow without slopes", "every step also has a slope"),
                    (
                        (bound * weight) ** depth,
                        "flow one step too many",
                        f"from z_{depth} to z_1 there are {steps} steps",
                    ),
                    (steps * bound * weight, "flow factors added", "along a path factors multiply"),
                )
                if abs(value - right) > 0.02 * right
            ),
        ),
        (
            "dL/dz_k = dL/dz_(k+1) · weight · slope at z_k.",
            f"How large can the slope of {name} be, and where?",
            f"There are {steps} such factors.",
        ),
        (Prose(f"({bound:g} · {weight:g})^{steps} = {right:.4g}"),),
    )


def exploding(rng: Random) -> Draft:
    """Ask from which weight on gradients explode in a linear recurrence."""
    growth, steps = rng.choice((100, 1000)), rng.choice((10, 20, 50))
    right = growth ** (1 / steps)
    return Draft(
        (
            Prose(
                f"h_t = w h_(t-1) + x_t. For which positive w does a gradient grow by a factor of "
                f"{growth} over {steps} steps back?"
            ),
        ),
        AnswerKey(
            "value",
            f"{right:.8g}",
            mistakes=(
                (f"{growth / steps:.8g}", "flow factors added", "the factors multiply"),
                (f"{growth:.8g}", "flow in one step", f"there are {steps} steps"),
            ),
            tolerance=0.002,
        ),
        (
            "Differentiate h_t with respect to h_(t-1): that is the factor of one step back.",
            f"Over {steps} steps these factors multiply, they do not add.",
            f"Solve w^{steps} = {growth}.",
        ),
        (Prose(f"w^{steps} = {growth}, so w = {growth}^(1/{steps}) = {right:.5g}."),),
    )


def clipping(rng: Random) -> Draft:
    """Ask for a gradient after clipping by norm."""
    a, b, c = rng.choice(((3, 4, 5), (6, 8, 10), (5, 12, 13)))
    limit = rng.choice((1.0, 2.0))
    right = (a * limit / c, b * limit / c)
    names = ("g1", "g2")
    return Draft(
        (
            Prose(
                f"The gradient is (g1, g2) = ({a}, {b}). It is clipped to the norm {limit:g}. What "
                "is it then?"
            ),
        ),
        AnswerKey(
            "values",
            f"g1 = {right[0]:.8g}, g2 = {right[1]:.8g}",
            choices=names,
            mistakes=(
                (
                    f"g1 = {limit:g}, g2 = {limit:g}",
                    "flow clipped by entries",
                    "clipping by norm keeps the direction",
                ),
                (
                    f"g1 = {a * limit / (a + b):.8g}, g2 = {b * limit / (a + b):.8g}",
                    "flow norm as a sum",
                    "the norm is the root of the sum of squares",
                ),
            ),
        ),
        (
            "Compute the norm first: the root of the sum of the squares.",
            f"sqrt({a}² + {b}²) = {c}",
            f"Both entries are multiplied by one number, so that {c} becomes {limit:g}.",
        ),
        (Prose(f"({a}, {b}) · {limit:g}/{c} = ({right[0]:.4g}, {right[1]:.4g})"),),
    )


SQUARED = "z, y : (1, 1)\na = sigmoid(z)\nL = (a - y)^2/2\nwrt: z"
CROSS_ENTROPY = "z, y : (1, 1)\na = sigmoid(z)\nL = -(y log(a) + (1 - y) log(1 - a))\nwrt: z"


def saturated(loss: str, rng: Random) -> Draft:
    """Ask for the gradient at a saturated output."""
    text = {"squared error": SQUARED, "cross-entropy": CROSS_ENTROPY}[loss]
    other = {"squared error": CROSS_ENTROPY, "cross-entropy": SQUARED}[loss]
    score = rng.choice((4.0, 6.0, 8.0))
    y = rng.choice((0.0, 1.0))
    z = -score if y else score
    right, swapped = slope(text, {"z": z, "y": y}, "z"), slope(other, {"z": z, "y": y}, "z")
    a = 1 / (1 + math.exp(-z))
    return Draft(
        (
            Prose(
                f"A sigmoid output is confidently wrong: z = {z:g}, y = {y:g}. What is dL/dz for "
                "this loss? Three digits."
            ),
        ),
        AnswerKey(
            "value",
            f"{right:.8g}",
            mistakes=(
                (
                    f"{swapped:.8g}",
                    "saturation of the other loss",
                    f"this is the gradient of the other loss; here L is the {loss}",
                ),
                (f"{-swapped:.8g}", "sign", "and this is the other loss, with the sign lost"),
                ("0", "saturation taken for zero", "it is small or not, but not zero"),
            ),
            tolerance=0.02,
        ),
        (
            "Write dL/dz as dL/da · da/dz.",
            f"a = {a:.6g}, and da/dz = a(1 - a) = {a * (1 - a):.3g}.",
            "dL/da = a - y" if loss == "squared error" else "dL/da · a(1 - a) simplifies to a - y.",
        ),
        (
            Prose(f"dL/dz = {right:.4g}."),
            Prose(
                f"The {'cross-entropy' if text is SQUARED else 'squared error'} has {swapped:.4g} "
                "here. The slope of the sigmoid, "
                f"{a * (1 - a):.2g}, is a factor of one of them and cancels in the other."
            ),
        ),
        model=model_of(text),
    )


def unit_slope(activation: str, rng: Random) -> Draft:
    """Ask for the slope of an activation far from its middle."""
    z = rng.choice((3.0, -3.0, 5.0, -5.0))
    right = slope(f"z : (1, 1)\na = {activation}(z)\nwrt: z", {"z": z}, "z")
    value = Point(model_of(f"z : (1, 1)\na = {activation}(z)\nwrt: z"), {"z": z}).value("a")
    top = slope(f"z : (1, 1)\na = {activation}(z)\nwrt: z", {"z": 0.0}, "z")
    return Draft(
        (Prose(f"a = {activation}(z). What is da/dz at z = {z:g}? Two digits."),),
        AnswerKey(
            "value",
            f"{right:.8g}",
            mistakes=tuple(
                (f"{wrong:.8g}", name, why)
                for wrong, name, why in (
                    (value, "the function for its slope", "that is the value, not the slope"),
                    (top, "saturation overlooked", "that is the slope at 0"),
                    (1 - value, "saturation half of the slope", "one factor is missing"),
                )
                if abs(wrong - right) > 0.03 * abs(right)
            ),
            tolerance=0.02,
        ),
        (
            "Write the slope in terms of a.",
            f"a = {value:.6g}",
            "a(1 - a)" if activation == "sigmoid" else "1 - a² = (1 - a)(1 + a)",
        ),
        (Prose(f"da/dz = {right:.4g}; at z = 0 it is {top:g}."),),
    )


INITIALISATIONS = (
    ("zeros-tanh", "all zeros, with tanh", "D", partial(zero_start, "tanh")),
    ("zeros-sigmoid", "all zeros, with a sigmoid", "D", partial(zero_start, "sigmoid")),
    ("equal-weights", "equal weights", "D", equal_rows),
    ("variance-linear", "the variance of weights", "D", partial(variance, "linear")),
    ("variance-relu", "the variance of weights for ReLU", "D", partial(variance, "relu")),
)
"""Id, title, level and template of every exercise on initialization."""

FLOWS = (
    ("flow-sigmoid", "a chain of sigmoids", "C", partial(chain, "sigmoid")),
    ("flow-tanh", "a chain of tanh units", "C", partial(chain, "tanh")),
    ("flow-recurrent", "gradients through time", "D", exploding),
    ("flow-clipping", "clipping a gradient", "C", clipping),
)
"""Id, title, level and template of every exercise on vanishing and exploding gradients."""

SATURATIONS = (
    (
        "saturated-squared",
        "a wrong sigmoid, squared error",
        "C",
        partial(saturated, "squared error"),
    ),
    (
        "saturated-entropy",
        "a wrong sigmoid, cross-entropy",
        "C",
        partial(saturated, "cross-entropy"),
    ),
    ("saturated-unit", "the slope of a saturated sigmoid", "B", partial(unit_slope, "sigmoid")),
    ("saturated-tanh", "the slope of a saturated tanh", "B", partial(unit_slope, "tanh")),
)
"""Id, title, level and template of every exercise on saturation."""
