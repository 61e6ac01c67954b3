"""Shapes of arrays under broadcasting, and the axes over which their gradients are summed.

The rule is NumPy's: shapes are aligned at their last axis, and an axis of length 1 is repeated. The
right answer is computed by NumPy itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random
from typing import TypeAlias

import numpy as np

from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Code, Prose
from chainrule.teaching.exercises.templates.template import Draft
from chainrule.teaching.exercises.typed_numbers import written_shape

ArrayShape: TypeAlias = tuple[int, ...]


def together(*shapes: ArrayShape) -> ArrayShape | None:
    """Return the shape of arrays that are broadcast; None where they do not fit."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return None


def _sizes(rng: Random) -> tuple[int, int]:
    a, b = rng.sample((2, 3, 4, 5, 6, 7), 2)
    return a, b


def shape_of_sum(form: str, rng: Random) -> Draft:
    """Ask for the shape of a sum of two arrays."""
    a, b = _sizes(rng)
    one, two = {
        "column-row": ((a, 1), (1, b)),
        "vector-column": ((a,), (a, 1)),
        "matrix-row": ((a, b), (b,)),
        "matrix-vector": ((a, b), (a,)),
        "row-column-gradient": ((1, b), (a, b)),
        "cube": ((2, a, b), (a, 1)),
    }[form]
    right = together(one, two)
    padded = (one + (1,) * len(two))[: len(two)] if len(one) < len(two) else one
    left_aligned = together(padded, (two + (1,) * len(padded))[: len(padded)])
    guesses: dict[ArrayShape | None, tuple[str, str]] = {
        one: ("shape of the first operand", "broadcasting can make the result larger than either"),
        two: ("shape of the second operand", "the other operand can be larger along an axis"),
        left_aligned: (
            "broadcast aligned at the first axis",
            "shapes are aligned at their last axis, not at their first",
        ),
        None: ("broadcast rejected", "an axis of length 1 is repeated, so these do fit"),
    }
    mistakes = tuple(
        (written_shape(shape), name if name.startswith("broadcast") else f"broadcast: {name}", why)
        for shape, (name, why) in guesses.items()
        if shape != right
    )
    why = (
        "Aligned at the last axis, a pair of lengths differs and neither is 1."
        if right is None
        else "Aligned at the last axis, every pair of lengths is equal or holds a 1."
    )
    return Draft(
        (
            Prose("What is the shape of the sum? Write error where NumPy raises one."),
            Code(f"A.shape = {one}\nB.shape = {two}\nC = A + B"),
        ),
        AnswerKey("array shape", written_shape(right), mistakes=mistakes),
        (
            "Write the two shapes below each other, aligned at the right.",
            "Where one shape is shorter, it gets axes of length 1 on the left.",
            "A pair of lengths fits when they are equal or one of them is 1.",
        ),
        (Prose(f"{why} C.shape: {written_shape(right)}"),),
    )


def gradient_axes(form: str, rng: Random) -> Draft:
    """Ask for the shape after the sum that un-broadcasts a gradient, and its number of terms."""
    a, b = _sizes(rng)
    small, large, axis, code = {
        "bias-column": ((a, 1), (a, b), 1, "Z = W @ X + b"),
        "bias-vector": ((b,), (a, b), 0, "Z = X @ W + b"),
        "scale": ((1, b), (a, b), 0, "Z = X * g"),
        "scalar": ((1, 1), (a, b), None, "Z = X + c"),
    }[form]
    name = code.split()[-1]
    if axis is None:
        right, other = a * b, a
    else:
        right, other = large[axis], large[1 - axis]
    mistakes = [
        (str(other), "broadcast axis confused", "that is the axis that both have; it is kept"),
        ("1", "un-broadcast forgotten", f"{name} is used several times, and each use adds"),
    ]
    if axis is not None:
        mistakes.append(
            (str(a * b), "broadcast summed over everything", "only the repeated axis is summed")
        )
    return Draft(
        (
            Prose(
                f"{name} has shape {small} and Z has shape {large}. How many entries of dZ are "
                f"added for one entry of d{name}?"
            ),
            Code(code),
        ),
        AnswerKey("count", str(right), mistakes=tuple(m for m in mistakes if int(m[0]) != right)),
        (
            f"The gradient of {name} has the shape of {name}.",
            f"How many entries of Z does one entry of {name} enter?",
            f"Along which axis is {name} repeated?",
        ),
        (
            Prose(
                f"One entry of {name} enters {right} entries of Z, and the gradients of its uses "
                "add."
            ),
        ),
    )


def silent_bug(rng: Random) -> Draft:
    """Ask for the shape of a loss in which a column meets a vector by accident."""
    m = rng.choice((4, 5, 8, 10))
    return Draft(
        (
            Prose("Predictions and labels of the same examples. What is the shape of E?"),
            Code(f"P.shape = ({m}, 1)\ny.shape = ({m},)\nE = (P - y)**2"),
        ),
        AnswerKey(
            "array shape",
            f"({m}, {m})",
            mistakes=(
                (f"({m}, 1)", "broadcast: unnoticed", "y is treated as a row (1, m), not a column"),
                (f"({m},)", "broadcast: unnoticed", "the result has the axes of both"),
                ("error", "broadcast rejected", "these do fit, which makes this bug a silent one"),
            ),
        ),
        (
            "Align the shapes at the right.",
            f"y counts as (1, {m}).",
            f"So ({m}, 1) meets (1, {m}).",
        ),
        (
            Prose(
                f"({m}, 1) and (1, {m}) give ({m}, {m}): every prediction minus every label. The "
                "mean of this is no loss of the examples, and no error is raised."
            ),
        ),
    )


BROADCASTS: tuple[tuple[str, str, str, Callable[[Random], Draft]], ...] = (
    ("broadcast-outer", "a column plus a row", "B", partial(shape_of_sum, "column-row")),
    ("broadcast-vector", "a vector plus a column", "B", partial(shape_of_sum, "vector-column")),
    ("broadcast-row", "a matrix plus a vector", "B", partial(shape_of_sum, "matrix-row")),
    (
        "broadcast-misfit",
        "a matrix plus a shorter vector",
        "C",
        partial(shape_of_sum, "matrix-vector"),
    ),
    ("broadcast-larger", "a row plus a matrix", "B", partial(shape_of_sum, "row-column-gradient")),
    ("broadcast-cube", "three axes", "D", partial(shape_of_sum, "cube")),
    ("broadcast-bias", "the gradient of a bias", "C", partial(gradient_axes, "bias-column")),
    (
        "broadcast-bias-rows",
        "a bias with examples as rows",
        "C",
        partial(gradient_axes, "bias-vector"),
    ),
    (
        "broadcast-scale",
        "the gradient of a scale per feature",
        "C",
        partial(gradient_axes, "scale"),
    ),
    ("broadcast-scalar", "the gradient of a scalar", "C", partial(gradient_axes, "scalar")),
    ("broadcast-bug", "a loss of the wrong shape", "D", silent_bug),
)
"""Id, title, level and template of every exercise on broadcasting."""
