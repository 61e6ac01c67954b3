r"""Markdown and LaTeX around a forward pass: fences, display formulas, environments, list marks.

`statement_lines` returns the lines in which something can stand. What only sets the page is blank,
so that columns stay what they are; a formula that runs over several lines becomes one line with
the number of its first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from chainrule.language.reading.tokens import Line

_ENVIRONMENT = re.compile(
    r"\\(?P<which>begin|end)\s*\{(?P<name>align|aligned|alignat|alignedat|equation|gather|gathered"
    r"|multline|split|eqnarray|displaymath|math|itemize|enumerate|document)\*?\}(?:\{\d+\})?"
)
_INNER = re.compile(r"\\(?P<which>begin|end)\s*\{(?P<name>[bpvBV]?matrix|cases|array)\*?\}")
_DISPLAY = re.compile(r"\$\$|\\[\[\]]")
_DISPLAYLINES = re.compile(r"\s*\\displaylines\s*\{(.*)\}\s*")
_LABELS = re.compile(
    r"\\(?:label|tag|eqref|ref|vspace|hspace)\*?\s*\{[^{}]*\}"
    r"|\\(?:nonumber|notag|item|hline|noindent|centering)(?![A-Za-z])|\\\\\s*\[[^\]]*\]"
)
_BULLET = re.compile(r"\s*(?:>\s*)*(?:[-*+•–]\s+(?=[\w\\$`])|\d{1,2}[.)]\s+(?=[A-Za-z\\$`]))")
_FENCE = re.compile(r"\s*(?:```|~~~)[\w+-]*\s*")
_PERCENT = re.compile(r"(?<!\\)%(?![=\d])")
_EMPHASIS = re.compile(r"(?:(?<=\s)|^)\*\*([A-Za-z][\w ,.:]*)\*\*(?=\s|$)")
_TAG = re.compile(r"`|</?(?:math|code|p|br|b|i|em|strong)\s*/?>")
_BOOKKEEPING = re.compile(
    r"\s*(?:(?:def|class)\s.*:|(?:return|import|from|assert|print)\b.*|@\w+"
    r"|\w+(?:\s*,\s*\w+)*\s*=\s*(?:\w+\.shape(?:\[-?\d\])?|len\(\w+\)|\w+\.size(?:\(\d\))?))\s*"
)
_ROW = re.compile(r"\s*\|\s.*\s\|\s*")
_RULE = re.compile(r"\s*\|?(?:\s*:?-{2,}:?\s*\|?)+\s*")
_ASIDE = re.compile(r"(?<=\s)\(([^()]*(?:∈|\\in(?![a-z])|\bis\b)[^()]*)\)")
_OPENING = frozenset({"(", "{", "["})
_CLOSING = frozenset({")", "}", "]"})
_CONTINUES = re.compile(r"\s*(?:[+=·⊙]|-(?!-)|\.\*|\\(?:cdot|odot|times|quad|qquad)(?![A-Za-z])|&)")
_UNFINISHED = re.compile(r"(?:[+\-*/=·⊙@]|\.\*|\\cdot|\\odot)\s*$")
MAX_JOINED = 60
"""How many lines one formula may run over."""


def statement_lines(lines: Sequence[Line]) -> list[Line]:
    """Return the lines of a text without what only sets the page."""
    found: list[Line] = []
    display = False
    depth = inner = 0
    for line in lines:
        text = line.text
        if _RULE.fullmatch(text) and found and _ROW.fullmatch(found[-1].shown):
            found.pop()  # the head of a table
        if _FENCE.fullmatch(text) or _BOOKKEEPING.fullmatch(text) or _RULE.fullmatch(text):
            continue
        text = _ASIDE.sub(r";\1 ", _tabled(text))
        if inner > 0 and found:  # the rows of cases or of a matrix
            inner += _inner_depth(text)
            found[-1] = _joined(found[-1], line, _commented(text))
            continue
        text = _emphasised(_bulleted(_commented(text)))
        inner = max(_inner_depth(text), 0)
        inside = display or depth > 0
        for match in _ENVIRONMENT.finditer(text):
            depth += 1 if match["which"] == "begin" else -1
        aligned = inside or depth > 0 or "&" in text
        if len(_DISPLAY.findall(text)) % 2:
            display = not display
        text = _LABELS.sub(_blank, _ENVIRONMENT.sub(_blank, text))
        if (lined := _DISPLAYLINES.fullmatch(text)) is not None:
            text = " " * lined.start(1) + lined[1]
        text = re.sub(r"\\\[|\\\]|\$\$", _blank, text)
        parts = _rows(text) if aligned or "\\\\" in text else [(0, text)]
        for start, part in parts:
            whole = " " * start + part
            if found and _belongs(found[-1], whole, inside):
                found[-1] = _joined(found[-1], line, whole)
            else:
                shown = "" if whole.rstrip() == line.text else line.text
                found.append(replace(line, text=whole.rstrip(), shown=shown))
    return found


def _commented(text: str) -> str:
    """Write a LaTeX comment as one of the language."""
    code, mark, rest = text.partition("#")
    match = _PERCENT.search(code)
    if match is None:
        return text
    return f"{code[: match.start()]}#{code[match.end() :]}{mark}{rest}"


def _bulleted(text: str) -> str:
    match = _BULLET.match(text)
    return text if match is None else " " * match.end() + text[match.end() :]


def _emphasised(text: str) -> str:
    return _TAG.sub(_blank, _EMPHASIS.sub(lambda match: f"  {match[1]}  ", text))


def _tabled(text: str) -> str:
    """Write a row of a Markdown table, ``| X | (n, m) |``, as a declaration."""
    if not _ROW.fullmatch(text) or text.count("|") not in (3, 4) or "=" in text:
        return text
    first, second, *rest = (at for at, character in enumerate(text) if character == "|")
    marks = {first: " ", second: ":", rest[-1]: " "} | ({rest[0]: "#"} if len(rest) > 1 else {})
    return "".join(marks.get(at, character) for at, character in enumerate(text))


def _blank(match: re.Match[str]) -> str:
    return " " * len(match[0])


def _rows(text: str) -> list[tuple[int, str]]:
    r"""Split at ``\\`` outside matrices and cases, and blank the alignment marks there."""
    depth, start = 0, 0
    found: list[tuple[int, str]] = []
    characters = list(text)
    at = 0
    while at < len(text):
        if match := _INNER.match(text, at):
            depth += 1 if match["which"] == "begin" else -1
            at = match.end()
        elif depth <= 0 and text.startswith("\\\\", at):
            characters[at : at + 2] = "  "
            found.append((start, "".join(characters[start:at])))
            start, at = at + 2, at + 2
        else:
            if depth <= 0 and text[at] == "&" and text[at - 1 : at] != "\\":
                characters[at] = " "
            at += 1
    found.append((start, "".join(characters[start:])))
    return [(place, part) for place, part in found if part.strip()] or [(0, "")]


def _inner_depth(text: str) -> int:
    """Return how many matrices and cases a line opens and does not close."""
    marks = [match["which"] for match in _INNER.finditer(text)]
    return marks.count("begin") - marks.count("end")


def _belongs(before: Line, text: str, display: bool) -> bool:
    """Whether a line goes on with the formula of the one before."""
    code = before.text.partition("#")[0]
    if not code.strip() or not text.strip() or text.lstrip().startswith("#"):
        return False
    if before.number < 0 or code.count("\n") > MAX_JOINED:
        return False
    if _open(code) > 0 or _UNFINISHED.search(code):
        return "=" in code and not _defines(text)
    return display and _CONTINUES.match(text) is not None


def _defines(text: str) -> bool:
    """Whether a line begins a definition of its own, so that nothing open reaches into it."""
    return re.match(r"\s*[^\W\d_]\w*(?:\^?[\[{]\w+[\]}])?\s*(?::=|=(?!=)|:)", text) is not None


def _open(text: str) -> int:
    depth = 0
    for character in text:
        depth += (character in _OPENING) - (character in _CLOSING)
    return depth


def _joined(before: Line, line: Line, text: str) -> Line:
    code, mark, comment = before.text.partition("#")
    code = re.sub(r"(?<!\\)\\\s*$", "", code).rstrip()
    whole = f"{code} {text.strip()}"
    note = f"   {mark}{comment}" if mark and "#" not in whole else ""
    return replace(before, text=whole + note, shown=f"{code} {text.strip()}")


__all__ = ["statement_lines"]
