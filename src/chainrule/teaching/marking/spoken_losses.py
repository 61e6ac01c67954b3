r"""Losses that a text names in words alone: "with the cross-entropy loss $L$".

The loss is written out with the prediction that the text defines last and with the label that its
claims use. A name may mean several forms (a mean or a sum, with or without one half): all are
given, the plainest first, and the audit takes the one that fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chainrule.teaching.marking.open_objective import named_in
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

_KINDS = (
    ("the binary cross-entropy", r"binary[\s-]+cross[\s-]*entropy|log(?:istic)?[\s-]+loss|\bBCE\b"),
    ("the cross-entropy", r"cross[\s-]*entropy"),
    ("the mean squared error", r"mean[\s-]+squared?[\s-]+error|\bMSE\b"),
    ("the squared error", r"squared?[\s-]+(?:error|loss)|quadratic\s+(?:cost|loss)|\bSSE\b"
                          r"|sum\s+of\s+squares|least[\s-]+squares"),
    ("the negative log-likelihood", r"negative\s+log[\s-]*likelihood|\bNLL\b"),
)  # fmt: skip
_SPOKEN = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _KINDS)

_LABELS = ("y", "t", "Y", "T", "d", "target", "y_true", "label", r"\mathbf{y}", r"\mathbf{t}",
           r"\boldsymbol{y}", r"\vec{y}", r"\bar{y}", "y^*")  # fmt: skip
"""The usual names of a label."""

_TARGET = re.compile(
    r"\s*(?P<name>(?:\\(?:hat|bar|tilde|mathbf|boldsymbol|bm|vec|widehat)\s*"
    r"(?:\{\s*\\?[A-Za-z]+\s*\}|[A-Za-z])|\\[a-z]+|ŷ|[A-Za-z]\w*?))"
    r"(?P<layer>\^\s*\{?\s*[(\[][^{}]*?[)\]]\s*\}?)?"
    r"(?:\s*_\s*(?:\{\s*(?P<group>[^{}]*)\s*\}|(?P<one>\w))|(?P<sub>[ᵢⱼₖ]))?\s*"
)
_COUNT = re.compile(
    r"\\sum_\{?\s*\w\s*=\s*1\s*\}?\s*\^\s*\{?\s*([A-Za-z])|\{\s*([NnMm])\s*\}|1/([NnMm])\b"
)


@dataclass(frozen=True)
class SpokenLoss:
    """A loss that is named in words, written out.

    Parameters
    ----------
    name : str
        Its name in words.
    formula : str
        Its definition.
    text : str
        The text with this definition on a row of its own.
    """

    name: str
    formula: str
    text: str


def spoken_losses(text: str, said: Sequence[TranscriptStatement]) -> Iterator[SpokenLoss]:
    """Yield the forms of a loss that a text names in words and nowhere defines.

    Parameters
    ----------
    text : str
        The text.
    said : sequence of TranscriptStatement
        Its statements.
    """
    formulas = [s for s in said if not s.code and equals_signs(s.text)]
    claims = [s.text for s in formulas]
    objective = named_in(claims)
    kind = next((name for name, pattern in _SPOKEN if pattern.search(text)), "")
    if not objective or not kind or any(s.code for s in said):
        return
    sides = [(s.text[: equals_signs(s.text)[0]], s.text[equals_signs(s.text)[0] + 1 :])
             for s in formulas if not s.continues]  # fmt: skip
    if any(_begins_with(left, objective) for left, _ in sides):
        return
    defined = [(match, right) for left, right in sides
               if (match := _TARGET.fullmatch(left)) and not _is_derivative(left)
               and not _ERROR.match(match["name"])]  # fmt: skip
    ends = [
        pair
        for pair in defined
        if not any(_has(right, pair[0]["name"]) for other, right in defined if other is not pair[0])
    ]
    if not ends:
        return
    end, right = ends[-1]
    label = _label(end["name"], [r for _, r in defined], claims)
    if not label:
        return
    latex = "\\" in text or "$" in text
    for formula in _forms(kind, end, right, label, text, latex=latex):
        shown = f"{objective} = {formula}"
        yield SpokenLoss(kind, shown, _with_row(text, f"${shown}$" if latex else shown))


_ERROR = re.compile(r"\\?delta|δ|Δ|\\Delta")
"""The name of an error, which is no prediction."""


def _begins_with(left: str, objective: str) -> bool:
    plain = re.sub(r"[\s{}$&]", "", left)
    name = re.sub(r"[\s{}]", "", objective)
    return re.fullmatch(rf"{re.escape(name)}(?:\(.*\)|_\w+)?", plain) is not None


def _is_derivative(left: str) -> bool:
    return re.search(r"∂|∇|\\partial|\\nabla|/|\\frac", left) is not None or bool(
        re.fullmatch(r"\s*d[A-Za-z]\w*\s*", left)
    )


def _has(formula: str, name: str) -> bool:
    return re.search(rf"(?<![A-Za-z\\]){re.escape(name)}(?![A-Za-z])", formula) is not None


def _label(prediction: str, rights: Sequence[str], claims: Sequence[str]) -> str:
    """Return the usual name that claims use and no definition does."""
    for name in _LABELS:
        if name == prediction or any(_has(right, name) for right in rights):
            continue
        bare = rf"(?<![A-Za-z\\{{]){re.escape(name)}(?![A-Za-z])"
        if any(re.search(bare, claim[equals_signs(claim)[0] :]) for claim in claims):
            return name
    return ""


@dataclass(frozen=True)
class _Signs:
    """The signs of a formula in LaTeX or in plain text."""

    latex: bool

    def total(self, index: str) -> str:
        return rf"\sum_{{{index}}} " if self.latex else f"sum_{index} "

    def fraction(self, below: str) -> str:
        if self.latex:
            return rf"\frac{{1}}{{{below}}} "
        return f"1/({below}) " if len(below) > 1 else f"1/{below} "

    def squared(self, difference: str, *, vectors: bool) -> str:
        if not vectors:
            return f"({difference})^2"
        return rf"\|{difference}\|^2" if self.latex else f"sum(({difference})^2)"

    def binary(self, share: str, label: str) -> str:
        log = r"\log" if self.latex else "log"
        return f"({label} {log} {share} + (1 - {label}) {log} (1 - {share}))"

    def several(self, index: str, share: str, label: str) -> str:
        log = r"\log" if self.latex else "log"
        return f"{self.total(index)}{label} {log} {share}"


def _forms(
    kind: str, end: re.Match[str], right: str, label: str, text: str, *, latex: bool
) -> Iterator[str]:
    """Yield formulas of a loss, the plainest first."""
    signs = _Signs(latex)
    place = end["group"] or end["one"] or {"ᵢ": "i", "ⱼ": "j", "ₖ": "k"}.get(end["sub"] or "", "")
    place = place if len(place) == 1 and place.isalpha() else ""
    name = f"{end['name']}{end['layer'] or ''}"
    index = place or ("k" if not _has(text, "k") else "c")
    entry = f"{name}_{index}", f"{label}_{index}"
    count = next((m[1] or m[2] or m[3] for m in _COUNT.finditer(text)), "")
    mean = signs.fraction(count) if count else ""
    if "squared" in kind:
        halved = signs.fraction(f"2 {count}" if count else "2")
        vectors = not place and _OF_VECTORS.search(text) is not None
        both = entry if place else (name, label)
        form = signs.squared(f"{both[0]} - {both[1]}", vectors=vectors)
        form = (signs.total(index) if place else "") + form
        first = (mean, "", halved) if "mean" in kind else ("", signs.fraction("2"), mean)
        for scale in dict.fromkeys((*first, halved, signs.fraction("2"))):
            yield scale + form
    elif "binary" not in kind and _SHARES.search(right):
        yield f"-{signs.several(index, *entry)}"
    elif place:
        form = signs.total(index) + signs.binary(*entry)
        yield from (f"-{scale}{form}" for scale in dict.fromkeys(("", mean)))
    elif name[0].isupper():
        form = f"sum{signs.binary(name, label)}"
        yield from (f"-{scale}{form}" for scale in dict.fromkeys((mean, "")))
    else:
        yield f"-{signs.binary(name, label)}"
        yield f"-{signs.total(index)}{signs.binary(*entry)}"


_SHARES = re.compile(r"softmax|\\sum|∑|Σ")
"""Signs of a softmax in the definition of a prediction."""

_OF_VECTORS = re.compile(
    r"\^\s*\{?\s*(?:T(?![a-z])|\\top|\\intercal)|[ᵀ⊤]|\.T\b|\\math(?:bf|bb)|\\boldsymbol|\\odot|⊙"
    r"|\bvectors?\b|\bmatri"
)


def _with_row(text: str, row: str) -> str:
    """Return a text with one more formula behind the words that name a loss."""
    rows = text.split("\n")
    spoken = next((at for at, one in enumerate(rows)
                   if any(p.search(one) for _, p in _SPOKEN)), len(rows))  # fmt: skip
    return with_row(text, row, spoken + 1)


def with_row(text: str, row: str, start: int = 0) -> str:
    """Return a text with one more formula, on an empty row outside of displays or at the end.

    Parameters
    ----------
    text : str
    row : str
        The formula.
    start : int
        The first row that it may stand on, counted from 0.
    """
    rows = text.split("\n")
    for at in range(start, len(rows)):
        if rows[at].strip():
            continue
        before = "\n".join(rows[:at])
        within = before.count("$$") % 2 or before.count("```") % 2
        within = within or before.count("\\begin") != before.count("\\end")
        if not within and before.count("\\[") == before.count("\\]"):
            rows[at] = row
            return "\n".join(rows)
    return "\n".join([*rows, "", row])


__all__ = ["SpokenLoss", "spoken_losses", "with_row"]
