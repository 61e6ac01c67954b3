"""The values beside the steps, as HTML."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from math import isfinite

from chainrule.calculus.graph.dims import Dim
from chainrule.calculus.proof.step_values import StepValues


def numbers_html(
    numbers: Mapping[int, StepValues], example: str, places: Mapping[Dim, str]
) -> dict[int, str]:
    """Return the values of every step.

    Parameters
    ----------
    numbers : mapping of int to StepValues
        By the id of the step.
    example : str
        The description of the example.
    places : mapping of Dim to str
        For each dimension, which place was chosen, in words.
    """
    return {key: _sentence(value, example, places) for key, value in numbers.items()}


def _sentence(numbers: StepValues, example: str, places: Mapping[Dim, str]) -> str:
    named = [words for dim, words in places.items() if dim in numbers.dims]
    at = ", ".join(named)
    if numbers.term is None:
        return f"<p>{_number(numbers.value)} <small>{escape(at)}</small></p>"
    where = f" ({escape(at)})" if at else ""
    return (
        f"<p>{_number(numbers.term)} <small>is the term of {escape(example)}{where}</small>; "
        f"{_number(numbers.value)} <small>is the sum over all examples</small></p>"
    )


def _number(value: float) -> str:
    if not isfinite(value):
        # The lesson in it: this is why the machine runs the stable form.
        return "<strong>not a number</strong> <small>(some a rounds to 0 or 1)</small>"
    text = f"{value:.5g}".replace("-", "−")
    return f"<strong>{text}</strong>"
