r"""One name, many spellings.

On the board a name is a letter with an accent, a layer above and an index below; on a keyboard
the same name comes out as ``yhat``, ``ŷ``, ``\hat{y}`` or ``y_hat``. `canonical` maps them all to
one form, which serves to look names up and is never shown: each name keeps the way it was written.

>>> {canonical(text) for text in ("yhat", "ŷ", r"\hat{y}", r"\hat y", "y_hat")}
{'yhat'}
>>> canonical("W^{[1]}"), canonical("z₁"), canonical("σ"), canonical("a_1^[2]")
('W^[1]', 'z_1', 'sigma', 'a^[2]_1')
"""

from __future__ import annotations

import re
from collections.abc import Container
from dataclasses import dataclass, field
from itertools import pairwise
from unicodedata import category, name, normalize

MARKS = {"\u0302": "hat", "\u0304": "bar", "\u0303": "tilde", "\u0307": "dot"}
ACCENTS = {
    "hat": "hat",
    "widehat": "hat",
    "bar": "bar",
    "overline": "bar",
    "tilde": "tilde",
    "widetilde": "tilde",
    "dot": "dot",
}
FONTS = frozenset(
    {"mathbf", "mathrm", "mathit", "mathsf", "mathcal", "mathbb", "boldsymbol", "bm"}
    | {"text", "textbf", "textrm", "textit", "textsf", "texttt", "operatorname", "mathop", "vec"}
    | {"mathtt", "mathnormal", "mathfrak", "mathscr", "pmb", "symbf", "symup"}
)
SUBSCRIPTS = dict(
    zip("₀₁₂₃₄₅₆₇₈₉ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ₊₋", "0123456789aehijklmnoprstuvx+-", strict=True)
)
SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁱⁿˡ", "0123456789+-inl", strict=True))
PRIMES = "'′’"
DIGITS = "0123456789"
MAX_ACCENTS = 3
LONGEST_RUN = 24

_COMMAND = re.compile(r"\\([A-Za-z]+)")
_LOW = re.compile(
    r"_(?:\{([^{}]{1,24})\}|([0-9]+)|([i-k](?=[wxyaA-Z]))|((?:(?![⁰¹²³⁴-⁹ⁱⁿˡ])[^\W\d_])+[0-9]*)|(\\[A-Za-z]+))"
)
_LAYER = re.compile(r"\^(?:\[([\w+\-−, ]{1,16})\])")
_GROUP = re.compile(
    r"\^\{\s*\[([\w+\-−, ]{1,16})\]\s*(?:\(([\w+\-−, ]{1,16})\))?\s*"
    r"(\^?\s*(?:T|\\top|\\intercal|⊤))?\s*\}"
)
_EXAMPLE = re.compile(r"\^(?:\(([\w+\-−, ]{1,16})\)|\{\s*\(([\w+\-−, ]{1,16})\)\s*\})")
_ONE_EXAMPLE = re.compile(
    r"\^(?:\(([^\W\d]\w{0,3})\)|\{\s*\((\w{1,4})\)\s*(\^?\s*(?:T|\\top|\\intercal|⊤))?\s*\})"
)
_MARKED = re.compile(
    r"\^(?:\(([i-nrst])\)|\{\s*\(\s*([i-nrst]|[0-9]{1,2})\s*\)\s*(\^?\s*(?:T|\\top|\\intercal|⊤))?\s*\})"
)
"""The mark of an example or of a layer: ``x^{(i)}``, ``W^{(1)}``."""
_LISTED = re.compile(r"_([0-9]+(?:,[a-z])+)(?![\w(])")
_RAISED = re.compile("⁽([⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁱⁿˡ]{1,16})⁾")
_PLACE = re.compile(r"(.+)_([0-9]{1,9})")
_SQUARED = re.compile(r"(.+?)\s*(?:\^\s*(?:2|\{\s*2\s*\})|²)")
_STEP = re.compile(r"\s*([a-z])(?![A-Za-z])")
"""The letter behind Δ, with which it is one name: Δt."""
_RELATION = re.compile(r"\\(?:neq?|in|geq?|leq?)(?![A-Za-z])")
_INDEX = re.compile(r"[\w+\-−,()\s\\]*")


@dataclass(frozen=True)
class Scanned:
    """A name found in a text: its canonical form, its end, and whether ``^{[1]T}`` ended it."""

    canonical: str
    end: int
    transposed: bool = False


