r"""Names of posts, written as one letter with its indices below.

``\pi_t(a)`` beside a sum over ``a`` is the entry ``\pi_{t,a}``; ``y_{t_k}`` and ``{y_t}_k`` are the
entry ``y_{t,k}`` of ``y_t``; ``v'_w`` beside ``v_w`` is another name; ``\sigma(A_k)``, defined as
``e^{A_k}`` over their sum, is the entry k of a softmax. Every change stays on its row.
"""

from __future__ import annotations

import re

_GLUED_SUM = re.compile(r"(?P<sum>\\(?:sum|prod)(?:\s*\\limits)?\s*_)(?P<letter>[a-z])(?=[A-Za-z])")
_SIZED = re.compile(
    r"\\(?:large|Large|LARGE|huge|small|normalsize)\s*\{(?=\s*\\[dt]?frac|\s*\\nabla)"
)
_LINE_END = re.compile(r"(?<!\\)\\(?=[ \t]*$)", re.MULTILINE)
_NAMED_AT_END = re.compile(r"=\s*:(?!=)")
_DOT_BETWEEN = re.compile(
    r"(?<=[})])\s*\.\s*(?=\\[dt]?frac|\(|\\prod)|(?<=\))\s*\.\s*(?=\\?[a-z]_)"
)

_BASE = r"(?:\\(?:hat|bar|tilde|mathbf|boldsymbol|vec)\s*\{\s*\\?[A-Za-z]+\s*\}|\\[a-z]+|[A-Za-z])"
_WRAPPED = re.compile(
    rf"\{{\s*(?P<name>{_BASE})_(?:(?P<one>[A-Za-z0-9])|\{{(?P<group>[^{{}}]*)\}})\s*\}}"
    r"_(?:(?P<at>[a-z0-9])(?![A-Za-z])|\{\s*(?P<places>[a-z0-9](?:\s*,?\s*[a-z0-9])?)\s*\})"
)
_NESTED = re.compile(
    rf"(?P<name>{_BASE})_\{{\s*(?P<outer>[a-z])_(?:\{{\s*(?P<group>[a-z])\s*\}}|(?P<at>[a-z]))\s*\}}"
)
_CALLED = re.compile(
    r"(?:(?<![A-Za-z\\_])|(?=\\))(?P<name>\\?[A-Za-z]+)(?P<low>_(?:[A-Za-z*]|\\[a-z]+|\{[^{}]{1,8}\}))?"
    r"\(\s*(?P<at>[a-z])(?:\s*(?P<mark>[,|]|\\mid)\s*(?P<other>[a-z]))?\s*\)"
)
_SUM_OVER = re.compile(
    r"(?:\\sum|∑|Σ)(?:\s*\\limits)?\s*_\s*(?:\{\s*([a-z])\s*(?:[=\\}∈])|([a-z]))"
)
_PRIMED = re.compile(
    r"(?<![A-Za-z\\])(?P<name>[a-zA-Z])\s*(?:'|’|′|\^\s*\\prime|\^\s*\{\s*\\prime\s*\})\s*(?=_)"
)
_SOFT_ENTRY = re.compile(
    r"(?P<name>\\?[A-Za-z]+)\s*\(\s*(?P<of>\\?[A-Za-z]+)_\{?(?P<at>[a-z])\}?\s*\)[\s$&]*=[\s$&]*"
    r"\\[dt]?frac\s*\{\s*(?:e\s*\^\s*\{?|\\exp\s*\(?\s*\{?)\s*(?P=of)_\{?(?P=at)\}?[^\n]{0,6}"
    r"\\sum"
)
_WORD_OF_ALL = re.compile(r"_\{?\s*w_\{?\s*[IO]\s*\}?")
_WORD_AT = re.compile(r"_\{\s*w_(?:\{\s*([a-z])\s*\}|([a-z]))\s*\}")
"""The vector of the word with a number, in a text that has an input word or an output word."""

_BOLD = re.compile(r"\\(?:mathbf|boldsymbol|bm)\s*\{")
_SEVERAL = re.compile(r"[-+()=]|[A-Z]\s*[A-Z]|\\partial|[A-Za-z]\s*\^")
_WRAPPED_NAME = re.compile(
    r"\{\s*(?P<name>\\?[A-Za-z]{1,2}|\\(?:hat|bar|tilde)\s*\{\s*[A-Za-z]\s*\})\s*\}(?=\s*[_^)=])"
)
_BY_ENTRY = re.compile(r"(?:\\partial|∂)\s*([a-z])_\{\s*[a-z]\s*,?\s*[a-z]\s*\}")

_EXPECTED = re.compile(r"(?<!=)=\s*(?:\\mathbb\s*\{?\s*E\s*\}?|E)\s*\[[^=$\n]*=(?!=)")
"""An expectation between two equals signs, which says what a sum estimates."""

