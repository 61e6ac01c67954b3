r"""Losses in entries behind layers in matrices: ``-\frac1m \sum_i \sum_k Y_{ki} \log A_{ki}``.

The layers have the whole batch, ``A = \mathrm{softmax}(Z)``, and their loss is a sum over entries,
often of small letters. It is written with the matrices; where its gradients leave its 1/m out, as
those of courses do, it is their sum.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_SUM = r"\\sum\s*(?:\\limits\s*)?_\s*(?:\{[^{}]*\}|\w)\s*(?:\^\s*(?:\{[^{}]*\}|\w)\s*)?"
_LOSS = re.compile(
    r"(?P<left>(?:\\mathcal\s*\{\s*[LJ]\s*\}|[LJ]|\\ell)\s*(?:\([^()=]*\)\s*)?&?=\s*)-\s*"
    rf"(?P<mean>\\frac\s*\{{\s*1\s*\}}\s*\{{\s*\w+\s*\}}\s*)?(?:{_SUM})+(?P<body>[^$\n]*\\(?:log|ln)[^$\n]*)"
)
_OTHER_CASE = re.compile(r"1\s*-\s*(?:\\hat)?\s*\{?\s*[aypAY]")
_BATCH = re.compile(r"(?<![A-Za-z\\])Z\s*(?:\^\s*\{?\s*[\[(]\w[\])]\s*\}?|_\s*\{?\w\}?)?\s*&?=")
_OUTPUT = re.compile(
    r"(?P<name>\\hat\s*\{?\s*Y\s*\}?|(?<![A-Za-z\\])A(?:\^\s*\{?\s*[\[(]\w[\])]\s*\}?|_\s*\{?\w\}?)?)\s*&?="
)


def taken_matrix_losses(text: str) -> Iterator[tuple[str, str]]:
    """Yield a text with its loss in matrices, each with the definition of that loss.

    Parameters
    ----------
    text : str
        The text, without layout.
    """
    loss = _LOSS.search(text)
    outputs = [match["name"] for match in _OUTPUT.finditer(text)]
    if loss is None or not outputs or _BATCH.search(text) is None:
        return
    predicted = next((name for name in outputs if "hat" in name), max(outputs))
    body = rf"Y \odot \log {predicted}"
    if _OTHER_CASE.search(loss["body"]) is not None:
        body += rf" + (1 - Y) \odot \log (1 - {predicted})"
    for mean in dict.fromkeys((loss["mean"] or "", "")):
        formula = f"{loss['left']}-{mean}sum({body})"
        yield f"{text[: loss.start()]}{formula}{text[loss.end() :]}", formula


__all__ = ["taken_matrix_losses"]