@dataclass
class _Parts:
    base: str
    above: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)
    primes: int = 0

    def __str__(self) -> str:
        above = "".join(f"^{part}" for part in self.above)
        below = "".join(f"_{part}" for part in self.below)
        return self.base + above + below + "'" * self.primes


def canonical(text: str) -> str:
    """Return the canonical form of a whole name.

    Raises
    ------
    ValueError
        When the text is not one name.
    """
    text = normalize("NFC", text.strip())
    found = scan(text, whole=True)
    if found is None or found.end != len(text) or found.transposed:
        raise ValueError(f"{text} is not a name")
    return found.canonical


def target_name(text: str) -> str:
    """Return the canonical form of a name that is defined, which may be a square: ``σ²``.

    Raises
    ------
    ValueError
        When the text is not a name.
    """
    if match := _SQUARED.fullmatch(text.strip()):
        return f"{canonical(match[1])}^2"
    return canonical(text)


def scan(
    text: str, start: int = 0, *, whole: bool = False, examples: bool = False
) -> Scanned | None:
    """Find the longest name that begins at `start`.

    Parameters
    ----------
    text : str
        In NFC.
    start : int
        Where the name begins.
    whole : bool
        Also take what only a declaration can settle: ``x'`` and ``x^{(i)}``, which in an
        expression are a transpose and a power unless such a name is declared.
    examples : bool
        Also take ``^{(i)}`` as people write it in an answer: the example that is meant.
    """
    found = _base(text, start)
    if found is None:
        return None
    parts, end = found
    transposed = False
    while not transposed:
        if examples and (match := _LISTED.match(text, end)):
            parts.below.append(match[1])  # dz_1,c: entry c of the first of several
        elif match := _LOW.match(text, end):
            index = next(group for group in match.groups() if group)
            if not _INDEX.fullmatch(index) or _RELATION.search(index):
                break
            _below(parts, _plain(index))
        elif match := _LAYER.match(text, end):
            parts.above.append(f"[{_plain(match[1])}]")
        elif match := _GROUP.match(text, end):
            parts.above.append(
                f"[{_plain(match[1])}]" + (f"({_plain(match[2])})" if match[2] else "")
            )
            transposed = bool(match[3])
        elif match := _RAISED.match(text, end):
            parts.above.append(f"({''.join(SUPERSCRIPTS[c] for c in match[1])})")
        elif not examples and not whole and (match := _MARKED.match(text, end)):
            parts.above.append(f"({match[1] or match[2]})")
            transposed = bool(match[3])
        elif whole and (match := _EXAMPLE.match(text, end)):
            parts.above.append(f"({_plain(match[1] or match[2])})")
        elif examples and (match := _ONE_EXAMPLE.match(text, end)):
            parts.above.append(f"({_plain(match[1] or match[2])})")
            transposed = bool(match[3])
        elif end < len(text) and text[end] in SUBSCRIPTS:
            stop = end
            while stop < len(text) and text[stop] in SUBSCRIPTS:
                stop += 1
            parts.below.append("".join(SUBSCRIPTS[c] for c in text[end:stop]))
            end = stop
            continue
        elif whole and end < len(text) and text[end] in PRIMES:
            parts.primes += 1
            end += 1
            continue
        else:
            break
        end = match.end()
    return Scanned(str(parts), end, transposed)


def split_place(name: str) -> tuple[str, int | None]:
    """Take a trailing number off a canonical name: ``a^[1]_1`` is entry 1 of ``a^[1]``."""
    match = _PLACE.fullmatch(name)
    return (match[1], int(match[2])) if match else (name, None)


def run_of(written: str, known: Container[str]) -> list[int] | None:
    """Return where the names begin in a run of names of one letter each; None where it is none.

    A d before a name is the gradient of that name, also where a value is called d.

    >>> run_of("wx", {"w", "x"}), run_of("XW_Q", {"X", "W_Q"}), run_of("wx", {"w"})
    ([0, 1], [0, 1], None)
    >>> run_of("dg", {"d", "g"}) is None
    True
    """
    if written[:1] == "d":
        return None
    letters = 0
    while letters < len(written) and is_letter(written[letters]):
        letters += 1
    if not 1 < letters <= LONGEST_RUN:
        return None
    if any(one == other for one, other in pairwise(written[:letters])):
        return None  # xx is a name of its own
    for at in range(letters):
        part = written[at : at + 1] if at < letters - 1 else written[at:]
        found = scan(part)
        if found is None or found.end != len(part):
            return None
        if found.canonical not in known and found.canonical.partition("_")[0] not in known:
            return None
    return list(range(letters))


