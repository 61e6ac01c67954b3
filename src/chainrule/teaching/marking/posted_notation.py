r"""Notation of posts, papers and lectures, in the form that the readers of this project take.

``W^Q`` and ``h^{t-1}`` carry a name or a time above the letter, and no power; ``A_{ij'}`` has an
index with a prime; ``\ln L = ...`` defines the logarithm as one value; ``d\beta_j`` is one name;
``x\operatorname{Tr}(A)`` is a product. Every change stays on its row, so line numbers hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial

from chainrule.language.reading.names import ACCENTS, FONTS, GREEK
from chainrule.language.reading.words import function_word
from chainrule.teaching.marking.marked_names import with_marks_as_names
from chainrule.teaching.marking.posted_names import with_plain_names
from chainrule.teaching.marking.posted_rows import with_rows_apart
from chainrule.teaching.marking.zero_based import from_one

_FENCED = re.compile(r"^[ \t]*(?:```|~~~).*?^[ \t]*(?:```|~~~)[ \t]*$", re.MULTILINE | re.DOTALL)
_TIE = re.compile(r"(?<![\\~])~(?!~)")

_BARE_FONT = re.compile(r"\\(?:mathrm|mathit)\s+(?P<letter>[a-ce-zA-SU-Z])(?![A-Za-z])")
_FONT_SWITCH = re.compile(r"\\(?:rm|it)(?![A-Za-z])\s*(?![dT](?![A-Za-z]))(?=\\?[A-Za-z])")
_SPACE = re.compile(r"(?<!\\)\\ ")
_APART_BELOW = re.compile(r"(\\[A-Za-z]+)[ ]+(?=_)")
_APART_BRACE = re.compile(r"(?<=[A-Za-z}])([_^])[ ]+(?=\{)")
_LIMITS = re.compile(r"\\sum\s*(\^(?:\{[^{}]*\}|\w))\s*(_(?:\{[^{}]*\}|\w))")
_SIGMOID = re.compile(r"\\sigma\s*'?\s*(?:\(|\{\s*\()|sigmoid|logistic|softmax", re.IGNORECASE)
_SIGMA_POWER = re.compile(r"\\sigma\s*\^\s*(?:\{[^{}]*\}|\w)\s*(?=\()")
_SIGMA = re.compile(r"\\sigma(?![A-Za-z])")

_LETTER = (
    r"(?:\\(?:mathbf|boldsymbol|bm|vec|hat|bar|tilde|mathrm)\s*\{\s*\\?[A-Za-z]+\s*\}"
    r"|\\[a-z]+|[A-Za-z])"
)
_BELOW = r"(?:_(?:\{[^{}]*\}|\\?[A-Za-z0-9]))?"
_TURNED = r"\s*(?P<turned>\^?\s*(?:\\top|\\intercal|⊤|T))?\s*"
_TIMES = re.compile(
    rf"(?<![A-Za-z\\])(?P<base>{_LETTER})(?P<low>{_BELOW})\^(?:(?P<one>t)(?![A-Za-z])|\{{\s*"
    r"(?P<open>\(|<|\\langle|\\lt)?\s*(?P<time>[tT](?:\s*[-+−]\s*\d)?|\d)\s*"
    rf"(?P<close>\)|>|\\rangle|\\gt)?{_TURNED}\}})(?P<after>{_BELOW})"
)
_SHIFTED = re.compile(r"\^\s*\{\s*(?:\(|<|\\langle|\\lt)?\s*t\s*[-+−]\s*\d")
_OWN_TIME = re.compile(
    r"(?:^|[$&\s(])t\s*(?:=|\\in\b|∈)\s*(?!\s*\d*\s*(?:,|…|\\[lc]?dots|\.\.))", re.MULTILINE
)
_NAMED = re.compile(
    r"(?<![A-Za-z\\])(?P<base>\\?[WUVbBR]|\\(?:mathbf|boldsymbol|bm)\s*\{\s*[WUVbB]\s*\})"
    rf"(?P<low>{_BELOW})"
    r"\^(?:(?P<one>[A-SU-Z])(?![A-Za-z])|\{\s*(?:\\(?:text|mathrm|textrm|mathit)\s*\{)?\s*"
    rf"(?P<word>[A-SU-Z]|[a-z]{{2,5}})\s*\}}?{_TURNED}\}})"
)
_LAYER_ABOVE = re.compile(
    rf"(?<![A-Za-z\\])(?P<base>{_LETTER})(?P<low>{_BELOW})\^(?:(?P<one>[lL])(?![A-Za-z])|\{{\s*"
    rf"(?P<open>\()?\s*(?P<layer>[lL](?:\s*[-+−]\s*\d)?|\d)\s*\)?{_TURNED}\}})"
)
_NEXT_LAYER = re.compile(r"\^\s*\{\s*\(?\s*[lL]\s*[-+−]\s*\d\s*\)?")
_WEIGHT_LAYER = re.compile(r"(?<![A-Za-z])[WwbB](?:_(?:\{[^{}]*\}|\w))?\^\{\s*\(\s*\d\s*\)")
LEAST_ABOVE = 3
"""The least number of letters with two indices above in a text that writes them there."""

_ENTRY_ABOVE = re.compile(r"(?<![A-Za-z\\])(?P<base>[A-Z])\^\{(?P<letters>[a-su-z]{2})\}")
_DELTA_ABOVE = re.compile(r"\\delta\^\{?(?P<one>[a-z])\}?_\{?(?P<other>[a-z])\}?")
_SOFTMAX_OVER = re.compile(
    r"(?:\\text|\\operatorname|\\mathrm)?\{?\\?softmax\}?\s*_\s*\{?(?P<over>[a-z])\}?\s*"
    r"\(\s*(?P<base>[A-Za-z])_\{(?P<places>[a-z]{2})\}\s*\)"
)
_UPRIGHT_T = re.compile(
    r"\^\s*(?:\{\s*\\(?:text|mathrm|textrm|mathsf|mathtt|rm|sf)\s*\{?\s*T\s*\}?\s*\}"
    r"|\\(?:mathrm|mathsf|text)\s*\{?\s*T(?![A-Za-z])\s*\}?)"
)
_BOLD_LETTER = re.compile(r"\\text(?:bf|it|rm|sf)\s*\{\s*(\\?[A-Za-z])\s*\}")
_LOG_DET = re.compile(
    r"(?P<log>\\(?:log|ln)|(?<![A-Za-z])(?:log|ln))\s*\{?\s*\|\s*(?P<of>\\(?:mathbf|boldsymbol|bm)"
    r"\s*\{\s*(?:[A-Z]|\\[A-Z][a-z]+)\s*\}|(?:\\(?:Sigma|Lambda|Omega)|[A-Z])(?:_(?:[a-z]|\{[^{}]*\}))?)"
    r"\s*\|\s*\}?"
)
_DEFINED_WORD = re.compile(
    r"\\text(?:rm|it|bf)?\s*\{\s*(?P<word>[A-Za-z]{2,12})\s*\}\s*(?:\([^()=]{0,40}\))?\s*&?=(?!=)"
)
_ANY_ARGUMENTS = re.compile(
    r"(?<=[A-Za-z0-9}])\(\s*(?:\.{2,3}|…|\\[lc]?dots|\\cdot)\s*\)(?=\s*&?=)"
)
_PRIME = re.compile(r"([a-z])\s*(?:'|’|′|\^\s*\\prime|\^\s*\{\s*\\prime\s*\}|\\prime)(?![a-z])")
_GROUP_BELOW = re.compile(
    r"_\s*(?:\{([^{}]*(?:\{\s*\\prime\s*\}[^{}]*)*)\}|([a-z])\s*(?:'|’|′|\^\s*\\prime))"
)
_TWICE_PRIMED = re.compile(
    r"(?<![A-Za-z\\])([a-z])\s*(?:''|’’|″|\^\s*\{\s*\\prime\s*\\prime\s*\})(?![a-z'])"
)
_ARGUMENTS = re.compile(r"(?<=[A-Za-z0-9}])\s*\(([^()=]{1,24})\)")
_PAIR = re.compile(r"_\s*\{\s*([a-z])\s*,?\s*([a-z])\s*\}")
_BARE_SUM = re.compile(r"\\sum(?![A-Za-z])(?!\s*(?:_|\\limits|\\nolimits|\^))")
_INDEX = re.compile(r"_(?:\{\s*)?([i-n])(?:\s*\}|(?![A-Za-z0-9]))")
REACH = 200
"""The number of characters behind a sum in which its index is searched."""

_FRESH = "rsuvqgp"
_LOGARITHM = re.compile(
    r"(?P<before>^|[$&,;:\[({\s])\\?(?P<log>log|ln)\s*"
    r"(?P<name>\\(?:mathcal|mathrm|mathbf)\s*\{\s*[LPp]\s*\}|\\ell|L)"
    r"(?P<given>\s*\([^()=]{0,60}\))?\s*&?\s*=(?!=)",
    re.MULTILINE,
)


def _either(words: Iterable[str]) -> str:
    """Return an alternative of words, the longest first."""
    return "|".join(sorted(words, key=len, reverse=True))


_D = r"(?<![A-Za-z0-9\\}])d\\"
_GREEK_D = re.compile(rf"{_D}(?:var)?({_either(GREEK)})(?![A-Za-z])")
_ACCENTED_D = re.compile(rf"{_D}({_either(ACCENTS)})\s*(?:\{{\s*\\?([A-Za-z]+)\s*\}}|\s([A-Za-z]))")
_FONT_D = re.compile(
    rf"{_D}(?:{_either(FONTS - {'text', 'operatorname'})})\s*\{{\s*([A-Za-z])\s*\}}"
)
_GLUED = re.compile(
    r"(?<![A-Za-z\\_{])([A-Za-z])(Tr|tr|Trace|log|ln|exp|det|diag|softmax)(?=\s*[({\[])"
)
_NAMED_CALL = re.compile(
    r"(?P<name>\\hat\s*\{?\s*[a-z]\s*\}?|(?<![A-Za-z\\_])[A-Za-z])\s*&?=\s*"
    r"(?P<call>\\?(?:operatorname\s*\{\s*softmax\s*\}|text\s*\{\s*softmax\s*\}|softmax|sigma)"
    r"\s*\(\s*\\?[A-Za-z]+\s*\))(?!\s*_)"
)
_IS_SOFTMAX = re.compile(
    r"(?<![A-Za-z\\])(\\sigma|σ|\\?[A-Za-z])\s*+(?:\\\)|\$)?\s*+(?:is|denotes|be)\s++"
    r"(?:the\s+)?softmax",
    re.IGNORECASE,
)
_IS_SIGMOID = re.compile(
    r"(?<![A-Za-z\\])(?P<name>\\(?:var)?phi|\\psi|[fgh])\s*+(?:\\\)|\$)?\s*+(?:is|denotes|be)\s++"
    r"(?:the\s+|a\s+)?(?:logistic|sigmoid)",
    re.IGNORECASE,
)
_CALL_OF_SIGMOID = re.compile(
    r"(?<![A-Za-z\\])(?P<name>[fg]|\\(?:var)?phi|\\psi)\s*\((?P<of>[^()=]{2,30})\)[\s$&]*=[\s$&]*"
    r"\\[dt]?frac\s*\{\s*1\s*\}\s*\{\s*1\s*\+\s*(?:e\s*\^\s*\{\s*-|\\exp\s*\(\s*-)\s*\(?(?P=of)[\s)}]"
)
"""``g(\\theta^T x) = 1/(1 + e^{-\\theta^T x})``, which says what g is."""

_ENTRY_OF_SOFTMAX = re.compile(
    r"(?:\[\s*)?(?P<name>\\?[A-Za-z]+)\s*\(\s*(?:\\(?:mathbf|boldsymbol|vec|bm)\s*\{?\s*)?"
    r"(?P<of>\\?[a-z]+)\s*\}?\s*\)\s*\]?\s*_\s*\{?\s*(?P<at>[a-z])\s*\}?"
    r"[\s$&]*=[\s$&]*\\[dt]?frac\s*\{\s*(?:e\s*\^\s*\{?|\\exp\s*\(?\s*\{?)\s*(?P=of)_\{?(?P=at)\}?"
)


def in_plain_notation(text: str, *, layers_apart: bool = False) -> str:
    r"""Return a transcript with the notation of posts in the form that is read here.

    With `layers_apart`, a layer l stays beside the last layer L.

    >>> in_plain_notation(r"$h^{t-1}$, $q = W^Q x$, $k = W^{K} x$, $\sum_{j'} A_{ij'}$")
    '$h_{t-1}$, $q = W_{Q} x$, $k = W_{K} x$, $\\sum_{r} A_{ir}$'
    """
    text = _outside_code(text, _layers_in_brackets)
    if "\\" not in text and "^" not in text and "$" not in text:
        return text
    return _outside_code(text, partial(_changed, layers_apart=layers_apart))


_IN_BRACKETS = re.compile(r"(?<![A-Za-z\\_}])(?P<name>d?[WAZb])\s?\[(?P<layer>[1-9])\]")
_LEAST_IN_BRACKETS = 2


def _layers_in_brackets(text: str) -> str:
    """Write ``dW[2] = dZ[2] A[1].T`` with the layers above, outside of code."""
    found = {match["name"] for match in _IN_BRACKETS.finditer(text)}
    if "W" not in {name[-1] for name in found} or len(found) < _LEAST_IN_BRACKETS:
        return text
    if re.search(r"\bimport\b|\bdef\s|\bnp\.|\btorch\.|[WAZb]\s?\[0\]|\[[1-9]\]\s*\[", text):
        return text
    return _IN_BRACKETS.sub(r"\g<name>^{[\g<layer>]}", text)


_DISPLAYED_INLINE = re.compile(
    r"(?P<open>\\\(|(?<!\$)\$(?!\$))\s*\\begin\s*\{(?P<kind>equation|align|aligned|split|gather)\*?\}"
    r"(?P<inner>[^\n]*?)\\end\s*\{(?P=kind)\*?\}\s*(?P<close>\\\)|\$(?!\$))"
)
"""A display inside of an inline formula, as some converters write it."""

_PLAIN_INDICATOR = re.compile(
    r"(?<![\w.}])1\s*\\\{\s*(?P<said>(?:(?!\\\}).){1,60}?=(?:(?!\\\}).){1,30}?)\s*\\\}"
)
_LAYER_PRIME = re.compile(r"\^\s*\{\s*(\[[^\]{}]*\])\s*(?:'|\\prime)\s*\}(?=\s*\()")
"""The slope of a layer's function, with the prime behind the layer: ``g^{[l]'}(z)``."""

_BOLD_PRODUCT = re.compile(
    r"\\(?P<font>mathbf|boldsymbol|bm)\s*\{\s*(?P<matrix>[A-Z])(?P<vector>[a-z])\s*\}"
)


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Apply a change to what stands outside fences of code, as one text."""
    fences = [match[0] for match in _FENCED.finditer(text)]
    if not fences:
        return change(text)
    kept = iter(fences)
    mark = next(mark for mark in map(chr, range(0x110000)) if mark not in text)
    apart = _FENCED.sub(lambda _: mark, text)
    return re.sub(re.escape(mark), lambda _: next(kept), change(apart))


