"""Habits of a text: which letters are functions, which words are names, what stands above."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from chainrule.teaching.marking.by_value.grammar import Parser
from chainrule.teaching.marking.by_value.notation import ACCENTS, BOLD, GREEK, WORDS, Token, tokens
from chainrule.teaching.marking.by_value.scripts import Habits, UnreadError

_SEVERAL = re.compile(
    r"[\s$]*([A-Z]{2,5}|[A-Z][a-z]{2,9}|(?!d)[a-z]{3,9})\s*(?:\([^()]*\))?\s*&?\s*"
)
_DIFFERENTIATED_WORD = re.compile(
    r"\{\s*(?:d|\\partial(?![A-Za-z])\s*)([A-Z]{2,5}|[A-Z][a-z]{2,9})\s*\}"
)
"""A word in a fraction of differentials: ``\\frac{dLoss}{dOut}``."""
_WORD_WITH_INDEX = re.compile(
    r"(?<![A-Za-z\\])(?<!rm\{)(?<!text\{)(?<!name\{)(?P<word>[a-z]{3,9}|[A-Z][a-z]{2,8})"
    r"(?=_(?:\{|[a-z0-9](?![A-Za-z])))"
)
"""Letters that stand together before an index: ``net_{j}``, ``out_{o1}``."""

_UPRIGHT_WITH_INDEX = re.compile(
    r"\\(?:mathrm|text|textrm|mathit)\s*\{\s*(?P<word>[A-Za-z]{2,9})\s*\}\s*_"
)
_OPERATORS = frozenset({"arg", "argmax", "argmin", "sup", "inf", "lim"})
_FUNCTION_LETTERS = frozenset({"sigma", "phi", "psi", "f", "g", "h", "F", "G", "Phi", "varphi"})
_GRADIENT_LEFT = re.compile(r"[\s&$]*d[A-Z](?:_\{?\w{1,3}\}?)?[\s&$]*$")
_NUMBERED = re.compile(
    r"\{\s*(?:\\partial\s*|d\s*)\{?\\?[A-Za-z]+(?:\s*\{\s*[A-Za-z]\s*\})?\s*\}?(?:_\{?\w+\}?)?\s*\}"
    r"\s*\{\s*(?:\\partial\s*|d\s*)(?P<base>\\?[A-Za-z]+)"
    r"(?:_(?:\w|\{\s*\w+\s*\})\^(?:\d|\{\s*\d\s*\})|\^(?:\d|\{\s*\d\s*\})_(?:\w|\{\s*\w+\s*\}))\s*\}"
)
"""A first derivative with respect to an entry with a number above: ``\\partial w_{11}^2``."""

_SHIFTED = re.compile(r"\^\s*\{\s*([a-zA-Z])\s*[-+]\s*\d\s*\}")
_ABOVE = re.compile(
    r"(\\?[A-Za-z]+)\s*(?:_(?:\{[^{}]*\}|\w))?\^\s*\{?\s*([ltLk])\s*\}?(?![A-Za-z])"
)


def _words_as_names(lefts: Sequence[str], text: str) -> frozenset[str]:
    """Return the words that are names: a left side of their own, or a differential."""
    found = {match[1] for left in lefts if (match := _SEVERAL.fullmatch(left))}
    found |= {match[1] for match in _DIFFERENTIATED_WORD.finditer(text)}
    indexed = Counter(match["word"] for match in _WORD_WITH_INDEX.finditer(text))
    found |= {word for word, count in indexed.items() if count > 1} - _OPERATORS
    found |= {match["word"] for match in _UPRIGHT_WITH_INDEX.finditer(text)} - _OPERATORS
    return frozenset(word for word in found if word not in WORDS)


def habits_of(sides: Sequence[str], lefts: Sequence[str], text: str) -> Habits:
    """Return the habits of a text from its formulas."""
    plain = "\\" not in text and "$" not in text
    several = _words_as_names(lefts, text)
    defined: set[str] = set()
    with_arguments: dict[str, set[str]] = {}
    for left in lefts:
        try:
            name, arguments = left_name(left, plain=plain, names=several)
        except UnreadError:
            continue
        if name == "d" and arguments:
            continue  # d(X^{-1}) is a differential
        defined.add(name)
        if arguments:
            with_arguments.setdefault(name, set()).add(arguments)
    called: dict[str, set[str]] = {}
    bare: set[str] = set()
    primed: set[str] = set()
    for side in sides:
        try:
            listed = tokens(side, plain=plain, names=several)
        except (AssertionError, ValueError):
            continue
        _uses(listed, called, bare, primed)
    functions = {
        name
        for name, arguments in called.items()
        if (name in with_arguments and not arguments <= with_arguments[name])
        or (name not in defined and name not in bare and name in _FUNCTION_LETTERS)
    } | (primed - (defined - with_arguments.keys()))
    turns = (
        re.search(
            r"(?:(?<![A-Za-z\\])(?:[XAB]|[xz]_(?:\w|\{\w\}))|\))\s?['’′]\s?(?=[A-Za-z(\\)+\-=])",
            text,
        )
        is not None
    )
    turns = turns and not re.search(r"\^\s?\{?\s?(?:T\b|\\top)", text)
    if turns:
        functions -= primed
    values = (defined | bare) - functions
    above = set(_SHIFTED.findall(text)) & set("lLtTkij")
    if len({match[1] for match in _ABOVE.finditer(text) if match[2] == "l"}) > 1:
        above |= {"l"}
    if len({match[1] for match in _ABOVE.finditer(text) if match[2] == "t"}) > 1:
        above |= {"t"}
    above |= {letter.lower() for letter in above} if "L" in above else set()
    numbered = {
        match["base"].lstrip("\\")
        for match in _NUMBERED.finditer(text)
        if match["base"] != "\\sigma"
    }
    euler = "e" not in defined and not re.search(r"(?<![A-Za-z\\])e_", text)
    return Habits(frozenset(functions), frozenset(values), frozenset(above), euler,
                  frozenset(defined), plain, prime_turns=turns, names=several,
                  numbered=frozenset(numbered),
                  gradients=any(_GRADIENT_LEFT.match(left) for left in lefts))  # fmt: skip


def _uses(
    listed: list[Token], called: dict[str, set[str]], bare: set[str], primed: set[str]
) -> None:
    """Note which names are followed by brackets, by primes or by neither."""
    at = 0
    while at < len(listed):
        token = listed[at]
        name = token.text.lstrip("\\")
        if not (token.kind == "letter" or (token.kind == "command" and name in GREEK)):
            at += 1
            continue
        after = at + 1
        prime = False
        while after < len(listed) and listed[after].text in ("_", "^", "'"):
            prime = prime or listed[after].text == "'"
            after += 1 if listed[after].text == "'" else _skip(listed, after + 1) - after
        if prime:
            primed.add(name)
        if after < len(listed) and listed[after].text == "(":
            end = _skip(listed, after)
            shown = "".join(t.text for t in listed[after + 1 : end - 1])
            called.setdefault(name, set()).add(_bareness(shown))
        elif not prime and not (name == "d" and _is_prefix(listed, at)):
            bare.add(name)
        at += 1


def _is_prefix(listed: list[Token], at: int) -> bool:
    """Whether d stands directly before a name, or begins a fraction's part."""
    if at + 1 >= len(listed) or listed[at + 1].spaced:
        return at > 0 and listed[at - 1].text == "{"
    after = listed[at + 1]
    if after.text == "}" and at and listed[at - 1].text == "{":
        return True  # the d above in d/dX
    return (
        after.kind == "letter"
        or after.text in ("(", "[", "|")
        or after.text[1:] in GREEK | BOLD | ACCENTS
    )


