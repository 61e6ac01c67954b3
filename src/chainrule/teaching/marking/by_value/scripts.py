r"""Indices above and below a letter: ``_{ij}``, ``_{t-1}``, ``^{(i)}``, ``^{[l]}``, ``^T``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from chainrule.teaching.marking.by_value.notation import BOLD, FONTS, GREEK, Token
from chainrule.teaching.marking.by_value.terms import Index

_OPEN = {"(": ")", "[": "]", "<": ">", "{": "}"}


class UnreadError(Exception):
    """Text that is not read as mathematics."""


@dataclass(frozen=True)
class Habits:
    """The habits of a text that decide how its letters are read.

    Parameters
    ----------
    functions : frozenset of str
        Names that stand for functions.
    values : frozenset of str
        Names that stand for values, also where brackets follow.
    above : frozenset of str
        Letters above a name that are indices and no powers.
    euler : bool
        Whether e is the base of the exponential.
    defined : frozenset of str
        Names on the left of an equals sign.
    plain : bool
        Whether the text has no LaTeX.
    greedy : bool
        Whether ``d/dx`` reaches over what follows a bracket.
    names : frozenset of str
        Names of several letters.
    prime_turns : bool
        Whether a prime is a transpose: ``X'y``.
    numbered : frozenset of str
        Names with a number above that is a layer and no power: ``w_{11}^2``.
    gradients : bool
        Whether names such as ``dW`` stand on left sides.
    """

    functions: frozenset[str] = frozenset()
    values: frozenset[str] = frozenset()
    above: frozenset[str] = frozenset()
    euler: bool = True
    defined: frozenset[str] = frozenset()
    plain: bool = False
    greedy: bool = False
    prime_turns: bool = False
    names: frozenset[str] = frozenset()
    numbered: frozenset[str] = frozenset()
    gradients: bool = False

    @property
    def words(self) -> frozenset[str]:
        """The words that are names."""
        return self.defined | self.names


@dataclass
class Scripts:
    """Indices and powers above and below one base."""

    above: list[Index] = field(default_factory=list)
    below: list[Index] = field(default_factory=list)
    power: list[Token] = field(default_factory=list)  # an expression
    turned: bool = False
    turned_first: bool = False  # whether a transpose stands before the indices
    primes: int = 0

    def labelled(self) -> bool:
        r"""Take a letter that stands above before an index for a label: the h of ``a^h_t``.

        Return whether an index may follow what stands above: a label, or a number as in
        ``\\sigma^2_B``, which is the square of ``\\sigma_B``.
        """
        if len(self.power) == 1 and self.power[0].kind == "letter":
            self.above.append(Index(self.power[0].text))
            self.power = []
            return True
        return len(self.power) == 1 and self.power[0].kind == "number"


CLASS: Final = re.compile(r"[a-z]_[a-z]")
"""The index of the class of an example, as in ``w_{y_i}``."""

_WORD: Final = re.compile(r"(?=[a-z]*[eoxyh])[a-z]{2,}|in|(?![a-fi-n]+$)[a-z]{4,}")
"""Letters that are a word, as in ``W_{out}`` and ``W_{xh}``: nobody counts by all of these."""


def plain_letters(content: Sequence[Token]) -> str:
    """Return letters and digits as one string: ``ij``, ``12``, ``hh``."""
    shown = []
    for token in content:
        if token.kind in ("command",):
            name = token.text[1:]
            if name in BOLD | FONTS:
                continue
            shown.append(name if name in GREEK else "?")
        elif token.text not in "{},":
            shown.append(token.text)
    return "".join(shown)


def indices(content: Sequence[Token]) -> tuple[Index, ...]:
    """Return the indices of a group below or above a letter.

    Raises
    ------
    UnreadError
        When the group is not a list of indices.
    """
    groups: list[list[Token]] = [[]]
    for token in content:
        if token.text == ",":
            groups.append([])
        elif token.text not in "{} ":
            groups[-1].append(token)
    found: list[Index] = []
    for group in groups:
        found.extend(_of_group(group))
    return tuple(found)


def _of_group(group: Sequence[Token]) -> list[Index]:
    if not group:
        return []
    if len(group) == 1 and group[0].kind == "word":
        word = group[0].text
        return [Index(letter) for letter in word] if _are_indices(word) else [Index(word)]
    text = plain_letters(group)
    if re.fullmatch(r"(?:\([a-z][-+][a-z]\)){1,2}", text):  # X_{(i+m)(j+n)}
        return [Index(inner) for inner in re.findall(r"\((.{3})\)", text)]
    shifted = re.fullmatch(r"([A-Za-z]|[A-Za-z]{4,})([-+])(\d)", text)
    if shifted:
        return [Index(shifted[1], int(shifted[2] + shifted[3]))]
    if re.fullmatch(r"\d+", text):
        return [Index(digit) for digit in text] if len(text) == 2 else [Index(text)]
    if _WORD.fullmatch(text) or re.fullmatch(r"[hoxyzabcdefuvwg]\d", text):
        return [Index(text)]  # net_{h1}: the first unit of the layer h
    if re.fullmatch(r"[a-z]+[']*", text) and all(t.kind in ("letter", "sign") for t in group):
        return [Index(match) for match in re.findall(r"[a-z]'*", text)]
    if len(group) == 1:
        return [Index(text)]
    if re.fullmatch(r"[a-z0-9]{2,3}", text) and all(t.kind in ("letter", "number") for t in group):
        return [Index(letter) for letter in text]
    if "=" in text or "?" in text:
        raise UnreadError("an index that is not read")
    return [Index(text)]


def _are_indices(word: str) -> bool:
    return len(word) <= 3 and all(letter in "ijklmnpq" for letter in word)


def above(
    content: Sequence[Token], habits: Habits, scripts: Scripts, *, numbered: bool = False
) -> None:
    """Sort what stands above a letter into indices, a transpose, primes and a power.

    With `numbered`, a number above is an index.
    """
    content = [token for token in content if token.text not in "{}"] or list(content)
    while content and content[-1].text in ("\\top", "T") and len(content) > 1:
        if content[-2].text not in ("-", "+"):
            scripts.turned = not scripts.turned
            content = content[:-1]
        else:
            break
    if not content:
        return
    text = plain_letters(content)
    close = next((at for at, token in enumerate(content) if token.text in _OPEN.values()), -1)
    if content[0].text in _OPEN and [t.text for t in content[close + 1 : close + 2]] == ["^"]:
        scripts.above.extend(indices(content[1:close]))  # y^{(i)^2} is the square of y^{(i)}
        scripts.power = [token for token in content[close + 2 :] if token.text not in "{}"]
        return
    if content[0].text in _OPEN and content[-1].text == _OPEN[content[0].text]:
        scripts.above.extend(indices(content[1:-1]))
        return
    if content[0].text in ("\\langle", "\\lt") and content[-1].text in ("\\rangle", "\\gt"):
        scripts.above.extend(indices(content[1:-1]))
        return
    if numbered and text.isdigit():
        scripts.above.append(Index(text))
    elif text in ("T", "top", "?") and content[0].text in ("T", "\\top", "\\intercal"):
        scripts.turned = not scripts.turned
    elif text in ("-T", "-top"):  # the transpose of the inverse
        scripts.turned = not scripts.turned
        scripts.power = [Token("sign", "-"), Token("number", "1")]
    elif set(text) == {"'"}:
        scripts.primes += len(text)
    elif content[0].text in ("*", "\\ast", "\\star", "+") and len(content) == 1:
        scripts.below.append(Index("star"))
    elif (
        (shifted := re.fullmatch(r"([a-zA-Z])(?:[-+]\d)?", text))
        and (shifted[1] in habits.above or (shifted[1].isupper() and len(text) == 1))
    ) or (re.fullmatch(r"[a-z]{2}", text) and set(text) <= habits.above):
        scripts.above.extend(indices(content))
    elif content[0].kind == "word" and len(content) == 1:
        scripts.above.append(Index(content[0].text))
    else:
        scripts.power = list(content)
