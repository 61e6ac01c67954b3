r"""Shorthand that posts take for granted, written out for the readers of this project.

``grad f(x) = ...`` is a gradient, ``P o Q`` a product entry by entry, ``D_j S_i = \partial S_i /
\partial a_j`` names a derivative twice, ``w^la^{l-1}`` has its layer above, ``diag(\mu_1, \dots,
\mu_n)`` is the diagonal matrix of a vector, ``row\\_sum(P)`` and ``sum(P, axis=-1)`` add along the
rows, ``\\bold{1_n}`` is the bold 1 with n below. Every change stays on its row.
"""

from __future__ import annotations

import re

_LETTER_ABOVE = re.compile(r"\^\s?(?P<letter>[lLt])(?=[A-Za-z])")
"""A letter above a name directly before another letter: in LaTeX it stands alone there."""

_GRAD = re.compile(r"(?<![\w\\])grad\s+(?=\\?[A-Za-z]+\s*(?:\([^()=]*\))?\s*=)")
_GRADIENT_OF = re.compile(r"(?:\\nabla|∇)\s*(?P<of>\\?[A-Za-z]+)\s*(?P<at>\(\s*\\?[A-Za-z]+\s*\))")
_HESSIAN = re.compile(
    r"(?P<word>\bHessian\b(?:\s+(?:matrix|is|reads))*\s*:?\s*(?:\$\$?|\\\(|\\\[)?\s*)H\s*(?==(?!=))"
)
_OPERATOR = re.compile(
    r"D_\{?[a-z]\}?\s*\\?[A-Za-z]+_\{?[a-z]\}?\s*&?=\s*(?=\\[dt]?frac\s*\{\s*\\partial|∂)"
)
_ENTRYWISE = re.compile(r"(?<=[\w)\]])[ ]+o[ ]+(?=[\w(\[])")
_OWN_O = re.compile(r"(?<![\w\\])d?o\s*(?:=|,|_|[*+\-/])")
_DIAGONAL = re.compile(
    r"diag\s*\}?\s*(?:\\left|\\[bB]igl?)?\s*(?P<open>\(|\[|\\\{)\s*(?P<name>\\?[A-Za-z]+|\\hat\s*\{?\s*\\?[A-Za-z]+\s*\}?)"
    r"_\{?1\}?\s*,\s*(?:(?P=name)_\{?2\}?\s*,\s*)?(?:\\[lc]?dots|…|\.{3})\s*,?\s*"
    r"(?P=name)_\{?[A-Za-z]\}?\s*(?:\\right|\\[bB]igr?)?\s*(?:\)|\]|\\\})"
)
_NORMAL_DENSITY = re.compile(
    r"(?<![A-Za-z])\\?phi\b[^.\n]{0,40}\b(?:density|pdf|PDF)|\b(?:density|pdf|PDF)\b[^.\n]{0,20}\\?phi\b"
)
_DENSITY_AT = re.compile(r"\\phi\s*\(\s*(?P<at>\\?[A-Za-z](?:_\w)?)\s*\)(?!\s*&?=)")

_ROW_SUM = re.compile(
    r"(?:\\(?:text|mathrm|operatorname|textrm)\s*\{\s*)?(?<![A-Za-z])row\s*(?:\\?_|-)?\s*[sS]um(?:\s*\})?(?=\s*[(\\])"
)
_AXIS = (
    r"(?:\\(?:text|mathrm|operatorname|textrm|texttt)\s*\{\s*)?(?:axis|dim|keepdims?)\s*\}?\s*=\s*"
    r"(?:\\(?:text|mathrm)\s*\{\s*)?(?:-?\d|True|true)\s*\}?"
)
_ALONG = re.compile(rf"\s*,\s*(?P<first>{_AXIS})(?:\s*,\s*{_AXIS})?\s*(?=\))")
_LAST_AXIS = re.compile(r"=\s*(?:-1|1)\b")
_SUM_OR_SOFTMAX = re.compile(
    r"(?:\\(?:text|mathrm|operatorname|textrm|texttt)\s*\{\s*)?(?<![A-Za-z.])"
    r"(?P<word>sum|[sS]oftmax)\s*\}?\s*$"
)
_BOLD_COMMAND = re.compile(r"\\bold(?=\s*\{|\s*\d)")
_SCRIPT_IN_BOLD = re.compile(
    r"\\(?P<font>mathbf|boldsymbol|bm)\s*\{\s*(?P<name>\\?[A-Za-z0-9]+)\s*(?P<low>_(?:\w|\{[^{}]*\}))"
    r"(?P<high>\s*\^\s*(?:T|\\top|\{\s*(?:T|\\top)\s*\}))?\s*\}"
)


_DOT = re.compile(
    r"(?<![A-Za-z\\_^{])(?P<weights>w|\\theta|\\beta)\s*\\cdot\s*(?P<features>x)(?![A-Za-z])"
)
_ENTRY_OF_WEIGHTS = re.compile(r"(?<![A-Za-z\\])(?:w|\\theta|\\beta)\s*_\s*\{?\s*[a-z]\b")
"""An entry of the weights, as in ``\\partial w_j``: they are a vector."""

