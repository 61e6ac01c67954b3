r"""Values that are written with what they depend on: ``h_\theta(x^{(i)})``, ``L(a, y)``.

``h(x) = 1/(1 + e^{-w^T x})`` defines a function where h is applied to something else, too. Where
every bracket behind h holds what the definition has, h is a value, and the bracket says only which
example is meant. In ``f(z) = h(z) + 1`` the bracket holds an argument of f: where f is a function,
h is one, too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from chainrule.language.reading.names import canonical, scan
from chainrule.language.reading.words import function_word

_CANDIDATE = re.compile(
    r"(?:\\(?:mathcal|mathbf|mathrm|boldsymbol|text|hat|operatorname)\s*\{[^{}]*\}|\\?[A-Za-z]+\d*)"
    r"(?:_(?:\{[^{}]*\}|\\?[A-Za-z0-9]+))?\s*(?=\()"
)
_DEFINES = re.compile(r"\s*&?\s*(?::=|=(?!=))")
_MARK = re.compile(r"\^\s*\{?\s*\(\s*([a-z])\s*\)\s*\}?|_\s*\{?\s*([i-n])\s*\}?(?![A-Za-z\d])")
_BEGINS = re.compile(r"(?:^|[$&,;:\[({\\]|[A-Za-z]{2,}[.,]?)\s*$")
"""What may stand before a definition on its line: nothing, a mark, or a word."""

_OPERATED = re.compile(r"(?:∇|\\nabla)(?:_(?:\w|\{[^{}]*\}))?\s*$")
_PARTS = re.compile(r"[,;|]")
LONGEST = 200
"""The longest bracket that is taken for arguments."""


@dataclass(frozen=True)
class Application:
    """Arguments of a written value: the index of the example, and names that stand for one."""

    letter: str = ""
    bare: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Place:
    name: str
    end: int
    close: int
    arguments: tuple[str, ...]
    letters: frozenset[str]
    mark: str
    defines: bool
    operated: bool


def applied(text: str) -> tuple[str, Mapping[str, Application]]:
    r"""Return a text of the same length without arguments of values, and these values.

    >>> applied("h(x) = w x\nJ = sum(h(x))")[0].split()
    ['h', '=', 'w', 'x', 'J', '=', 'sum(h', ')']
    >>> applied("f(z) = z^2\nJ = f(w x)")[0]
    'f(z) = z^2\nJ = f(w x)'
    >>> applied("h(z) = 2 z\nf(z) = h(z) + 1\nJ = f(w x)")[0]
    'h(z) = 2 z\nf(z) = h(z) + 1\nJ = f(w x)'
    """
    places: dict[str, list[_Place]] = {}
    for match in _CANDIDATE.finditer(text):
        place = _place(text, match)
        if place is not None:
            places.setdefault(place.name, []).append(place)
    found: dict[str, Application] = {}
    letter_of = _letters(text, _values(text, places))
    characters = list(text)
    for name, group in _values(text, places).items():
        defining = [place for place in group if place.defines]
        letters = {letter for place in group for letter in place.letters}
        letters = letters or letter_of.get(name, set())
        for place in group:
            if place.operated:
                continue  # ∇f(x), f'(x): the argument says with respect to what
            length = place.close + 1 - place.end
            characters[place.end : place.close + 1] = place.mark.ljust(length)[:length]
        if letters:
            bare = frozenset(defining[0].arguments) if not defining[0].letters else frozenset()
            found[name] = Application(min(letters), bare)
        else:
            found[name] = Application()
    return "".join(characters), found


def _letters(text: str, groups: Mapping[str, list[_Place]]) -> dict[str, set[str]]:
    """Return the index of values that the definition of a value with an index uses.

    In ``f(x) = w^T x``, ``p(x) = σ(f(x))`` and ``p(x_i)``, f is a value of an example, too.
    """
    found = {name: {i for p in group for i in p.letters} for name, group in groups.items()}
    for _ in groups:
        for name, group in groups.items():
            first = next(place for place in group if place.defines)
            end = text.find("\n", first.close)
            for other, places in groups.items():
                inside = any(first.close < p.end <= (end if end > 0 else len(text)) for p in places)
                if inside and places[0].arguments == first.arguments and not found[other]:
                    found[other] = set(found[name])
    return found


def _values(text: str, places: Mapping[str, list[_Place]]) -> dict[str, list[_Place]]:
    """Return the names whose applications all have the arguments of their definition."""
    called = {name: group for name, group in places.items() if len(group) > 1}
    found = {name: group for name, group in called.items() if _is_alike(group)}
    while True:
        functions = [p for n, g in called.items() if n not in found for p in g if p.defines]
        inside = {
            name
            for name, group in found.items()
            if any(_is_inside(text, place, other) for place in group for other in functions)
        }
        if not inside:
            return found
        found = {name: group for name, group in found.items() if name not in inside}


def _is_alike(group: list[_Place]) -> bool:
    """Whether a name is defined, and applied to the arguments of its definition alone."""
    first = next((place for place in group if place.defines), None)
    if first is None or not all(map(_is_name, first.arguments)):
        return False
    return all(place.arguments == first.arguments for place in group)


def _is_inside(text: str, place: _Place, function: _Place) -> bool:
    """Whether an application stands in the body of a function, and has an argument of it."""
    if place.end <= function.close or not {*place.arguments} & {*function.arguments}:
        return False
    return "\n" not in text[function.close : place.end]


def _place(text: str, match: re.Match[str]) -> _Place | None:
    """Return one application of a name, with its arguments without the marks of examples."""
    if match.start() and (text[match.start() - 1].isalnum() or text[match.start() - 1] in "\\'_."):
        return None
    try:
        name = canonical(match[0])
    except ValueError:
        return None
    close = _closing(text, match.end())
    inner = text[match.end() + 1 : close]
    if close < 0 or "\n" in inner or "=" in inner or not inner.strip():
        return None
    before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
    defines = _DEFINES.match(text, close + 1) is not None and _BEGINS.search(before) is not None
    operated = _OPERATED.search(before) is not None
    if function_word(name) is not None and not defines:
        return None
    letters = frozenset(one or other for one, other in _MARK.findall(inner))
    if len(letters) > 1:
        return None
    given = inner.partition(";")[0]  # f(x; W, b): what stands behind is given
    arguments = tuple(_argument(part) for part in _PARTS.split(_MARK.sub("", given)))
    first = _MARK.search(inner)
    mark = first[0] if first is not None and letters else ""
    end = match.start() + len(match[0].rstrip())
    return _Place(name, end, close, arguments, letters, mark, defines, operated)


def _argument(text: str) -> str:
    """Return the canonical form of an argument that is one name, else its text."""
    shown = text.strip(" $")
    found = scan(shown) if shown else None
    return found.canonical if found and found.end == len(shown) else "".join(text.split())


def _is_name(text: str) -> bool:
    try:
        canonical(text)
    except ValueError:
        return False
    return True


def _closing(text: str, start: int) -> int:
    depth = 0
    for at in range(start, min(start + LONGEST, len(text))):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0:
            return at
    return -1


__all__ = ["Application", "applied"]
