r"""The text around an equation: layout, words before it, the reason after it, its condition.

``so $\delta = a - y$ by (3)``, ``∂p_i/∂z_j = -p_i p_j  if i ≠ j``, ``dz = a - y   (chain rule)``:
words that are not names are removed; after an equals sign only a reason is cut, from the word, the
bracket of words or the arrow that begins it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from chainrule.language.reading.words import function_word

Known = Callable[[str], bool]
"""Whether a word is a name in what is written."""

_CLAUSE = re.compile(r"[,.:;]\s+")
LEAST_WORDS = 4
"""The least number of words of a sentence before an equation on the same row."""

LEAST_LETTERS = 3
"""The least number of letters of a word in a bracket at an end, the words of a reason apart."""

NEAR = 400
"""The number of characters at either end of a line in which words are searched."""

_LAYOUT = re.compile(
    r"^\s*\[\s*\d*\.?\d+\s*(?:ex|em|pt|mm|cm)\s*\]|\\(?:begin|end)\s*\{[a-zA-Z*]+\}|\\(?:tag|label|ref|eqref)\s*\{[^{}]*\}|\\nonumber|\\notag"
    r"|\\(?:qquad|quad|hfill)\b|&|\$\$|\\\[|\\\]|^\s*>\s"
)
_TEXT = re.compile(
    r"\\(?:text|mbox|textit|textrm|textbf|mathrm|operatorname)\s*\{([^{}]*)\}(\s*\(?)"
)
_COMMENT = re.compile(
    r"(?<!\\)(?:#|//|%|←|<-(?!\s*\d)|\\leftarrow|\\checkmark|\\(?:black)?square|✓|∎|□).*$"
)
_BOLD = re.compile(r"^(\s*(?:[-*•]\s+|\d{1,2}[.)]\s+)?)\*\*([^*]{1,60})\*\*")
_DEFINED = re.compile(
    r":=|≡|≔|\\equiv\b|\\coloneqq\b|\\triangleq\b|\\stackrel\s*\{[^{}]*\}\s*\{\s*=\s*\}|\\overset\s*"
    r"\{[^{}]*\}\s*\{\s*=\s*\}"
)
_LEADING = re.compile(
    r"^\s*(?:[-*•–]\s+|\d{1,2}[.)]\s+|\((?:[a-z0-9]{1,2}|[ivx]{1,4})\)\s+|(?:[a-z]|[ivx]{1,4})\)\s+"
    r"|[ivx]{1,4}\.\s+|(?:step|line|eq\.?|equation|part)\s*\(?\d*[a-z]?\)?\s*[:.)]?\s+"
    r"|where\s+(?=(?:the|we|an?)\b)|for\s+[^:=]{0,30}(?:=[^:]{0,30})?:\s+|\.{2,3}\s*|…\s*)",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"(?:\b(?:if|for|when|where|with|case)\s+|[,;]\s*|[(\[{:]\s*)"
    r"\$?([a-z])\s*(=|≠|!=|<>|/=|\\neq?\b)\s*([a-z])\$?\s*[)\]}]?[.:,]?\s*$"
)
_CONDITION_FIRST = re.compile(
    r"^\s*(?:if|for|when|case)?\s*\(?([a-z])\s*(=|≠|!=|<>|/=|\\neq?\b)\s*([a-z])\)?\s*[:,]\s*"
)
_CONDITION_WITHIN = re.compile(r"\(\s*([a-z])\s*(=|≠|!=|<>|/=|\\neq?\b)\s*([a-z])\s*\)")
_RANGE = re.compile(
    r"(?:[,;]?\s*\b(?:for|where|with)(?:\s+all)?\s+|[,;(]\s*)[a-z](?:\s*,\s*[a-z])?\s*"
    r"(?:=|∈|\\in\b|\bin\b)[^=]*(?:\.\.|…|\\[lc]?dots)[^=]*$"
)
_FROM = re.compile(
    r"(?:\s*[,;]\s*|\s{2,}|\s*\b(?:for|where|with|if)(?:\s+all)?\s+|\s*(?=\())"
    r"\(?\s*[i-n]\s*(?:\\g(?:e|eq|eqslant)?(?![A-Za-z])|\\neq?(?![A-Za-z])|[>≥≠]=?|!=)\s*\d\s*\)?\s*[.,]?\s*$"
)
"""For which indices an equation holds, from one on: ``(j \\ge 1)``."""

_SPACE = re.compile(
    r"\s*(?:\\in(?![A-Za-z])|∈)\s*(?:\\mathbb|ℝ|R\b|\\R\b)"
    r"(?:[^=,]*(?=,\s*[^\s,=]{1,30}\s*=(?!=))|.*$)"
)
"""The set of a value, up to the next equation on its row."""

_ALL = re.compile(r"[,;]?\s+(?:\(?for (?:all|every|each|any)|∀|\\forall)\b.*$")
_WORD = re.compile(r"[A-Za-z]+(?:['’-][a-z]+)*")
_MATHS = re.compile(r"[=+*/^_\\<>|∂∇∑]|\d")
BEGINS_A_REASON = frozenset(
    {"by", "since", "because", "using", "where", "as", "via", "from", "for", "with", "which"}
    | {"whenever", "when", "if", "due", "thanks", "after", "again", "is", "are", "has", "have"}
    | {"the", "this", "that", "these", "it", "means", "note", "here", "so", "hence", "thus"}
    | {"therefore", "according", "see", "we", "applying", "remember", "exactly", "also"}
)


@dataclass(frozen=True)
class Cleaned:
    """An equation without the text around it, and its condition."""

    text: str
    condition: str = ""  # "i=j" or "i≠j"


def bare(text: str, *, code: bool) -> Cleaned:
    """Remove layout, bullets, comments and conditions from a row."""
    text = _COMMENT.sub("", text)
    if code:
        return Cleaned(text.strip().rstrip(";"))
    text = _TEXT.sub(_worded, _LAYOUT.sub(" ", text))
    text = _BOLD.sub(r"\1\2", text)
    while match := _LEADING.match(text[:NEAR]):
        text = text[match.end() :]
    text = _DEFINED.sub("=", text)
    head, tail = text[:-NEAR], text[-NEAR:]
    if "=" in text:
        tail = _SPACE.sub("", tail)
    tail = _FROM.sub("", _ALL.sub("", _RANGE.sub("", tail)))
    text, condition = (head + tail).strip(), ""
    for pattern in (_CONDITION, _CONDITION_FIRST, _CONDITION_WITHIN):
        place = max(0, len(text) - NEAR) if pattern is _CONDITION else 0
        match = pattern.search(text, place, place + NEAR)
        if match and "=" in text[: match.start()] + text[match.end() :]:
            condition = f"{match[1]}{'=' if match[2] == '=' else '≠'}{match[3]}"
            text = f"{text[: match.start()]} {text[match.end() :]}"
            break
    return Cleaned(text.strip().rstrip(".,;:").strip(), condition)


def _worded(match: re.Match[str]) -> str:
    r"""Keep a function or a name that is set upright, as in ``\text{softmax}(z)``."""
    inner = match[1].strip()
    is_name = re.fullmatch(r"[A-Za-z]\w*", inner) is not None
    before, after = match.string[: match.start()][-1:], match.string[match.end() :][:1]
    if is_name and after == "_":
        return f" {inner}" if before.isalpha() else inner
    if is_name and (match[2].endswith("(") or function_word(inner) or not match[0].startswith(_T)):
        return f"{inner}{match[2] or ' '}"
    return (
        f" {inner} " + match[2]
        if inner.split()[:1] and inner.split()[0] in _IFS
        else " " + match[2]
    )


_T = ("\\text", "\\mbox")
_IFS = ("if", "for", "when", "where", "with")


def without_words(text: str, known: Known) -> str:
    """Remove the words before an equation and the reason after it."""
    return _before(_behind(text, known), known)


def _before(text: str, known: Known) -> str:
    """Remove the words that lead to an equation: ``in matrix form dL/dw = ...``."""
    text = _last_clause(text, known)
    near = text[:NEAR]
    end = near.find("=")
    if end < 0:
        return text
    tokens = list(re.finditer(r"\S+", near[:end]))
    last = len(tokens) - 1  # the last token is what is spoken of
    start = 0
    for place, token in enumerate(tokens[:last]):
        if _is_word(token[0], known):
            start = place + 1
        elif start != place or not place:
            break
        elif not (token[0] in ("a", "A", "I") or _is_word(tokens[place + 1][0], known)):
            break  # "the slope of the sigmoid is", but not "the log a"
    if start > 0 and tokens[start - 1][0][-1:] in ":,;":
        return text[tokens[start].start() :]
    return text[tokens[start].start() :] if start else text


def _last_clause(text: str, known: Known) -> str:
    """Return what follows a sentence on its row: ``dZ is short for dL/dZ. So, dZ = A - Y``."""
    end = text.find("=")
    before = list(_CLAUSE.finditer(text, 0, max(end, 0)))
    if not before or end > NEAR:
        return text
    words = text[: before[-1].start()].split()
    if sum(_is_word(word, known) for word in words) < LEAST_WORDS:
        return text
    depth = 0
    for character in text[: before[-1].start()]:
        depth += (character in "([{") - (character in ")]}")
    return text[before[-1].end() :] if depth == 0 else text


def _is_word(token: str, known: Known) -> bool:
    bareword = token.strip("\"'“”‘’").rstrip(":,;.!?")
    if not _WORD.fullmatch(bareword) or known(bareword):
        return False
    prose = bareword == "where" or function_word(bareword) is None
    return len(bareword) > 1 and prose


def _behind(text: str, known: Known) -> str:
    """Remove the reason after an equation."""
    first = text.find("=")
    if first < 0:
        return text
    depth, at = 0, first + 1
    for match in re.finditer(r"[(\[{]|[)\]}]|\s+([A-Za-z]+)(?![\w^(\[{'])", text[at:]):
        mark = match[0]
        if mark in "([{":
            begins = at + match.start()
            if depth == 0 and text[begins - 1].isspace() and _is_aside(text, begins, known):
                return text[:begins].rstrip(" ,;–—-")
            depth += 1
        elif mark in ")]}":
            depth -= 1
        elif (
            depth == 0
            and match[1].lower() in BEGINS_A_REASON
            and text[first + 1 : at + match.start()].strip()  # "= We" is a product
            and not known(match[1])
        ):
            return text[: at + match.start()].rstrip(" ,;–—(")
    return text


def _is_aside(text: str, begins: int, known: Known) -> bool:
    """Whether a bracket at the end of a line is a reason and not a factor."""
    depth, stops, equal = 0, begins, False
    for at in range(begins, len(text)):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        equal = equal or (depth == 1 and text[at] == "=" and text[at - 1] not in "<>!=")
        if depth == 0:
            stops = at
            break
    if stops == begins or text[stops + 1 :].strip(" .,;"):
        return False
    inner = text[begins + 1 : stops]
    if equal:
        return text[begins] == "("  # [i = j] is an indicator
    plain = [
        word
        for word in inner.split()
        if _is_word(word, known)
        and (len(word) >= LEAST_LETTERS or word.lower() in BEGINS_A_REASON)  # (Ax - b)
    ]
    return bool(plain) and (not _MATHS.search(inner) or len(plain) > 1)