_IN = re.compile(r"_\{\s*in\s*\}")
_BESIDE_IN = re.compile(r"_\{\s*(?:[jkm]n|i[jkm])\s*\}")
LEAST_GRADIENTS = 2
_DELTA_LEFT = re.compile(
    r"(?:^|\$|&|\\\\)\s*\\delta\s*(?:[A-Za-z]|\\tilde|\\hat|\\bar)[^=\n$]{0,24}=", re.MULTILINE
)
_DELTA = re.compile(r"\\delta\s*(?=[A-Za-z]|\\(?:tilde|hat|bar|mathbf)(?![A-Za-z]))")
_DELTA_NAME = re.compile(r"\\delta\s*[_^]")
_FUNCTIONS = frozenset({"\\log", "\\ln", "\\exp", "\\tanh", "\\max", "\\min", "d", "e"})


def with_plain_names(text: str) -> str:
    r"""Return a text in LaTeX whose names carry their indices below.

    >>> with_plain_names(r"$p_a = e^{h(a)} / \sum_b e^{h(b)}$")
    '$p_a = e^{h_{a}} / \\sum_b e^{h_{b}}$'
    >>> with_plain_names(r"${y_t}_k = q_{t_k}$ and $q_t$")
    '$y_{t,k} = q_{t,k}$ and $q_t$'
    """
    text = _EXPECTED.sub("=", text)
    text = _entries_by_matrix(_unwrapped(_in_bold(text)))
    text = _GLUED_SUM.sub(r"\g<sum>{\g<letter>} ", text)
    text = _LINE_END.sub(" ", _NAMED_AT_END.sub(" =", _without_size(text)))
    text = _DOT_BETWEEN.sub(r" \\cdot ", text)
    if _WORD_OF_ALL.search(text):
        text = _WORD_AT.sub(lambda match: f"_{{{match[1] or match[2]}}}", text)
    text = _soft_entries(_WRAPPED.sub(_one_name, text))
    return _gradients(_primed(_arguments_below(_nested(_two_places(text)))))


def _two_places(text: str) -> str:
    r"""Write ``\beta_{in}`` with a comma beside ``\beta_{jn}``: so that "in" is two indices."""
    return _IN.sub(r"_{i,n}", text) if _BESIDE_IN.search(text) else text


def _gradients(text: str) -> str:
    r"""Write ``\delta h_t`` as ``dh_t`` in a text whose left sides are such gradients."""
    if len(_DELTA_LEFT.findall(text)) < LEAST_GRADIENTS or _DELTA_NAME.search(text):
        return text
    return _DELTA.sub("d", text)


def _in_bold(text: str) -> str:
    r"""Write ``\boldsymbol{A B A^T}`` as its letters: only a name is set in bold."""
    at = 0
    while (found := _BOLD.search(text, at)) is not None:
        level, end = 1, found.end()
        while end < len(text) and level:
            level += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        inner = text[found.end() : end - 1]
        at = found.end()
        if level == 0 and _SEVERAL.search(inner) is not None:
            letters = re.sub(r"(?<=[A-Z])(?=[A-Z])", " ", inner)
            text = f"{text[: found.start()]} {letters} {text[end:]}"
            at = found.start()
    return text


def _unwrapped(text: str) -> str:
    """Write ``{ w }_{ 1 }`` and ``{dw}_{1}`` without the braces around one name."""

    def bare(match: re.Match[str]) -> str:
        before = text[: match.start()].rstrip()
        if before[-1:] in ("}", "_", "^") or re.search(r"\\[A-Za-z]+\*?$", before):
            return match[0]  # the argument of a command, or a script
        return f" {match['name']}"

    return _WRAPPED_NAME.sub(bare, text)


def _entries_by_matrix(text: str) -> str:
    r"""Write ``\partial w_{ij}`` as ``\partial W_{ij}`` where the text has the matrix W alone."""
    for small in {match[1] for match in _BY_ENTRY.finditer(text)}:
        matrix = small.upper()
        used = len(re.findall(rf"(?<![A-Za-z\\]){small}_", text))
        entries = len(re.findall(rf"(?:\\partial|∂)\s*{small}_", text))
        alone = re.search(rf"(?<![A-Za-z\\]){matrix}(?!\s*[_^=:])", text)
        if used == entries and alone and not re.search(rf"(?<![A-Za-z\\]){matrix}_", text):
            text = re.sub(rf"((?:\\partial|∂)\s*){small}_", rf"\g<1>{matrix}_", text)
    return text


def _without_size(text: str) -> str:
    r"""Return a text without ``\large{...}`` around its fractions."""
    while (found := _SIZED.search(text)) is not None:
        level, end = 1, found.end()
        while end < len(text) and level:
            level += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        inner = text[found.end() : end - 1]
        text = text[: found.start()] + " " + inner + " " + text[end:]
    return text


