"""Kinks: one-sided slopes, subgradients, ties of a maximum, checks of a gradient near a kink."""

from __future__ import annotations

from random import Random

from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Code, Prose
from chainrule.teaching.exercises.templates.evaluation import Point, model_of, written
from chainrule.teaching.exercises.templates.template import Draft


def one_sided(rng: Random) -> Draft:
    """Ask for the slopes on both sides of a kink."""
    a, b = rng.choice((2, 3, 4)), rng.choice((-1, 1, 2, -3))
    line = f"{'+' if b > 0 else '-'} {'' if abs(b) == 1 else f'{abs(b)} '}x"
    model = model_of(f"x : (1, 1)\nf = {a} abs(x) {line}\nwrt: x")
    left, right = (float(Point(model, {"x": x}).gradient("x").item()) for x in (-1.0, 1.0))
    return Draft(
        (Prose(f"f = {a}|x| {line}. What are the slopes of f left and right of 0?"),),
        AnswerKey(
            "values",
            f"left = {written(left)}, right = {written(right)}",
            choices=("left", "right"),
            mistakes=(
                (
                    f"left = {written(right)}, right = {written(left)}",
                    "mask inverted",
                    "left of 0, |x| is -x",
                ),
                (
                    f"left = {written(right)}, right = {written(right)}",
                    "mask of one side",
                    "left of 0, |x| is -x, with slope -1",
                ),
                (f"left = {-a}, right = {a}", "an additive term dropped", "the other term counts"),
            ),
        ),
        (
            "Write f without | | for x < 0, and for x > 0.",
            f"For x > 0: f = {a} x {line}.",
            f"For x < 0: f = -{a} x {line}.",
        ),
        (
            Prose(
                f"Left {written(left)}, right {written(right)}. Every number between them is a "
                "subgradient at 0."
                + (" As 0 is among them, x = 0 is the minimum." if left <= 0 <= right else "")
            ),
        ),
    )


def tied_maximum(rng: Random) -> Draft:
    """Ask for the gradients of a tied maximum under two conventions."""
    top, low, up = rng.choice((2, 5)), rng.choice((0, 1)), rng.choice((6.0, 4.0))
    names = ("x1", "x2", "x3", "y1", "y2", "y3")
    right = (up, 0.0, 0.0, up / 2, up / 2, 0.0)

    def answer(values: tuple[float, ...]) -> str:
        return ", ".join(f"{n} = {written(v)}" for n, v in zip(names, values, strict=True))

    return Draft(
        (
            Prose(
                f"m = max(x) of x = ({top}, {top}, {low}), and the gradient that arrives at m is "
                f"{up:g}. One library gives all of it to the first maximum, another shares it "
                "equally. What are the gradients of the three entries: x1, x2, x3 in the first "
                "library, y1, y2, y3 in the second?"
            ),
        ),
        AnswerKey(
            "values",
            answer(right),
            choices=names,
            mistakes=(
                (
                    answer((up, up, 0.0, up, up, 0.0)),
                    "tie counted twice",
                    "together the entries get what arrives at m, not more",
                ),
                (
                    answer((up, 0.0, 0.0, up / 3, up / 3, up / 3)),
                    "mask dropped",
                    "only the entries that attain the maximum get a part",
                ),
                (
                    answer((1.0, 0.0, 0.0, 0.5, 0.5, 0.0)),
                    "upstream gradient not multiplied",
                    "multiply by the gradient that arrives",
                ),
            ),
        ),
        (
            "Which entries attain the maximum?",
            "In the first library one entry gets everything.",
            f"In the second, two entries share {up:g}.",
        ),
        (
            Prose(
                f"First library: ({up:g}, 0, 0). Second: ({up / 2:g}, {up / 2:g}, 0). Both are "
                "subgradients of the maximum: weights on the tied entries that add to 1."
            ),
        ),
    )


def check_at_kink(rng: Random) -> Draft:
    """Ask for a central difference across the kink of a ReLU."""
    step = 0.01
    z = rng.choice((0.0, 0.002, 0.005, -0.004))
    model = model_of("z : (1, 1)\na = relu(z)\nwrt: z")

    def at(x: float) -> float:
        return Point(model, {"z": x}).value("a")

    right = (at(z + step) - at(z - step)) / (2 * step)
    side = "at" if z == 0 else "near"
    return Draft(
        (
            Prose(
                f"A gradient check {side} a kink: a = ReLU(z) at z = {z:g}, central difference "
                f"with ε = {step:g}. What does the difference quotient give?"
            ),
        ),
        AnswerKey(
            "value",
            f"{right:.8g}",
            mistakes=tuple(
                (f"{value:g}", name, why)
                for value, name, why in (
                    (1.0, "check kink overlooked", "z - ε lies on the other side of the kink"),
                    (0.0, "check kink overlooked", "z + ε lies on the other side of the kink"),
                    (2 * right, "check divided by ε", "the two points are 2ε apart"),
                )
                if abs(value - right) > 0.01
            ),
        ),
        (
            "Evaluate ReLU at both points.",
            f"ReLU({z + step:g}) = {at(z + step):g}",
            f"ReLU({z - step:g}) = {at(z - step):g}; divide the difference by {2 * step:g}.",
        ),
        (
            Prose(
                f"{at(z + step):g}/{2 * step:g} = {right:.4g}, and the slope there is "
                f"{'0 or 1 by convention' if z == 0 else '1' if z > 0 else '0'}. The check fails, "
                "and the gradient is right: take points farther than ε from a kink."
            ),
        ),
    )


