"""The values beside the steps, in words."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from chainrule.calculus.graph.dims import Dim
from chainrule.calculus.proof.step_values import StepValues
from chainrule.documents.blocks import Inline, Prose, Style, Styled


def numbers_prose(
    numbers: Mapping[int, StepValues], example: str, places: Mapping[Dim, str]
) -> dict[int, Prose]:
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
    return {key: Prose(_sentence(value, example, places)) for key, value in numbers.items()}


def _sentence(numbers: StepValues, example: str, places: Mapping[Dim, str]) -> tuple[Inline, ...]:
    at = ", ".join(words for dim, words in places.items() if dim in numbers.dims)
    if numbers.term is None:
        return (*_number(numbers.value), " ", Styled(at, Style.SMALL))
    where = f" ({at})" if at else ""
    return (
        *_number(numbers.term),
        " ",
        Styled(f"is the term of {example}{where}", Style.SMALL),
        "; ",
        *_number(numbers.value),
        " ",
        Styled("is the sum over all examples", Style.SMALL),
    )


def _number(value: float) -> tuple[Inline, ...]:
    if not isfinite(value):
        # The lesson in it: this is why the machine runs the stable form.
        found = Styled("not a number", Style.STRONG)
        return (found, " ", Styled("(some a rounds to 0 or 1)", Style.SMALL))
    return (Styled(f"{value:.5g}".replace("-", "−"), Style.STRONG),)
