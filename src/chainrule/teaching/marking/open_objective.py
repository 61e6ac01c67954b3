r"""Forward passes whose objective the text leaves open: "consider a cost C", a softmax alone.

The chain rule says the same for every objective. So it stands for any function of the last
values: a sum of their entries with weights that nobody knows, whose gradient is arbitrary there.
What holds for it holds for every objective; what does not hold for it is not judged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from chainrule.calculus.graph.model import Definition, Model
from chainrule.calculus.graph.node import Symbol
from chainrule.calculus.ops import add, mul, reduce_sum
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs

UNNAMED = "objectivetocome"
"""The name of an objective that a text neither defines nor names."""

WEIGHTS = "weightsofany"
"""The stem of the names of the weights."""

_LETTERS = r"\\mathcal\s*\{\s*[LEJC]\s*\}|\\ell|ℓ|[LJCEl]|[Ll]oss|[Cc]ost"
_DIFFERENTIATED = re.compile(
    rf"(?:\\partial|∂|\\delta|\\mathrm\s*\{{\s*d\s*\}}|(?<![A-Za-z])d)\s*\{{?\s*({_LETTERS})(?![A-Za-z])"
    rf"\s*\}}?\s*(?:\}}\s*\{{|/)\s*(?:\\partial|∂|\\delta|\\mathrm|d)"
)
_IN_PROSE = re.compile(
    rf"\b(?:loss|cost|objective|error)(?:\s+function)?\s*,?\s*(?:\$|\\\()\s*({_LETTERS})\s*(?:\$|\\\))"
)
_BY_NABLA = re.compile(rf"(?:\\nabla|∇)\s*_\s*(?:\{{[^{{}}]*\}}|\\?\w+)\s*({_LETTERS})(?![A-Za-z])")


def named_in(texts: Sequence[str], prose: str = "") -> str:
    """Return the letter of an objective in claims or in prose; empty where there is none."""
    for text in texts:
        found = _DIFFERENTIATED.search(text) or _BY_NABLA.search(text)
        if found is not None:
            return found[1]
    spoken = _IN_PROSE.search(prose)
    return spoken[1] if spoken is not None else ""


def speaks_of_another(model: Model, claims: Sequence[str]) -> bool:
    """Whether claims differentiate an objective that a forward pass does not have.

    The last value of such a forward pass is not an objective.
    """
    name = named_in(claims)
    if not name:
        return False
    plain = re.sub(r"[\s{}]", "", name)
    known = {re.sub(r"[\s{}]", "", symbol.name) for symbol in model.symbols}
    stem, _, example = model.objective.name.partition("_")
    if example.isdigit() and stem == plain:
        return False  # the mean C of the C_0, C_1 and so on
    usual = plain in (r"\ell", "ℓ") and bool(known & {"l", "L", r"\ell", "ℓ"})
    return plain not in known and not usual


_OBJECTIVE_LEFT = re.compile(
    rf"(?P<before>\s*&?\s*)(?P<name>{_LETTERS})\s*(?P<given>\([^=]*\))?\s*&?\s*"
)


def with_objective_named(said: Sequence[TranscriptStatement]) -> list[TranscriptStatement]:
    """Return statements in which the one loss L is the J that the claims differentiate.

    So it is where no line defines J and none differentiates L.
    """
    texts = [one.text for one in said]
    name = named_in(texts)
    lefts = [
        (at, match)
        for at, one in enumerate(said)
        if (cuts := equals_signs(one.text)) and not one.code and not one.continues
        and (match := _OBJECTIVE_LEFT.fullmatch(one.text[: cuts[0]])) is not None
    ]  # fmt: skip
    if not name or len(lefts) != 1 or lefts[0][1]["name"] == name:
        return list(said)
    at, match = lefts[0]
    others = (text for k, text in enumerate(texts) if k != at)
    loss = re.compile(rf"(?<![A-Za-z\\]){re.escape(match['name'])}(?![A-Za-z])")
    if any(loss.search(text) for text in others):
        return list(said)
    text = f"{match['before']}{name} {said[at].text[equals_signs(said[at].text)[0] :]}"
    return [*said[:at], replace(said[at], text=text), *said[at + 1 :]]


def is_open(model: Model) -> bool:
    """Whether the objective of a forward pass stands for any function of its last values."""
    return any(symbol.name.startswith(WEIGHTS) for symbol in model.inputs)


def uses_gradients(text: str, objective: str) -> bool:
    """Whether a line uses gradients of the objective; δ with two indices is Kronecker's."""
    named = rf"{re.escape(objective)}(?![A-Za-z])|(?<![A-Za-z\\])d[A-Za-z]"
    return re.search(rf"{named}|(?:delta|δ)(?!\s*_\s*\{{?\s*[a-z]\s*,?\s*[a-z])", text) is not None


def opened(model: Model, ends: Sequence[Symbol]) -> Model:
    """Return a forward pass whose objective is any function of some values.

    Parameters
    ----------
    model : Model
        The forward pass, with an objective that is replaced.
    ends : sequence of Symbol
        The last values.
    """
    letters = "abcdefghij"
    weights = [
        Symbol(WEIGHTS + letter, end.shape) for letter, end in zip(letters, ends, strict=False)
    ]
    value = add(*(reduce_sum(mul(w, end)) for w, end in zip(weights, ends, strict=True)))
    definitions = tuple(
        Definition(model.objective, value, d.line) if d.target is model.objective else d
        for d in model.definitions
    )
    return replace(model, inputs=(*model.inputs, *weights), definitions=definitions)


__all__ = [
    "UNNAMED",
    "is_open",
    "named_in",
    "opened",
    "speaks_of_another",
    "uses_gradients",
    "with_objective_named",
]