def shrinkage(rng: Random) -> Draft:
    """Ask for the minimum of a square plus an absolute value."""
    a, strength = rng.choice(((3.0, 1.0), (-2.0, 0.5), (0.4, 1.0), (5.0, 2.0), (-0.3, 0.5)))
    right = max(abs(a) - strength, 0.0) * (1 if a > 0 else -1)
    candidates = (
        (a, "regulariser ignored", "that is the minimum without the penalty"),
        (a - strength if a < 0 else a + strength, "sign", "the penalty pulls towards 0"),
        (
            (abs(a) - strength) * (1 if a > 0 else -1),
            "mask of the absolute value",
            "past 0 the penalty pushes back: the minimum stays at 0",
        ),
        (a / (1 + strength), "regulariser taken for a square", "that is for a squared penalty"),
    )
    return Draft(
        (
            Prose(
                f"For which w is (w - a)²/2 + λ|w| smallest, with a = {a:g} and λ = {strength:g}?"
            ),
        ),
        AnswerKey(
            "value",
            f"{right + 0.0:.6g}",
            mistakes=tuple(
                (f"{value:.6g}", name, why)
                for value, name, why in candidates
                if abs(value - right) > 0.01
            ),
        ),
        (
            "Where is 0 a subgradient?",
            "For w > 0 the slope is w - a + λ, for w < 0 it is w - a - λ.",
            f"At w = 0 the subgradients are -a - λ ... -a + λ, here from {-a - strength:g} to "
            f"{-a + strength:g}.",
        ),
        (
            Prose(
                f"w = {right + 0.0:g}: shrink |a| by λ, and stop at 0 (soft threshold). So an "
                "absolute penalty makes weights exactly 0, and a squared one does not."
            ),
        ),
    )


def mask_of_batch(rng: Random) -> Draft:
    """Ask for a gradient through the mask of a ReLU."""
    z = [rng.choice((-2, -1, 3)), rng.choice((1, 2)), rng.choice((-3, 2)), -1]
    g = [rng.choice((1, 2, -1, 4)) for _ in z]
    names = ("d1", "d2", "d3", "d4")
    right = tuple(float(b) if a > 0 else 0.0 for a, b in zip(z, g, strict=True))

    def answer(values: tuple[float, ...]) -> str:
        return ", ".join(f"{n} = {written(v)}" for n, v in zip(names, values, strict=True))

    wrong = (
        (tuple(map(float, g)), "mask dropped", "where z < 0 nothing passes"),
        (
            tuple(float(max(b, 0)) for b in g),
            "mask of the gradient's sign",
            "the mask looks at z, not at the gradient",
        ),
        (
            tuple(float(b * max(a, 0)) for a, b in zip(z, g, strict=True)),
            "value in place of the mask",
            "the slope is 1 where z > 0, not z",
        ),
        (
            tuple(0.0 if a > 0 else float(b) for a, b in zip(z, g, strict=True)),
            "mask inverted",
            "it passes where z > 0",
        ),
    )
    return Draft(
        (
            Code(f"z  = {z}\nda = {g}"),
            Prose("a = ReLU(z). What is dz? Give d1, d2, d3, d4."),
        ),
        AnswerKey(
            "values",
            answer(right),
            choices=names,
            mistakes=tuple((answer(v), n, why) for v, n, why in wrong if v != right),
        ),
        (
            "Where does the slope of ReLU differ from 0?",
            "The mask is 1 where z > 0.",
            f"The mask is {[int(a > 0) for a in z]}.",
        ),
        (Prose(f"dz = da ⊙ [z > 0]: {answer(right)}"),),
    )


KINKS = (
    ("kink-sides", "slopes on both sides", "B", one_sided),
    ("kink-tie", "a tied maximum", "D", tied_maximum),
    ("kink-check", "a check at a kink", "C", check_at_kink),
    ("kink-shrinkage", "a square and an absolute value", "D", shrinkage),
    ("kink-mask", "through the mask of a ReLU", "A", mask_of_batch),
)
"""Id, title, level and template of every exercise on kinks and ties."""
