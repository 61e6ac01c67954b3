"""Losses that PyTorch has as functions."""

from __future__ import annotations

import ast
from typing import TypeVar

from chainrule.teaching.marking.code_by_value.algebra import Misfit
from chainrule.teaching.marking.code_by_value.reader import Arguments, Keywords, Reader

V = TypeVar("V")

LOSSES = frozenset({
    "cross_entropy", "mse_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits",
    "nll_loss",
})  # fmt: skip
"""The names of the losses."""


def library_loss(ev: Reader[V], word: str, args: Arguments, keywords: Keywords) -> object:
    """Return the value of a loss: a mean, or a sum where ``reduction`` says so.

    Parameters
    ----------
    ev : Reader
        The evaluation of the arguments.
    word : str
        One of ``LOSSES``.
    args : sequence of ast.expr
        What the network gives, and the labels.
    keywords : mapping
        The arguments by keyword.

    Raises
    ------
    Misfit
        Where the labels are missing.
    """
    algebra = ev.algebra
    if len(args) < 2:
        raise Misfit(f"{word} with one argument")
    kind = keywords.get("reduction")
    total = "sum" if isinstance(kind, ast.Constant) and kind.value == "sum" else "mean"
    value, labels = ev.array(args[0]), ev.array(args[1])
    if word == "mse_loss":
        errors = algebra.elementwise("square", algebra.elementwise("subtract", value, labels))
        return algebra.reduced(total, errors, None, keeps=False)
    if word.startswith("binary"):
        return algebra.reduced(total, _binary(ev, word, value, labels), None, keeps=False)
    logarithm = value if word == "nll_loss" else _log_softmax(ev, value)
    logarithm = algebra.elementwise("negative", logarithm)
    if ev.is_open_or_vector(labels):
        picked = algebra.entry(logarithm, ev.rows_and(labels))
        return algebra.reduced(total, picked, None, keeps=False)
    terms = algebra.reduced("sum", algebra.elementwise("multiply", labels, logarithm), (-1,),
                            keeps=False)  # fmt: skip
    return algebra.reduced(total, terms, None, keeps=False)


def _log_softmax(ev: Reader[V], value: V) -> V:
    algebra = ev.algebra
    power = algebra.elementwise("exp", algebra.argument(value))
    shares = algebra.elementwise("divide", power, algebra.reduced("sum", power, (-1,), keeps=True))
    return algebra.elementwise("log", shares)


def _binary(ev: Reader[V], word: str, value: V, labels: V) -> V:
    """Return the cross-entropy of every probability, or of the sigmoid of every score."""
    algebra = ev.algebra
    if word.endswith("logits"):
        value = algebra.elementwise("sigmoid", algebra.argument(value))
    one = algebra.number(1.0)
    terms = [
        algebra.elementwise("multiply", share, algebra.elementwise("log", probability))
        for share, probability in (
            (labels, value),
            (algebra.elementwise("subtract", one, labels),
             algebra.elementwise("subtract", one, value)),
        )
    ]  # fmt: skip
    return algebra.elementwise("negative", algebra.elementwise("add", *terms))


__all__ = ["LOSSES", "library_loss"]