def _indicator(match: re.Match[str]) -> str:
    r"""Write ``1\{y^{(i)} = k\}`` as an indicator with the index of the example below."""
    said = re.sub(r"\^\s*\{\s*\(\s*([a-z])\s*\)\s*\}", r"_\1", match["said"])
    return rf"\mathbb{{1}}[{said}]"


def _changed(text: str, *, layers_apart: bool) -> str:
    text = _without_primes(text)
    if "\\" in text or "$" in text:
        text = _APART_BRACE.sub(r"\1", _TIE.sub(" ", _PLAIN_INDICATOR.sub(_indicator, text)))
        text = with_rows_apart(text)
        text = _DISPLAYED_INLINE.sub(r"\g<open>\g<inner>\g<close>", text)
        text = with_plain_names(with_marks_as_names(_LAYER_PRIME.sub(r"'^{\1}", text)))
        text = _SPACE.sub("  ", _APART_BELOW.sub(r"\1", text))
        text = from_one(_FONT_SWITCH.sub(" ", _BARE_FONT.sub(r" \g<letter>", text)))
        text = _sums_with_index(_LIMITS.sub(r"\\sum\2\1", text))
        if not _SIGMOID.search(text):
            text = _as_deviation(text)
        text = _named_upright(_BOLD_LETTER.sub(r"\\mathbf{\1}", _UPRIGHT_T.sub("^T", text)))
        text = _LOG_DET.sub(r"\g<log>(\\det(\g<of>))", text)
        text = _BOLD_PRODUCT.sub(r"\\\g<font>{\g<matrix>} \\\g<font>{\g<vector>}", text)
    text = _entries_above(text)
    text = _layers_above(_times_below(text), apart=layers_apart)
    text = _names_below(text)
    text = _logarithms(text)
    text = _ACCENTED_D.sub(lambda m: f"d{m[2] or m[3]}{ACCENTS[m[1]]}", text)
    text = _FONT_D.sub(r"d\1", _GREEK_D.sub(r"d\1", text))
    text = _GLUED.sub(r"\1 \2", text)
    return _entries_by_name(_softmax_by_name(text))