def _bareness(arguments: str) -> str:
    for word in sorted(BOLD, key=len, reverse=True):
        arguments = arguments.replace(f"\\{word}", "")
    return re.sub(r"[{}\s]", "", arguments)


def _skip(listed: list[Token], at: int) -> int:
    """Return the place behind a group."""
    if at >= len(listed) or listed[at].text not in "{([":
        return at + 1
    level = 0
    for end in range(at, len(listed)):
        level += (listed[end].text in ("{", "(", "[")) - (listed[end].text in ("}", ")", "]"))
        if level == 0:
            return end + 1
    return len(listed)


def left_name(
    left: str, *, plain: bool = False, names: frozenset[str] = frozenset()
) -> tuple[str, str]:
    """Return the base of a name on the left of an equals sign, and the arguments shown with it.

    Raises
    ------
    UnreadError
        When the left side is not a name.
    """
    parser = Parser(left, Habits(euler=False, plain=plain, names=names))
    base, _bold = parser.base()
    if base in WORDS:
        raise UnreadError("a function on the left")
    parser.scripts()
    if parser.at >= len(parser.tokens):
        return base, ""
    if parser.peek() != "(" or parser.braced()[-1:] != [parser.tokens[-1]]:
        raise UnreadError("a left side that is not a name")
    start = next(k for k, token in enumerate(parser.tokens) if token.text == "(")
    return base, _bareness("".join(t.text for t in parser.tokens[start + 1 : -1]))


__all__ = ["habits_of", "left_name"]
