r"""Cross-entropies without their sum: ``E_t = -y_t \log \hat y_t`` of a softmax and its labels.

Both are vectors there, and the loss is a number: the sum over the classes is left out.
"""

from __future__ import annotations

import re

_FONT = r"(?:\\(?:mathbf|boldsymbol|bm|vec)\s*)?"
_NAME = (
    rf"(?:\\(?:hat|widehat)\s*\{{?\s*{_FONT}\{{?\s*[a-z]\s*\}}?\s*\}}?|{_FONT}\{{?\s*[a-z]\s*\}}?)"
    r"(?:\s*[_^]\s*(?:\{[^{}]*\}|\w))*"
)
_SOFTMAX = re.compile(rf"(?P<name>{_NAME})\s*&?=\s*(?:\\[a-z]+\s*\{{\s*)?[sS]oftmax")
_SUMMED = re.compile(r"\\sum[^=]*$|∑[^=]*$")


def with_class_sums(text: str) -> str:
    r"""Write ``-y \log \hat y`` as ``-y^T \log \hat y`` where the logarithm is of a softmax.

    A text that sums, or that has the other case ``1 - y`` beside it, stays as it is.
    """
    names = {_bare(match["name"]) for match in _SOFTMAX.finditer(text)}
    if not names:
        return text
    product = re.compile(
        rf"(?P<before>=\s*-\s*)(?P<label>{_NAME})\s*(?:\\cdot(?![A-Za-z])\s*)?"
        rf"(?P<log>\\(?:log|ln)\s*(?:\\left)?(?P<open>\(?)\s*(?P<of>{_NAME})\s*(?:\\right)?\)?)"
        r"(?P<after>\s*(?:$|[$&\\,.;]))",
        re.MULTILINE,
    )

    def written(match: re.Match[str]) -> str:
        bare = _bare(match["of"])
        if bare not in names or "T" in match["label"] or _SUMMED.search(match["before"]):
            return match[0]
        label = match["label"].rstrip()
        return f"{match['before']}{{{label}}}^T {match['log']}{match['after']}"

    return product.sub(written, text)


def _bare(name: str) -> str:
    return re.sub(r"[\s{}]|(?<=\w)[_^].*", "", name)


__all__ = ["with_class_sums"]