def _entries_by_name(text: str) -> str:
    """Write an entry of ``softmax(z)`` as an entry of p, where ``p = softmax(z)`` stands."""
    for match in list(_NAMED_CALL.finditer(text)):
        called = re.compile(rf"(?<![A-Za-z]){re.escape(match['call'])}(?=\s*_)")
        text = called.sub(lambda _, name=match["name"]: name, text)  # type: ignore[misc]
    return text


def _times_below(text: str) -> str:
    r"""Write a time above a letter below it: ``h^{t-1}`` is ``h_{t-1}``."""
    found = list(_TIMES.finditer(text))
    plain = [m for m in found if m["one"] or (m["time"] == "t" and not m["open"])]
    angled = any(m["open"] in ("<", "\\langle", "\\lt") for m in found)
    shifted = _SHIFTED.search(text) is not None
    several = len({m["base"] for m in plain}) > 1 and _OWN_TIME.search(text) is None
    if not (angled or shifted or (plain and several)):
        return text

    def below(match: re.Match[str]) -> str:
        time = match["one"] or match["time"]
        marked = match["open"] is not None
        if (marked != (match["close"] is not None)) or (time == "T" and not marked):
            return match[0]
        if time.isdigit() and match["open"] in (None, "("):
            return match[0]  # a power, or an example by its number
        time = re.sub(r"\s", "", time).replace("−", "-")
        turned = "^T" if match["turned"] else ""
        return f"{match['base']}_{{{time}}}{match['low']}{match['after']}{turned}"

    return _TIMES.sub(below, text)