def _one_name(match: re.Match[str]) -> str:
    r"""Write ``{y_t}_k`` as ``y_{t,k}``."""
    low = match["one"] or match["group"]
    at = match["at"] or re.sub(r"[\s,]", "", match["places"])
    return f"{match['name']}_{{{','.join([low, *at])}}}"


def _nested(text: str) -> str:
    r"""Write ``y_{t_k}`` as ``y_{t,k}``, where the name ``y_t`` stands in the text.

    The index of a class, as in ``w_{y_i}``, stays.
    """

    def below(match: re.Match[str]) -> str:
        name, outer = match["name"], match["outer"]
        if outer in "ijklmn":
            return match[0]  # the k-th of some places j_1, j_2, ...
        alone = re.compile(rf"{re.escape(name)}_(?:{outer}(?![A-Za-z])|\{{\s*{outer}\s*[,}}])")
        if alone.search(text) is None:
            return match[0]
        return f"{name}_{{{outer},{match['group'] or match['at']}}}"

    return _NESTED.sub(below, text)


def _arguments_below(text: str) -> str:
    r"""Write ``H_t(a)`` as ``H_{t,a}`` where H is called by letters, and sums run over some."""
    summed = {match[1] or match[2] for match in _SUM_OVER.finditer(text)}
    calls: dict[str, set[str]] = {}
    for match in _CALLED.finditer(text):
        letters = {match["at"], match["other"]} - {None}
        calls.setdefault(match["name"], set()).update(letters)
    known = {
        name
        for name, letters in calls.items()
        if letters & summed and name not in _FUNCTIONS and _is_called_by_letters(text, name)
        and (len(letters) > 1 or not _is_defined_by_argument(text, name))
    }  # fmt: skip
    known -= {match["at"] for match in _CALLED.finditer(text)}

    def below(match: re.Match[str]) -> str:
        if match["name"] not in known:
            return match[0]
        low = re.sub(r"[_{}\s]", "", match["low"] or "")
        places = [low, match["at"], match["other"] or ""]
        return f"{match['name']}_{{{','.join(place for place in places if place)}}}"

    return _CALLED.sub(below, text)


def _is_called_by_letters(text: str, name: str) -> bool:
    """Whether nothing but letters stands in the brackets behind a name."""
    called = rf"(?<![A-Za-z\\]){re.escape(name)}(?:_(?:\w|\\[a-z]+|\{{[^{{}}]*\}}))?\s*\("
    return re.search(rf"{called}\s*(?![a-z]\s*[),|\\])", text) is None


def _is_defined_by_argument(text: str, name: str) -> bool:
    """Whether a line defines a function of one letter: ``q(x) = ...``."""
    left = rf"(?:^|[$&,;])\s*{re.escape(name)}[^\s=]{{0,9}}\([a-z]\)\s*[$&]?="
    return re.search(left, text, re.MULTILINE) is not None


def _soft_entries(text: str) -> str:
    r"""Write ``\sigma(A_k) = e^{A_k} / \sum_c e^{A_c}`` with an entry of one name on the left."""
    for match in list(_SOFT_ENTRY.finditer(text)):
        name, of = match["name"], match["of"]
        if name.lstrip("\\") in ("softmax", "frac", "exp", "log"):
            continue
        fresh = rf"\tilde{{{name}}}"
        if fresh in text:
            continue
        called = re.compile(
            rf"(?<![A-Za-z\\]){re.escape(name)}\s*\(\s*{re.escape(of)}_\{{?([a-z])\}}?\s*\)"
        )
        text = called.sub(lambda m, fresh=fresh: f"{fresh}_{{{m[1]}}}", text)  # type: ignore[misc]
    return text


def _primed(text: str) -> str:
    r"""Give ``v'_w`` beside ``v_w`` a name of its own; primes of functions and transposes stay."""
    for name in {match["name"] for match in _PRIMED.finditer(text)}:
        fresh = rf"\tilde{{{name}}}"
        mark = rf"(?<![A-Za-z\\]){name}\s*(?:'|’|′|\^\s*\\prime|\^\s*\{{\s*\\prime\s*\}})\s*"
        below = r"_(?:\w|\{(?:[^{}]|\{[^{}]*\})*\})"
        own = (
            rf"(?:\\partial|∂)\s*\{{?\s*{mark}(?=_)|{mark}{below}\s*\}}?\s*\^\s*\{{?\s*(?:T|\\top)"
        )
        if (
            fresh not in text
            and re.search(own, text)
            and not re.search(rf"{mark}(?:{below})?\(", text)
        ):
            text = re.sub(rf"{mark}(?=_)", lambda _, fresh=fresh: fresh, text)  # type: ignore[misc]
    return text


__all__ = ["with_plain_names"]