_SAID_SIGMOID = re.compile(
    r"(?<![A-Za-z])(?:where|and|with|here|let)?[\s$(\\]*(?P<name>[gfs])\s*(?:\(\s*\\?\w\s*\))?[\s$)\\]*"
    r"\b(?:is|denotes|being)\s+(?:the|a)\s+(?:(?:logistic|activation)\s+)?(?:sigmoid|logistic)\b",
    re.IGNORECASE,
)
_MATH_FENCE = re.compile(
    r"^[ \t]*```[ \t]*(?:math|latex|tex)[ \t]*$(?P<inner>(?:\n(?![ \t]*```).*)*)"
    r"\n[ \t]*```[ \t]*$",
    re.MULTILINE,
)
"""A display in a fence of its own, as in the Markdown of repositories."""

_LOG_OF_BASE = re.compile(
    r"\\log_\s*\{?\s*(?P<base>[a-z])\s*\}?\s*(?:\\left)?\(\s*(?P<of>[^()=]{1,20}?)\s*(?:\\right)?\)"
)
_PRIMED = re.compile(
    r"(?<![A-Za-z])(?P<name>\\ell|\\mathcal\s*\{\s*L\s*\}|(?<!\\)[JL])\s*"
    r"(?P<primes>['’]{1,2}|\^\s*\{\s*\\prime(?:\s*\\prime)?\s*\})\s*\(\s*(?P<by>\\?[A-Za-z]+)\s*\)"
)
_SOFTMAX_NAMED = re.compile(r"\\(?:text|mathrm|operatorname)\s*\{\s*Softmax\s*\}")
_DIVERGENCE = re.compile(
    r"(?<![A-Za-z\\])(?P<name>KL|D_\s*\{?\s*(?:\\(?:text|mathrm)\s*\{\s*)?KL\s*\}*)\s*(?:\\left\s*)?\([^=\n$]*\)"
    r"(?=\s*&?=)"
)
_LIBRARY_CALL = re.compile(
    r"\\(?:text|mathrm|operatorname|texttt)\s*\{\s*(?P<call>(?:np|numpy|torch)\.[a-z]+)\s*\}(?=\s*\()"
)
_UPPER_END = re.compile(
    r"(?P<total>\\(?:sum|prod)\s*(?:\\limits\s*)?_\s*\{[^{}]*\})\s*\^\s*(?P<end>[A-Za-z0-9])(?=[A-Za-z])"
)
"""The upper end of a sum directly before a letter: in LaTeX it is one character."""

_WORD_CALLED = re.compile(r"(?<![A-Za-z\\{_^])[sS]igmoid(?=\s*(?:\\left\s*)?\()")
_EXAMPLE = re.compile(r"(?P<name>[A-Za-z]|\})\s*(?:_\w|_\{[^{}]*\})?\^\s*\{\s*\(\s*i\s*\)\s*\}")
_EXAMPLE_BARE = re.compile(
    r"(?P<name>(?<![A-Za-z\\])d?[a-zA-Z](?![A-Za-z])|\\hat\s*\{\s*[a-z]\s*\}|\\hat\s+[a-z])"
    r"(?P<low>\s*_(?:\w|\{[^{}]*\}))?\s*\^\s*(?:\{\s*i\s*\}|i(?![A-Za-z]))"
)
_OVER_EXAMPLES = re.compile(r"\\sum\s*(?:\\limits\s*)?_\s*\{?\s*i(?![A-Za-z])")
_PROBABILITY = re.compile(r"\\Pr(?=\s*[\[(])")
_UPRIGHT_TURN = re.compile(r"\^\\text\s*\{\s*T\s*\}")
_SIGMA_OF = re.compile(r"(?:\\sigma|σ)(?=\s*(?:\\!\s*)?(?:\\left\s*)?\()")
_SPOKEN_SOFTMAX = re.compile(r"softmax(?!\s*\}?\s*[_(\\])", re.IGNORECASE)
_NO_SOFTMAX = re.compile(
    r"softmax\s*\}?\s*(?:\\left\s*)?\(|sigmoid|logistic|\\sigma\s*'|\(\s*1\s*-\s*\\sigma|\\sigma\s*\^"
    r"|\\sigma\s*_",
    re.IGNORECASE,
)


def _is_soft(text: str) -> bool:
    r"""Whether the one function that is called sigma is the softmax of which the text speaks."""
    called = len(_SIGMA_OF.findall(text)) == 1
    return called and _SPOKEN_SOFTMAX.search(text) is not None and not _NO_SOFTMAX.search(text)