def _as_deviation(text: str) -> str:
    r"""Take ``\sigma^{-2} (x - \mu)`` for a power and a factor, in a text without a sigmoid."""
    return _SIGMA.sub(r"\\tilde{\\sigma}", text) if _SIGMA_POWER.search(text) else text


def _named_upright(text: str) -> str:
    r"""Keep a word in ``\text`` that a line defines: ``\text{Cost} = ...``."""
    for word in dict.fromkeys(match["word"] for match in _DEFINED_WORD.finditer(text)):
        if function_word(word) is None:
            upright = re.compile(rf"\\text(?:rm|it|bf)?\s*\{{\s*{word}\s*\}}")
            text = upright.sub(rf"\\mathrm{{{word}}}", text)
    return _ANY_ARGUMENTS.sub(" ", text)


def _entries_above(text: str) -> str:
    r"""Write entries with both indices above, ``S^{ij} = Q^{ia} K^{ja}``, with them below."""
    if len({match["base"] for match in _ENTRY_ABOVE.finditer(text)}) < LEAST_ABOVE:
        return text
    text = _DELTA_ABOVE.sub(lambda m: f"\\delta_{{{m['one']}{m['other']}}}", text)
    text = _ENTRY_ABOVE.sub(lambda m: f"{m['base']}_{{{m['letters']}}}", text)
    return _SOFTMAX_OVER.sub(_softmax_over, text)