def is_letter(character: str) -> bool:
    """Tell whether a character may begin a name; raised and lowered letters may not."""
    return category(character) in ("Lu", "Ll", "Lt", "Lo")


def _base(text: str, start: int, accents: int = 0) -> tuple[_Parts, int] | None:
    """Read the letters of a name, under `accents` accents and fonts so far."""
    if start >= len(text) or accents > MAX_ACCENTS:
        return None
    if text[start] == "\\":
        return _command(text, start, accents)
    end = start
    while end < len(text) and (
        is_letter(text[end]) or (end > start and (text[end] in MARKS or text[end] in DIGITS))
    ):
        end += 1
    return (_Parts(_spelled(text[start:end])), end) if end > start else None


def _command(text: str, start: int, accents: int) -> tuple[_Parts, int] | None:
    match = _COMMAND.match(text, start)
    if match is None:
        return None
    word, end = match[1], match.end()
    if word == "exponentialE":  # what visual editors write for the number e
        return _Parts("e"), end
    if word == "operatorname" and text[end : end + 1] == "*":
        end += 1
    if word not in ACCENTS and word not in FONTS:
        greek = word.removeprefix("var")
        if word == "Delta" and (step := _STEP.match(text, end)) is not None:
            return _Parts(f"Delta{step[1]}"), step.end()
        return _Parts(greek if greek in GREEK else word), end
    found = _argument(text, end, accents + 1)
    if found is None:
        return None
    parts, end = found
    parts.base += ACCENTS.get(word, "")
    if word in FONTS and parts.base == "d" and not accents:
        named = _base(text, end, accents + 1)
        if named is not None:  # an upright d before a name: a differential
            named[0].base = f"d{named[0].base}"
            return named
    return parts, end


def _argument(text: str, start: int, accents: int) -> tuple[_Parts, int] | None:
    r"""Return the name under an accent: in braces, or the one letter or command that follows."""
    at = start
    while text[at : at + 1].isspace():
        at += 1
    if at >= len(text):
        return None
    if text[at] == "{":
        close = _closing(text, at)
        inner = text[at + 1 : close].strip()
        found = _base(inner, 0, accents) if close > 0 else None
        if found is None:
            return None
        parts, end = found
        while match := _LOW.match(inner, end):
            _below(parts, _plain(next(group for group in match.groups() if group)))
            end = match.end()
        return (parts, close + 1) if end == len(inner) else None
    if text[at] == "\\":
        return _base(text, at, accents)
    return (_Parts(_spelled(text[at])), at + 1) if is_letter(text[at]) else None


def _closing(text: str, start: int) -> int:
    """Where the brace opened at `start` closes, within the length that a name may have."""
    depth = 0
    for at in range(start, min(start + 48, len(text))):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if depth == 0:
            return at
    return -1


def _below(parts: _Parts, index: str) -> None:
    if index in MARKS.values() and not parts.below and not parts.above:
        parts.base += index
    else:
        parts.below.append(index)


def _plain(index: str) -> str:
    return _spelled(re.sub(r"\\|\s", "", index).replace("−", "-"))


def _spelled(letters: str) -> str:
    """Spell Greek letters and accents out: ``ŷ`` is yhat, ``σ`` is sigma."""
    result = ""
    for character in normalize("NFC", letters):
        apart = normalize("NFD", character)
        first, rest = apart[:1], apart[1:]
        if rest and all(mark in MARKS for mark in rest):
            result += _letter(first) + "".join(MARKS[mark] for mark in rest)
        else:
            result += MARKS.get(character) or _letter(character)
    return result


def _letter(character: str) -> str:
    character = normalize("NFKC", character)
    if len(character) != 1 or not "Ͱ" <= character <= "Ͽ":
        return character
    *words, spelled = name(character, "?").split()
    spelled = spelled.lower().replace("lamda", "lambda")
    if spelled not in GREEK:
        return character
    return spelled.capitalize() if "CAPITAL" in words else spelled


GREEK = frozenset(
    {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"}
    | {"lambda", "mu", "nu", "xi", "omicron", "pi", "rho", "sigma", "tau", "upsilon", "phi"}
    | {"chi", "psi", "omega"}
)
