r"""LaTeX that only sets a formula: sizes, spaces, braces above and below, colours, numbers.

`without_layout` replaces it by spaces, so that every place in the text stays where it was. Readers
of forward passes and of transcripts begin with it.
"""

from __future__ import annotations

import re

_SPACES = re.compile(
    r"(?<!\\)\\(?:[,;:!>]|(?:small|large|Large|LARGE|huge|tiny|Tiny|footnotesize|scriptsize|normalsize"
    r"|displaystyle|textstyle|scriptstyle|limits|nolimits|hfill|smallskip|medskip|bigskip)"
    r"(?![A-Za-z]))"
)
_SIZES = re.compile(
    r"(?<!\\)\\(?:left|right|[bB]ig{1,2}[lrm]?)\s*(?=[()\[\]]|\\[{}]|\\[lr](?:angle|Vert|vert)\b|\\\||<|>)"
)
_WIDE = re.compile(r"\\hspace\*?\s*\{[^{}]*\}")
_LONE_BRACKET = re.compile(r"\{\s*([()\[\]])\s*\}")
_ROW_END = re.compile(r"\\cr(?![A-Za-z])")
_ROWS = re.compile(r"\\(?:eqalign|displaylines|eqalignno|openup\s*\d\w*)\s*(?=\{)")
_BRACES = re.compile(r"\\(?P<word>underbrace|overbrace|boxed|fbox|cancel)\s*(?=\{)")
_HIDDEN = re.compile(r"\\(?:vphantom|hphantom|phantom|color|textcolor)\s*(?=\{)")
_ABOVE_SIGN = re.compile(r"\\(?P<word>underset|overset|stackrel)\s*(?=\{)")
_ARRAY = re.compile(r"\\begin\s*\{array\}\s*(?:\{[lcr|@{}\s]*\})?")
_ARRAY_END = re.compile(r"\\end\s*\{array\}")
_ROMAN = re.compile(r"\{\s*\\(?:rm|bf|it|cal)\s+(\w+)\s*\}")
_MBOX = re.compile(r"\\mbox(?=\s*\{)")
_REMARK = re.compile(r"&\s*\(\s*\d{1,2}[a-z]?\s*\)\s*(?=\\\\|$)", re.MULTILINE)
_WORDS = re.compile(r"\\text(?:rm|it|bf|sf|tt)?\s*\{\s*\([^{}()]*\)\s*\}")
_NORM_FIRST = re.compile(r"(\\\||‖|\|\||\\[rl]?Vert)\s*\^\s*(2|\{2\})_(F|2|\{F\}|\{2\})")
_SQUARE_FIRST = re.compile(r"((?:\\[A-Za-z]+|[A-Za-z]))\^(2|\{2\})_(\w(?![A-Za-z])|\{\w{1,3}\})")
_NAME = re.compile(r"\s*\\?\w+(?:[_^](?:\w|\{[^{}]*\}))*\s*")


def without_layout(text: str) -> str:
    r"""Return a text of the same length without the commands that only set it.

    >>> without_layout(r"\left(a\right)").split()
    ['(a', ')']
    >>> without_layout(r"\underbrace{a + b}_{\text{sum}} c").split()
    ['(a', '+', 'b)', 'c']
    """
    if "\\" not in text:
        return text
    text = _ROW_END.sub(r"\\\\ ", _MBOX.sub(r"\\text", _REMARK.sub(_blank, text)))
    text = _SPACES.sub(_blank, _WORDS.sub(_blank, text))
    text = _WIDE.sub(lambda match: r", \qquad".ljust(len(match[0]))[: len(match[0])], text)
    text = _NORM_FIRST.sub(r"\1_\3^\2", text)
    text = _SQUARE_FIRST.sub(r"\1_\3^\2", text)
    text = _SIZES.sub(_blank, text)
    text = _LONE_BRACKET.sub(lambda match: match[1].center(len(match[0])), text)
    text = _ROMAN.sub(lambda match: match[1].rjust(len(match[0])), text)
    for pattern, change in (
        (_HIDDEN, _hidden),
        (_ROWS, _opened),
        (_ABOVE_SIGN, _signed),
        (_BRACES, _braced),
    ):
        text = _each(pattern, text, change)
    return _without_arrays(text)


def _each(pattern: re.Pattern[str], text: str, change: object) -> str:
    """Apply a change at every match, the last one first, so that inner ones come first."""
    characters = list(text)
    for match in reversed(list(pattern.finditer(text))):
        change(characters, match)  # type: ignore[operator]
    return "".join(characters)


def _hidden(characters: list[str], match: re.Match[str]) -> None:
    close = _closing(characters, match.end())
    _clear(characters, match.start(), close + 1)
    before = match.start() - 1
    if before >= 0 and characters[before] == "{" and "color" in match[0]:
        end = _closing(characters, before)
        characters[before] = " "
        if end < len(characters):
            characters[end] = " "


def _opened(characters: list[str], match: re.Match[str]) -> None:
    close = _closing(characters, match.end())
    _clear(characters, match.start(), match.end() + 1)
    if close < len(characters):
        characters[close] = " "


def _signed(characters: list[str], match: re.Match[str]) -> None:
    r"""Keep the sign of ``\underset{why}{=}`` and drop what stands above or below it."""
    close = _closing(characters, match.end())
    _clear(characters, match.start(), close + 1)
    at = close + 1
    while at < len(characters) and characters[at].isspace():
        at += 1
    if at < len(characters) and characters[at] == "{":
        end = _closing(characters, at)
        if end - at <= 8 and end < len(characters):
            characters[at] = characters[end] = " "


def _braced(characters: list[str], match: re.Match[str]) -> None:
    r"""Write ``\underbrace{a}_{why}`` as ``(a)``, or as ``a`` where that is one name."""
    close = _closing(characters, match.end())
    _clear(characters, match.start(), match.end())
    if close >= len(characters):
        return
    inner = "".join(characters[match.end() + 1 : close])
    one = _NAME.fullmatch(inner) or "=" in inner
    characters[match.end()], characters[close] = (" ", " ") if one else ("(", ")")
    after = re.compile(r"\s*[_^]\s*(?=\{)").match("".join(characters[close + 1 : close + 12]))
    if after is not None and match["word"] in ("underbrace", "overbrace"):
        at = close + 1 + after.end()
        _clear(characters, close + 1, _closing(characters, at) + 1)


def _without_arrays(text: str) -> str:
    """Remove the marks of arrays that hold equations; those of matrices stay."""
    starts = list(_ARRAY.finditer(text))
    for match in reversed(starts):
        end = _ARRAY_END.search(text, match.end())
        if end is None or "=" not in text[match.end() : end.start()]:
            continue
        text = (
            text[: match.start()]
            + _blank(match)
            + text[match.end() : end.start()]
            + _blank(end)
            + text[end.end() :]
        )
    return text


def _closing(characters: list[str], start: int) -> int:
    """Return where the brace at `start` closes; the end of the text where it never does."""
    depth = 0
    for at in range(start, len(characters)):
        escaped = at and characters[at - 1] == "\\"
        if not escaped:
            depth += {"{": 1, "}": -1}.get(characters[at], 0)
        if depth == 0:
            return at
    return len(characters)


def _clear(characters: list[str], start: int, stop: int) -> None:
    for at in range(start, min(stop, len(characters))):
        if characters[at] != "\n":
            characters[at] = " "


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


__all__ = ["without_layout"]