def _softmax_over(match: re.Match[str]) -> str:
    r"""Write ``\text{softmax}_j(S_{ij})`` as an entry of the softmax over j."""
    free = next((k for k in _FRESH if k not in match["places"]), "r")
    other = match["places"].replace(match["over"], free)
    whole = f"{match['base']}_{{{match['places']}}}"
    return rf"\frac{{e^{{{whole}}}}}{{\sum_{{{free}}} e^{{{match['base']}_{{{other}}}}}}}"


def _layers_above(text: str, *, apart: bool) -> str:
    r"""Write a layer above a letter in square brackets: ``a_j^{L-1}``, ``w^{(2)}``, ``z^{l+1}``."""
    numbered = _WEIGHT_LAYER.search(text) is not None
    shifted = _NEXT_LAYER.search(text) is not None
    if not (numbered or shifted):
        return text

    def bracketed(match: re.Match[str]) -> str:
        layer = re.sub(r"\s", "", match["layer"] or match["one"]).replace("−", "-")
        marked = match["open"] is not None
        if layer.isdigit() and not (numbered and marked):
            return match[0]
        if not layer.isdigit() and not shifted:
            return match[0]
        turned = "^T" if match["turned"] else ""
        layer = layer if apart else layer.replace("l", "L")
        return f"{match['base']}^{{[{layer}]}}{match['low']}{turned}"

    return _LAYER_ABOVE.sub(bracketed, text)


