"""Steps by hand: a step of gradient descent, and a numerical check of a gradient."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from random import Random

from chainrule.calculus.graph.model import Model
from chainrule.teaching.exercises.answer_readers import AnswerKey
from chainrule.teaching.exercises.content import Code, Prose
from chainrule.teaching.exercises.templates.evaluation import Point, model_of, slope, written
from chainrule.teaching.exercises.templates.template import Draft

EXACT = 2e-6
"""The tolerance where the difference between two formulas is the point of the question."""


def _draws(model: Model, rng: Random, names: Mapping[str, tuple[float, ...]]) -> dict[str, float]:
    return {symbol.name: rng.choice(names[symbol.name]) for symbol in model.inputs}


def step(
    text: str, variables: tuple[str, ...], names: Mapping[str, tuple[float, ...]], rng: Random
) -> Draft:
    """Ask for the variables after one step of gradient descent."""
    model = model_of(text)
    for _ in range(50):
        point = Point(model, _draws(model, rng, names))
        gradients = {v: float(point.gradient(v).item()) for v in variables}
        if all(abs(g) > 0.05 for g in gradients.values()):
            break
    rate = rng.choice((0.1, 0.2, 0.5))
    before = {v: point.value(v) for v in variables}

    def after(times: float, of: Callable[[str], float]) -> str:
        return ", ".join(f"{v} = {written(before[v] - times * of(v))}" for v in variables)

    def gradient(name: str) -> float:
        return gradients[name]

    made = [
        (after(-rate, gradient), "step uphill", "the step goes against the gradient, not along it"),
        (after(1, gradient), "step without the rate", "multiply the gradient by the rate"),
        (
            ", ".join(f"{v} = {written(-rate * gradients[v])}" for v in variables),
            "step without the start",
            "that is the change; add it to the old value",
        ),
        (after(rate / 2, gradient), "a constant factor: 1/2", "the gradient has twice this size"),
        (after(rate * 2, gradient), "a constant factor: 2", "the gradient has half this size"),
    ]
    right = after(rate, gradient)
    given = "\n".join(f"{s.name} = {written(point.value(s.name))}" for s in model.inputs)
    lowered = Point(
        model,
        {
            s.name: before[s.name] - rate * gradients[s.name]
            if s.name in variables
            else point.value(s.name)
            for s in model.inputs
        },
    )
    loss = model.objective.name
    first = variables[0]
    old, new = written(point.value(loss)), written(lowered.value(loss))
    gradient_text = ", ".join(f"d{loss}/d{v} = {written(gradients[v])}" for v in variables)
    return Draft(
        (
            Code(given),
            Prose(
                f"Take one step of gradient descent with learning rate {rate:g}. What "
                f"{'is' if len(variables) == 1 else 'are'} {' and '.join(variables)} then?"
            ),
        ),
        AnswerKey(
            "values",
            right,
            choices=variables,
            mistakes=tuple(m for m in made if m[0] != right),
            tolerance=0.002,
        ),
        (
            f"First the gradient: d{loss}/d{first} at these numbers.",
            f"Then {first} minus the rate times the gradient.",
            f"At the start {loss} = {old}. After the step it should be lower.",
        ),
        (
            Prose(f"{gradient_text}, so {right}."),
            Prose(f"The loss goes from {old} to {new}."),
        ),
        model=model,
    )


def difference(text: str, name: str, starts: tuple[float, ...], form: str, rng: Random) -> Draft:
    """Ask for a difference quotient, to the digit where its error shows."""
    model = model_of(text)
    start, width = rng.choice(starts), rng.choice((0.01, 0.1))
    loss = model.objective.name

    def at(value: float) -> float:
        return Point(model, {name: value}).value(loss)

    exact = slope(text, {name: start}, name)
    central = (at(start + width) - at(start - width)) / (2 * width)
    forward = (at(start + width) - at(start)) / width
    right = central if form == "central" else forward
    candidates = (
        (exact, "check exact derivative", "that is the derivative itself, without the step"),
        (forward, "check one side", "this uses one side; take both"),
        (central, "check both sides", "this uses both sides; take one"),
        (2 * central, "check divided by ε", f"the two points are 2·{width:g} apart"),
        ((at(start + width) - at(start - width)) / 2, "check divided by 2", "divide by 2ε"),
        (-right, "sign", "upper value minus lower value"),
    )
    mistakes = tuple(
        (f"{value:.10g}", kind, message)
        for value, kind, message in candidates
        if abs(value - right) > 2 * EXACT * abs(right)
    )
    formula = (
        f"({loss}({name} + ε) - {loss}({name} - ε))/(2ε)"
        if form == "central"
        else f"({loss}({name} + ε) - {loss}({name}))/ε"
    )
    return Draft(
        (
            Prose(
                f"Check the derivative of {loss} at {name} = {start:g} by {formula} with ε = "
                f"{width:g}. What does this quotient give? All digits, please."
            ),
        ),
        AnswerKey("value", f"{right:.10g}", mistakes=mistakes, tolerance=EXACT),
        (
            f"Write down {name} + ε"
            + (f" and {name} - ε." if form == "central" else "; the other point is the start."),
            f"{loss}({start + width:g}) = {at(start + width):.10g}",
            f"The derivative itself is {exact:g}; the quotient is near it, and not equal.",
        ),
        (
            Prose(
                f"The quotient is {right:.8g}, the derivative {exact:g}: the error is "
                f"{abs(right - exact):.1e}. It is of order "
                + ("ε² on both sides." if form == "central" else "ε on one side.")
            ),
        ),
        model=model,
    )


def relative_error(rng: Random) -> Draft:
    """Ask for the relative error of a gradient check."""
    exact = rng.choice((2.0, 5.0, 0.4))
    off = rng.choice((0.001, 0.002, 0.00004)) * exact
    numerical = exact + off
    right = off / max(numerical, exact)
    return Draft(
        (
            Prose(
                f"Backpropagation gives {exact:.8g}, central differences give {numerical:.8g}. "
                "What is the relative error |a - b|/max(|a|, |b|)?"
            ),
        ),
        AnswerKey(
            "value",
            f"{right:.6g}",
            mistakes=(
                (f"{off:.6g}", "check absolute error", "divide by the size of the gradients"),
                (f"{100 * right:.6g}", "check percent", "that is in percent"),
                (f"{right / 2:.6g}", "check sum below", "divide by the larger, not by the sum"),
            ),
            tolerance=0.02,
        ),
        (
            "First the difference of the two.",
            f"The difference is {off:.3g}.",
            f"Divide by the larger: {max(numerical, exact):.8g}.",
        ),
        (
            Prose(
                f"{off:.3g}/{max(numerical, exact):.8g} = {right:.3g}. With float64 and ε near "
                "1e-5, a right gradient of a smooth loss gives about 1e-7 or less."
            ),
        ),
    )


def best_step(rng: Random) -> Draft:
    """Ask which step width has the least total error."""
    power = rng.choice((3, 4, 5))
    third = 6.0
    rounding = 10.0 ** (-3 * power)
    right = 10.0**-power
    return Draft(
        (
            Prose(
                "A central difference has an error from the formula, ε²/6 · M with M = "
                f"{third:g}, and one from rounding, r/ε with r = {2 * rounding:.0e}. For which ε "
                "is their sum smallest?"
            ),
        ),
        AnswerKey(
            "value",
            f"{right:.6g}",
            mistakes=(
                (f"{rounding:.6g}", "check smallest step", "rounding grows when ε shrinks"),
                (
                    f"{(2 * rounding) ** 0.5:.6g}",
                    "check rule of one side",
                    "that balances the error of a one-sided difference, which is of order ε",
                ),
            ),
            tolerance=0.05,
        ),
        (
            "Write the sum as a function of ε and differentiate it.",
            "ε² + r/ε has the derivative 2ε - r/ε².",
            "So 2ε³ = r.",
        ),
        (Prose(f"2ε³ = {2 * rounding:.0e}, so ε = {right:.0e}."),),
    )


SMALL = (-2.0, -1.0, 1.0, 2.0, 3.0)
SQUARED = "x, y, w, b : (1, 1)\nz = w x + b\nL = (z - y)^2/2\nwrt: w, b"
LOGISTIC = (
    "x, y, w, b : (1, 1)\nz = w x + b\na = sigmoid(z)\n"
    "L = -(y log(a) + (1 - y) log(1 - a))\nwrt: w, b"
)
RIDGE = "x, y, w, l : (1, 1)\nz = w x\nL = (z - y)^2/2 + l w^2/2\nwrt: w"
BOWL = "u, v : (1, 1)\nL = u^2 + 3 v^2\nwrt: u, v"
RELU_UNIT = "x, y, w, v : (1, 1)\na = relu(w x)\nL = (v a - y)^2/2\nwrt: w, v"
SHARED = "x, y, w : (1, 1)\na = w x\nz = w a\nL = (z - y)^2/2\nwrt: w"

ONE = {"x": SMALL, "y": SMALL, "w": SMALL, "b": SMALL}

STEPS = (
    ("step-squared", "a step for a squared error", "A", partial(step, SQUARED, ("w", "b"), ONE)),
    (
        "step-logistic",
        "a step for logistic regression",
        "B",
        partial(step, LOGISTIC, ("w", "b"), {**ONE, "y": (0.0, 1.0), "w": (0.0, 0.5, -0.5)}),
    ),
    (
        "step-ridge",
        "a step with a penalty",
        "B",
        partial(step, RIDGE, ("w",), {**ONE, "l": (0.5, 1.0, 2.0)}),
    ),
    (
        "step-bowl",
        "a step in two directions",
        "A",
        partial(step, BOWL, ("u", "v"), {"u": SMALL, "v": SMALL}),
    ),
    (
        "step-relu",
        "a step through a ReLU unit",
        "C",
        partial(step, RELU_UNIT, ("w", "v"), {**ONE, "w": (1.0, 2.0), "x": (1.0, 2.0), "v": SMALL}),
    ),
    (
        "step-shared",
        "a step for a shared weight",
        "C",
        partial(step, SHARED, ("w",), {**ONE, "x": (1.0, 2.0)}),
    ),
)
"""Id, title, level and template of every step of gradient descent."""

CUBIC = "t : (1, 1)\nJ = 2 t^3 + 2\nwrt: t"
QUARTIC = "t : (1, 1)\nJ = t^4\nwrt: t"
EXPONENTIAL = "t : (1, 1)\nJ = exp(t)\nwrt: t"
RATIO = "t : (1, 1)\nJ = 1/t\nwrt: t"

CHECKS = (
    (
        "check-central",
        "a central difference",
        "A",
        partial(difference, CUBIC, "t", (1.0, 2.0), "central"),
    ),
    (
        "check-forward",
        "a one-sided difference",
        "A",
        partial(difference, CUBIC, "t", (1.0, 2.0), "forward"),
    ),
    (
        "check-quartic",
        "a central difference of a power",
        "B",
        partial(difference, QUARTIC, "t", (1.0, -1.0), "central"),
    ),
    (
        "check-exponential",
        "a central difference of exp",
        "B",
        partial(difference, EXPONENTIAL, "t", (0.0, 1.0), "central"),
    ),
    (
        "check-reciprocal",
        "a one-sided difference of 1/t",
        "B",
        partial(difference, RATIO, "t", (1.0, 2.0), "forward"),
    ),
    ("check-relative", "the relative error of a check", "B", relative_error),
    ("check-width", "the best width of a step", "D", best_step),
)
"""Id, title, level and template of every numerical check of a gradient."""