def with_shorthand_written_out(text: str) -> str:
    r"""Return a text without the shorthand of posts.

    >>> with_shorthand_written_out("grad f(u) = 2 B^T (Bu - c)")
    '∇ f(u) = 2 B^T (Bu - c)'
    """
    text = _MATH_FENCE.sub(_as_display, text)
    text = _OPERATOR.sub("", _GRAD.sub("∇ ", text))
    if (gradient := _GRADIENT_OF.search(text)) is not None:
        text = _HESSIAN.sub(rf"\g<word>∇^2 {_literal(gradient)} ", text)
    if _OWN_O.search(text) is None:
        text = _ENTRYWISE.sub(" ⊙ ", text)
    if "\\" not in text:
        return text
    text = _SCRIPT_IN_BOLD.sub(
        lambda m: f"\\{m['font']}{{{m['name']}}}{m['low']}{m['high'] or ''}",
        _BOLD_COMMAND.sub(r"\\mathbf", text),
    )
    text = _LOG_OF_BASE.sub(r"\\frac{\\ln(\g<of>)}{\\ln(\g<base>)}", text)
    text = _PRIMED.sub(_derived, text)
    text = _SOFTMAX_NAMED.sub(r"\\operatorname{softmax}", text)
    text = _DIVERGENCE.sub(r"\g<name>", text)
    text = _LIBRARY_CALL.sub(r"\g<call>", text)
    text = _along_rows(_ROW_SUM.sub(r"\\operatorname{rowsum}", text))
    text = _UPRIGHT_TURN.sub("^T", _PROBABILITY.sub("P", text))
    text = _WORD_CALLED.sub(
        r"\\operatorname{sigmoid}", _UPPER_END.sub(r"\g<total>^{\g<end>} ", text)
    )
    text = _with_examples_in_brackets(text)
    if _ENTRY_OF_WEIGHTS.search(text) is not None:
        text = _DOT.sub(r"\g<weights>^T \g<features>", text)
    if (said := _SAID_SIGMOID.search(text)) is not None:
        text = _with_sigmoid(text, said["name"])
    if _is_soft(text):
        text = _SIGMA_OF.sub(r"\\operatorname{softmax}", text)
    text = _LETTER_ABOVE.sub(r"^{\g<letter>}", text)
    text = _DIAGONAL.sub(r"diag}(\g<name>)", text) if "diag}" in text else _DIAGONAL.sub(
        r"diag(\g<name>)", text
    )  # fmt: skip
    if _NORMAL_DENSITY.search(text) is not None and "normal" in text.lower():
        text = _DENSITY_AT.sub(r"(\\frac{1}{\\sqrt{2\\pi}} e^{-\g<at>^2/2})", text)
    return text


def _derived(match: re.Match[str]) -> str:
    name, by = match["name"], match["by"]
    if len(re.findall(r"['’]|prime", match["primes"])) == 1:
        return rf"\frac{{\partial {name}}}{{\partial {by}}}"
    return rf"\frac{{\partial^2 {name}}}{{\partial {by} \partial {by}^T}}"


def _as_display(match: re.Match[str]) -> str:
    inner = match["inner"]
    marked = "$$" in inner or "\\[" in inner or "\\begin{align" in inner
    return f"\n{inner[1:]}\n" if marked else f"$${inner}\n$$"


def _with_examples_in_brackets(text: str) -> str:
    r"""Write ``y^{i}`` as ``y^{(i)}`` where i counts examples: they are summed, and no power."""
    bare = {re.sub(r"\s", "", match["name"]) for match in _EXAMPLE_BARE.finditer(text)}
    if not bare or _OVER_EXAMPLES.search(text) is None:
        return text
    if len(bare) < LEAST_NAMES and _EXAMPLE.search(text) is None:
        return text
    return _EXAMPLE_BARE.sub(lambda match: f"{match['name']}{match['low'] or ''}^{{(i)}}", text)


LEAST_NAMES = 2
"""The least number of names with an i above that make it the number of an example."""


def _with_sigmoid(text: str, name: str) -> str:
    """Write a function that a text calls the sigmoid as such, unless it has a formula for it."""
    called = rf"(?<![A-Za-z\\]){name}(?='*\s*(?:\\left\s*)?\()"
    if re.search(rf"{called}'*\s*\([^()=]*\)\s*&?=", text) is not None:
        return text
    return re.sub(called, r"\\sigma", text)


def _along_rows(text: str) -> str:
    r"""Write ``\text{sum}(P, \text{axis}=-1)`` as a sum along the rows, a softmax as one."""
    for match in reversed(list(_ALONG.finditer(text))):
        if _LAST_AXIS.search(match["first"]) is None:
            continue
        opened = _opening(text, match.start())
        called = _SUM_OR_SOFTMAX.search(text, max(0, opened - _LONGEST_CALL), opened)
        if called is None:
            continue
        name = "rowsum" if called["word"] == "sum" else "softmax"
        inner = text[opened : match.start()]
        text = rf"{text[: called.start()]}\operatorname{{{name}}}{inner}{text[match.end() :]}"
    return text


_LONGEST_CALL = 40
"""The most characters before a bracket in which the word of its function is searched."""


def _opening(text: str, end: int) -> int:
    """Return where the bracket opens in which a place of a row stands; 0 for none."""
    depth = 0
    for at in range(end - 1, -1, -1):
        if text[at] == "\n":
            break
        depth += (text[at] == ")") - (text[at] == "(")
        if depth < 0:
            return at
    return 0


def _literal(gradient: re.Match[str]) -> str:
    return f"{gradient['of']}{gradient['at']}".replace("\\", r"\\")


__all__ = ["with_shorthand_written_out"]