def _names_below(text: str) -> str:
    r"""Write a name above a matrix below it, ``W^Q`` as ``W_Q``, where two matrices have one."""
    found = list(_NAMED.finditer(text))
    kinds = {(m["base"], m["one"] or m["word"]) for m in found}
    if len(kinds) < 2:
        return text

    def below(match: re.Match[str]) -> str:
        turned = "^T" if match["turned"] else ""
        return f"{match['base']}_{{{match['one'] or match['word']}}}{match['low']}{turned}"

    return _NAMED.sub(below, text)


def _without_primes(text: str) -> str:
    """Give an index with a prime a letter of its own, also where it is an argument."""
    twice = {match[1] for match in _TWICE_PRIMED.finditer(text)}
    twice = {letter for letter in twice if re.search(rf"\\sum\s*_\{{?\s*{letter}\s*['’″]", text)}
    free = [
        letter for letter in "vqg" if not re.search(rf"(?<![A-Za-z\\]){letter}(?![A-Za-z])", text)
    ]
    if twice and len(free) >= len(twice):
        fresh_of = dict(zip(sorted(twice), free, strict=False))
        text = _TWICE_PRIMED.sub(lambda m: fresh_of.get(m[1], m[0]), text)
    groups = [group for group in _GROUP_BELOW.finditer(text) if not group[2]]
    primed = {letter for group in groups for letter in _primed(group)}
    if not primed:
        return text
    used = set(re.findall(r"(?<![A-Za-z\\])([a-z])(?![A-Za-z])", text)) | primed
    used |= {letter for group in re.findall(r"_\{([^{}]*)\}", text) for letter in group}
    free = [letter for letter in _FRESH if letter not in used]
    if len(free) < len(primed):
        return text
    fresh = dict(zip(sorted(primed), free, strict=False))

    def renamed(match: re.Match[str]) -> str:
        if match[2]:  # x_i' is a transpose, unless i' is an index elsewhere
            return f"_{fresh[match[2]]}" if match[2] in fresh else match[0]
        return "_{" + _PRIME.sub(lambda one: fresh.get(one[1], one[0]), match[1]) + "}"

    def in_call(match: re.Match[str]) -> str:
        inner = _PRIME.sub(lambda one: fresh.get(one[1], one[0]), match[1])
        return match[0].replace(f"({match[1]})", f"({inner})")

    return _ARGUMENTS.sub(in_call, _GROUP_BELOW.sub(renamed, text))


