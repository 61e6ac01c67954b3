"""Update rules: how a step follows from the gradient, each with its derivation.

Plain gradient descent is the default. The others keep running averages of the gradients, in slots
of the shape of each variable.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from chainrule.descent.objective import Values
from chainrule.errors import DataError

Slots = dict[str, Values]
_TINY = 1e-8


@dataclass(frozen=True)
class UpdateRule:
    """A rule for one step.

    Parameters
    ----------
    name : str
        The name on the command line.
    numbers : tuple of float
        The decay rates of its running averages.
    slots : tuple of str
        The letters of what it keeps from step to step, zero at first.
    formula : str
        The update in one line.
    derivation : tuple of str
        Why it is so, line by line; ``{0}`` and ``{1}`` stand for the numbers.
    change : callable
        ``change(gradient, kept, numbers, step)`` returns what the rate multiplies, and the new
        slots, for one variable; `step` counts from 1.
    """

    name: str
    numbers: tuple[float, ...]
    slots: tuple[str, ...]
    formula: str
    derivation: tuple[str, ...]
    change: Callable[..., tuple[np.ndarray, tuple[np.ndarray, ...]]]

    def start(self, values: Values) -> Slots:
        """Return the slots before the first step."""
        return {slot: {s: np.zeros_like(v) for s, v in values.items()} for slot in self.slots}

    def move(
        self, values: Values, gradient: Values, slots: Slots, rate: float, step: int
    ) -> tuple[Values, Slots]:
        """Return values and slots after one step.

        Parameters
        ----------
        values, gradient : mapping of Symbol to array
            Where, and the gradient there.
        slots : mapping of str to values
            What the rule keeps.
        rate : float
            The learning rate.
        step : int
            The number of this step, from 1.
        """
        if not self.slots:
            return {s: v - rate * gradient[s] for s, v in values.items()}, slots
        moved: Values = {}
        kept: Slots = {slot: {} for slot in self.slots}
        for symbol, value in values.items():
            before = tuple(slots[slot][symbol] for slot in self.slots)
            change, after = self.change(gradient[symbol], before, self.numbers, step)
            moved[symbol] = value - rate * change
            for slot, array in zip(self.slots, after, strict=True):
                kept[slot][symbol] = array
        return moved, kept

    def lines(self) -> list[str]:
        """Return the update and its derivation, with the numbers in place."""
        return [line.format(*(f"{n:g}" for n in self.numbers)) for line in self.all_lines]

    @property
    def all_lines(self) -> tuple[str, ...]:
        """The formula, and the lines of its derivation."""
        return (self.formula, *self.derivation)

    def __str__(self) -> str:
        return ":".join(
            part for part in (self.name, ",".join(f"{n:g}" for n in self.numbers)) if part
        )


def _plain(
    g: np.ndarray, kept: tuple[np.ndarray, ...], numbers: tuple[float, ...], step: int
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    return g, ()


def _momentum(
    g: np.ndarray, kept: tuple[np.ndarray, ...], numbers: tuple[float, ...], step: int
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    v = numbers[0] * kept[0] + g
    return v, (v,)


def _rmsprop(
    g: np.ndarray, kept: tuple[np.ndarray, ...], numbers: tuple[float, ...], step: int
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    s = numbers[0] * kept[0] + (1 - numbers[0]) * g * g
    return g / (np.sqrt(s) + _TINY), (s,)


def _adam(
    g: np.ndarray, kept: tuple[np.ndarray, ...], numbers: tuple[float, ...], step: int
) -> tuple[np.ndarray, tuple[np.ndarray, ...]]:
    first, second = numbers
    v = first * kept[0] + (1 - first) * g
    s = second * kept[1] + (1 - second) * g * g
    return (v / (1 - first**step)) / (np.sqrt(s / (1 - second**step)) + _TINY), (v, s)


PLAIN = UpdateRule(
    "plain",
    (),
    (),
    "w_t+1 = w_t - rate g_t",
    (
        "g_t is the gradient at w_t. Along a direction d of length one, J changes at first by "
        "g_t^T d; this is least for d = -g_t/|g_t|, so minus the gradient is the steepest way down",
    ),
    _plain,
)
MOMENTUM = UpdateRule(
    "momentum",
    (0.9,),
    ("v",),
    "v_t = {0} v_t-1 + g_t;  w_t+1 = w_t - rate v_t",
    (
        "v_0 = 0, so v_t = g_t + {0} g_t-1 + {0}^2 g_t-2 + ...: put the rule for v_t-1 into itself",
        "where all g are the same, v_t = g (1 - {0}^t)/(1 - {0}): it tends to g/(1 - {0}), so "
        "steps grow along a slope that stays",
        "where g changes its sign at every step, v_t tends to g/(1 + {0}): steps shrink across a "
        "valley",
    ),
    _momentum,
)
RMSPROP = UpdateRule(
    "rmsprop",
    (0.99,),
    ("s",),
    "s_t = {0} s_t-1 + (1 - {0}) g_t^2;  w_t+1 = w_t - rate g_t/(sqrt(s_t) + 1e-8), entry by entry",
    (
        "s_0 = 0, so s_t = (1 - {0}) (g_t^2 + {0} g_t-1^2 + ...): a running mean of g^2",
        "the weights (1 - {0}) {0}^k add to 1 - {0}^t, so s_t tends to the mean of g^2",
        "g_t/sqrt(s_t) does not change when J is multiplied by a number: every entry moves by "
        "about the rate",
    ),
    _rmsprop,
)
ADAM = UpdateRule(
    "adam",
    (0.9, 0.999),
    ("v", "s"),
    "v_t = {0} v_t-1 + (1 - {0}) g_t;  s_t = {1} s_t-1 + (1 - {1}) g_t^2;  "
    "w_t+1 = w_t - rate (v_t/(1 - {0}^t))/(sqrt(s_t/(1 - {1}^t)) + 1e-8), entry by entry",
    (
        "v_0 = 0, so v_t = (1 - {0}) (g_t + {0} g_t-1 + ... + {0}^(t-1) g_1)",
        "these weights add to (1 - {0}) (1 + {0} + ... + {0}^(t-1)) = 1 - {0}^t, by the geometric "
        "series; where all g are the same, v_t = (1 - {0}^t) g",
        "so v_t/(1 - {0}^t) is a weighted mean of the gradients, from the first step on; and "
        "s_t/(1 - {1}^t) one of their squares",
        "at the first step this is g/|g|: every entry moves by the rate",
    ),
    _adam,
)
RULES: Mapping[str, UpdateRule] = {r.name: r for r in (PLAIN, MOMENTUM, RMSPROP, ADAM)}


def read_rule(text: str) -> UpdateRule:
    """Return a rule from text such as ``adam`` or ``momentum:0.95``.

    Raises
    ------
    DataError
        When there is no such rule, or its numbers are not decay rates.
    """
    name, _, numbers = (part.strip() for part in text.partition(":"))
    rule = RULES.get(name)
    if rule is None:
        raise DataError(f"no update rule {name!r}; there are {', '.join(RULES)}")
    if not numbers:
        return rule
    try:
        found = tuple(float(part) for part in numbers.split(","))
    except ValueError:
        found = ()
    if len(found) != len(rule.numbers) or not all(0 <= n < 1 for n in found):
        wanted = len(rule.numbers)
        raise DataError(
            f"{text}: {name} takes {wanted} number{'' if wanted == 1 else 's'} from 0 to below 1"
            + (f", such as {rule}" if wanted else "")
        )
    return replace(rule, numbers=found)