def _primed(group: re.Match[str]) -> list[str]:
    return [group[2]] if group[2] else _PRIME.findall(group[1])


def _logarithms(text: str) -> str:
    r"""Write ``\ln L`` as one name, where a line defines it and no line defines L."""
    for match in list(_LOGARITHM.finditer(text)):
        name = re.escape(match["name"])
        if re.search(
            rf"(?:^|[$&,;:\[({{]|\s)(?<!log)(?<!ln)(?<!log )(?<!ln ){name}\s*(?:\([^()=]*\))?\s*=",
            text,
            re.MULTILINE,
        ):
            continue
        given = re.escape(match["given"].strip()) if match["given"] else ""
        whole = re.compile(
            rf"\\?{match['log']}\s*{name}(?![A-Za-z_])(?:\s*{given})?"
            if given
            else rf"\\?{match['log']}\s*{name}(?![A-Za-z_])"
        )
        text = whole.sub(rf" \\mathrm{{{match['log']}L}}", text)
    return text


def _sums_with_index(text: str) -> str:
    r"""Give ``\sum e^{x_k}`` its index, where one letter below stands there alone."""
    found, last = [], 0
    for match in _BARE_SUM.finditer(text):
        row = text.rfind("\n", 0, match.start()) + 1
        left = re.split(r"[$;]", text[row : match.start()])[-1].rpartition("=")[0]
        letters = list(dict.fromkeys(_INDEX.findall(_term(text, match.end()))))
        pairs = [letter for pair in _PAIR.findall(_term(text, match.end())) for letter in pair]
        letters = list(dict.fromkeys((*pairs, *letters)))
        free = [letter for letter in letters if letter not in _INDEX.findall(left)]
        if pairs and left and len(free) == len(set(pairs)) == len(letters):
            found.append(f"{text[last : match.end()]}_{{{','.join(free)}}} ")
            last = match.end()
        if len(free) == 1 and (len(letters) == 1 or left):
            found.append(f"{text[last : match.end()]}_{{{free[0]}}} ")
            last = match.end()
    return "".join([*found, text[last:]])


def _term(text: str, start: int) -> str:
    """Return what a sum reaches over: up to the end of its bracket, a sign or an equals sign."""
    depth = 0
    for at in range(start, min(start + REACH, len(text))):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if depth < 0 or (depth == 0 and text[at] in "=+$\n"):
            return text[start:at]
    return text[start : start + REACH]


def _softmax_by_name(text: str) -> str:
    """Call the softmax and the sigmoid by their names, where a text says which letter is one."""
    defined = {match["name"] for match in _CALL_OF_SIGMOID.finditer(text)}
    for name in defined | {match["name"] for match in _IS_SIGMOID.finditer(text)}:
        call = rf"(?<![A-Za-z\\]){re.escape(name)}(?=\s*'*\s*\()"
        if name in defined or not re.search(
            rf"{call}[^()=]*\([^()]*\)[\s$&]*=\s*\\[dt]?frac", text
        ):
            text = re.sub(call, "sigmoid", text)
    names = {match[1] for match in _IS_SOFTMAX.finditer(text)}
    names |= {match["name"] for match in _ENTRY_OF_SOFTMAX.finditer(text)}
    for name in names - {"a", "softmax", "\\softmax"}:
        called = re.compile(rf"(?<![A-Za-z\\]){re.escape(name)}(?=\s*\()")
        text = called.sub("softmax", text)
        bracketed = re.compile(r"\[\s*(softmax\s*\([^()]*\))\s*\](?=\s*_)")
        text = bracketed.sub(r"\1", text)
    return text


__all__ = ["in_plain_notation"]
