"""Audit of a derivation: a verdict per line, and the convention of its gradients."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any
from unicodedata import normalize

from chainrule.calculus.graph.model import Model
from chainrule.display import DisplayedAsPage
from chainrule.errors import ChainruleError, DerivationError, ModelError, ParseError
from chainrule.language.answers import Lexicon
from chainrule.language.reading.applied_values import Application, applied
from chainrule.language.reading.layout import without_layout
from chainrule.language.reading.statements import MAX_TEXT
from chainrule.teaching.grading.auditor import Auditor
from chainrule.teaching.grading.batch_lines import with_batch_lines
from chainrule.teaching.grading.convention_verdicts import (
    accused,
    cleared,
    faults,
    in_convention,
    spoiled,
)
from chainrule.teaching.grading.corroboration import Declared
from chainrule.teaching.grading.line_verdicts import (
    FOLLOWS,
    Verdict,
    in_own_function,
    refused_line,
)
from chainrule.teaching.grading.optima import with_optima
from chainrule.teaching.grading.scopes import merged, scopes
from chainrule.teaching.grading.taken_definitions import (
    FRUITLESS,
    is_borne_out,
    is_open,
    most_right,
    noted,
)
from chainrule.teaching.grading.taken_losses import with_taken_losses
from chainrule.teaching.grading.value_verdicts import (
    by_code_alone,
    by_values_alone,
    with_code,
    with_values,
)
from chainrule.teaching.marking.ascii_notation import in_latex
from chainrule.teaching.marking.class_sums import with_class_sums
from chainrule.teaching.marking.code_by_value.source import is_code
from chainrule.teaching.marking.first_order import without_conditions
from chainrule.teaching.marking.forward import MAX_DEFINITIONS, ForwardPassReader
from chainrule.teaching.marking.implied_sums import with_implied_sums
from chainrule.teaching.marking.open_functions import ACTIVATIONS, GENERAL, is_general
from chainrule.teaching.marking.open_objective import named_in, speaks_of_another
from chainrule.teaching.marking.own_forward import own_forward
from chainrule.teaching.marking.own_functions import with_functions_written_out
from chainrule.teaching.marking.posted_forward import declarations, posted_forward
from chainrule.teaching.marking.posted_notation import in_plain_notation
from chainrule.teaching.marking.spoken_losses import spoken_losses
from chainrule.teaching.marking.taken_forward import taken_forward
from chainrule.teaching.marking.transcript import TranscriptStatement, equals_signs, statements
from chainrule.teaching.marking.unread_names import UnreadNames, unread_names
from chainrule.teaching.marking.usual_shorthand import with_shorthand_written_out

MOST = 12
"""The most conventions that are tried."""

LEAST = 2
"""The least number of wrong lines that a convention makes right."""

_SHORT_LEFT = re.compile(r"\s*&?\s*d\\?[A-Za-z]")
"""A gradient by a short name, as in ``dz = a - y``: the name leaves its scale open."""

__all__ = ["FOLLOWS", "Audit", "Verdict", "audit"]


@dataclass(frozen=True)
class Audit(DisplayedAsPage):
    """The verdicts on a transcript, and its forward pass.

    Parameters
    ----------
    model : Model or None
        The forward pass; None where the text has none and its lines are judged as they stand.
    lines : tuple of Verdict
        One for each line that claims something.
    convention : str
        The convention in which the gradients are meant, in a sentence; empty for the plain one.
    """

    model: Model | None
    lines: tuple[Verdict, ...]
    convention: str = ""

    @property
    def wrong(self) -> tuple[Verdict, ...]:
        """The lines that are wrong."""
        return tuple(line for line in self.lines if line.accused)

    def data(self) -> dict[str, Any]:
        """Return the verdicts as plain data, as ``--json`` prints them."""
        lines = [line.data() for line in self.lines]
        return {"convention": self.convention or None, "lines": lines}


NO_GRADIENT = (
    "no row of this code gives a gradient by its name; give what each step subtracts a name, such "
    "as dW = ... or grad_b = ..., and audit it again"
)


def audit(text: str, model: Model | None = None) -> Audit:
    """Judge every line of a transcript.

    Parameters
    ----------
    text : str
        A forward pass, in the language or in LaTeX, and lines as people write them.
    model : Model, optional
        The forward pass, where the transcript has none of its own.

    Returns
    -------
    Audit
        One verdict for every equation that claims something. Declarations, definitions and prose
        get none.

    Raises
    ------
    ModelError
        When there is no forward pass to judge by.

    Examples
    --------
    >>> found = audit('''
    ... x, w, b, y : (1, 1)
    ... z = w x + b
    ... a = sigmoid(z)
    ... L = -(y log a + (1 - y) log(1 - a))
    ... dL/da = -y/a + (1-y)/(1-a)
    ... da/dz = a (1 - a)
    ... dL/dw = (y - a) x
    ... ''')
    >>> [(line.line, line.verdict) for line in found.lines]
    [(6, 'proven'), (7, 'proven'), (8, 'wrong')]
    >>> found.lines[-1].right
    '(a - y) x'
    """
    if model is not None:
        given = _audited(text, model)
        return replace(given, lines=_with_rounds(model, given.lines))
    if (spoken := _by_spoken_loss(text)) is not None:
        return spoken
    try:
        first = _audited(text, None)
    except ChainruleError as error:
        if (taken := _with_taken_forward(None, text)) is not None:
            return taken[0]
        alone = by_code_alone(text, undecided=isinstance(error, DerivationError) or is_code(text))
        if alone is None and not isinstance(error, ParseError):
            alone = by_values_alone(_posted(text))  # shapes that no sizes fit, such as of words
        if alone is None and isinstance(error, ParseError) and is_code(text):
            raise ModelError(NO_GRADIENT) from error
        if alone is None:
            raise
        return Audit(None, alone)
    except RecursionError as error:  # definitions that lead to one another
        alone = by_values_alone(_posted(text)) or by_code_alone(text)
        if alone is None:
            raise ModelError("definitions that lead to one another") from error
        return Audit(None, alone)
    found, text = _with_taken_forward(first, text) or (first, text)
    found = _by_scopes(_with_usual_activations(found, text), text)
    if len(text) <= MAX_TEXT:
        found = replace(found, lines=with_optima(found.lines, _posted(text)))
    return replace(found, lines=_with_rounds(found.model, with_code(found.lines, text)))


def _with_usual_activations(found: Audit, text: str) -> Audit:
    """Judge lines that are wrong for an activation in general with each of the usual ones.

    A text that leaves its activation open may mean one of them. A line is wrong where it is wrong
    for all.
    """
    if found.model is None or not any(is_general(one) for one in found.model.functions):
        return found
    for activation in ACTIVATIONS[1:]:
        if not found.wrong:
            break
        with suppress(ChainruleError, RecursionError):
            again = {(one.line, one.text): one for one in _audited(text, None, activation).lines}
            lines = [again.get((one.line, one.text), one) if one.accused else one
                     for one in found.lines]  # fmt: skip
            note = f"with the {activation} for the activation, which the text leaves open"
            found = replace(found, lines=tuple(
                one if one is before or one.accused else replace(one, why=f"{one.why}; {note}")
                for before, one in zip(found.lines, lines, strict=True)
            ))  # fmt: skip
    return found


def _by_scopes(found: Audit, text: str) -> Audit:
    """Judge lines that are open by the definitions of their own scope."""
    if len(text) > MAX_TEXT:
        return found
    for start, end, own in scopes(_posted(text), found.lines):
        with suppress(ChainruleError, RecursionError):
            lines = _audited(own, None).lines
            if any(line.verdict == "proven" for line in lines):
                found = replace(found, lines=merged(found.lines, lines, start, end))
    return found


def _by_spoken_loss(text: str) -> Audit | None:
    """Judge a text with a loss that it names in words; None where it names none, or none fits.

    Of several forms, the one that makes the most lines right is taken, and every line says so.
    """
    if len(text) > MAX_TEXT:
        return None
    posted = _posted(text)
    losses = spoken_losses(posted, statements(in_plain_notation(posted)))
    named = ((one.text, f"with {one.formula}, {one.name} that the text names") for one in losses)
    best = most_right(named, partial(_audited, model=None))
    return None if best is None else replace(best[0], lines=noted(best[0].lines, best[1]))


def _with_taken_forward(found: Audit | None, text: str) -> tuple[Audit, str] | None:
    """Judge a text with the definitions that it leaves out, where lines are not decided.

    Parameters
    ----------
    found : Audit or None
        The audit without it; None where there is none.
    text : str
        The text.

    Returns
    -------
    tuple of Audit and str, or None
        The audit and the text with them; None where they do not make more lines right.
    """
    if len(text) > MAX_TEXT or (found is not None and not is_open(found.lines)):
        return None
    read = found is not None and found.model is not None  # most of it stands there
    best = most_right(
        taken_forward(_posted(text)),
        partial(_audited, model=None),
        fruitless=1 if read else FRUITLESS,
    )
    before = () if found is None else found.lines
    if best is None or not is_borne_out(best[0].lines, before):
        return None
    rows = text.split("\n")
    own = [one for one in best[0].lines if one.line <= len(rows) and rows[one.line - 1].strip()]
    return replace(best[0], lines=noted(own, best[1], before)), best[2]


def _with_rounds(model: Model | None, lines: tuple[Verdict, ...]) -> tuple[Verdict, ...]:
    """Say in the evidence with how many rounds a loop of open length was judged."""
    if model is None or not model.lengths:
        return lines
    held = ", ".join(f"{name} = {value}" for name, value in model.lengths.items())
    settled = ("proven", "wrong", FOLLOWS)
    return tuple(
        replace(line, why=f"{line.why}; judged with {held}") if line.verdict in settled else line
        for line in lines
    )


def _posted(text: str) -> str:
    """Return a text without layout, with its functions written out."""
    text = with_shorthand_written_out(in_latex(normalize("NFC", text)))
    return with_class_sums(with_functions_written_out(without_layout(text)))


def _audited(text: str, model: Model | None, activation: str = GENERAL) -> Audit:
    """Judge every line of a transcript by its forward pass, and by values where that fails.

    `activation` is the function that an activation without a definition is taken for.
    """
    values: Mapping[str, Application] = {}
    posted_text = text
    if len(text) <= MAX_TEXT:
        posted_text = _posted(text)
        text, values = applied(in_plain_notation(posted_text))
    said = rest = with_implied_sums(without_conditions(statements(text), text), text)
    refused: list[Verdict] = []
    left_out: Sequence[TranscriptStatement] = ()
    own = model is None
    if model is None:
        forward = ForwardPassReader()
        rest = _left(forward, said)
        unread = forward.refused
        try:
            model = forward.model()
            if speaks_of_another(model, [s.text for s in rest]):
                raise ModelError(f"no definition of {named_in([s.text for s in rest])}")
        except ChainruleError:
            posted = posted_forward(text, said, values, activation)
            if posted is None:
                if (alone := _each_alone(said, text)) is not None:
                    declared = Declared(code=_rows_of_code(said))
                    lines = with_values(alone.lines, posted_text, failed=True, declared=declared)
                    return replace(alone, lines=lines)
                judged_alone = by_values_alone(posted_text)
                if judged_alone is not None:
                    return Audit(None, judged_alone)
                short = len(said) <= MAX_DEFINITIONS
                if short and unread and all(_assigns(line) for line, _ in unread):
                    return Audit(None, _not_read(unread))
                raise
            model, rest, unread, left_out = posted.model, posted.rest, posted.refused, posted.unread
        else:
            left_out = [line for line, _ in unread]
            posted = posted_forward(text, said, values, activation) if unread else None
            if posted is not None and len(posted.refused) < len(unread):
                model, rest, unread = posted.model, posted.rest, posted.refused
                left_out = posted.unread
        refused = [
            in_own_function(line, refused_line(line, error), _knows(model))
            for line, error in unread
        ]
    rest = _with_heads(said, rest)
    unknown = unread_names(model, left_out, said) if own else UnreadNames(model, {}, {})
    judged, note = _judged(model, rest, text, unknown)
    lines = tuple(sorted((*refused, *judged), key=lambda verdict: verdict.line))
    if own:
        declared = Declared(_declares_all(model, text, said), _rows_of_code(said))
        lines = with_values(lines, posted_text, failed=False, declared=declared)
    return Audit(model, lines, note)


def _with_heads(
    said: Sequence[TranscriptStatement], rest: Sequence[TranscriptStatement]
) -> list[TranscriptStatement]:
    """Return statements in which what continues a definition begins with the name defined."""
    left, kept = {id(statement) for statement in rest}, list(rest)
    head = ""
    for statement in said:
        if not statement.continues:
            cuts = equals_signs(statement.text)
            defines = bool(cuts) and id(statement) not in left and not statement.code
            head = statement.text[: cuts[0]].strip() if defines else ""
        elif head and id(statement) in left:
            at = next(k for k, one in enumerate(kept) if one is statement)
            kept[at] = replace(statement, text=f"{head} {statement.text}")
            head = ""  # the next line continues this one
    return kept


def _rows_of_code(said: Sequence[TranscriptStatement]) -> frozenset[int]:
    return frozenset(statement.line for statement in said if statement.code)


def _declares_all(model: Model, text: str, said: Sequence[TranscriptStatement]) -> bool:
    """Whether a text gives the shape of every input of its forward pass."""
    reader = ForwardPassReader()
    for line in declarations(text, said):
        reader.takes(TranscriptStatement(line.text, line.number, line.text))
    for statement in said:
        if not (statement.code or equals_signs(statement.text)):
            reader.takes(statement)
    known = {symbol.name for symbol in reader.inputs}
    return all(symbol.name in known for symbol in model.inputs)


_SYMMETRIC = re.compile(
    r"\bsymmetric\b|covariance|\\Sigma\b(?=.*\\mu\b)", re.IGNORECASE | re.DOTALL
)


def _each_alone(said: list[TranscriptStatement], text: str) -> Audit | None:
    """Judge lines that each bring their own forward pass; None where there are none."""
    model, found = _by_own_forward(said, [None] * len(said), text)
    lines = tuple(line for line in found if line is not None)
    return None if model is None else Audit(model, lines)


def _by_own_forward(
    said: list[TranscriptStatement], lines: list[Verdict | None], text: str
) -> tuple[Model | None, list[Verdict | None]]:
    """Judge lines that were not read, each by the forward pass that it brings.

    Returns
    -------
    Model or None
        The first such forward pass.
    list of Verdict or None
        The verdicts, one per statement.
    """
    first: Model | None = None
    auditor: Auditor | None = None
    declared = declarations(text, said)
    symmetric = _SYMMETRIC.search(text) is not None
    found = list(lines)
    for at, (statement, line) in enumerate(zip(said, lines, strict=True)):
        if line is not None and line.verdict not in ("unreadable", "unproven"):
            auditor = None
            continue
        if statement.continues:
            own = None if auditor is None else statement
        else:
            auditor = None
            forward = own_forward(statement, declared, symmetric=symmetric)
            own = None if forward is None else forward.said
            if forward is not None:
                auditor = Auditor(forward.model)
        verdict = None if auditor is None or own is None else auditor.judge(own)
        if auditor is None or verdict is None or verdict.verdict in ("unreadable", "unproven"):
            continue
        found[at] = replace(verdict, text=statement.text)
        first = first or auditor.equality_judge.author
    return first, found


def _judged(
    model: Model, said: list[TranscriptStatement], text: str, unknown: UnreadNames
) -> tuple[list[Verdict], str]:
    """Judge statements as they stand, or in the convention that makes several of them right."""
    plain = Auditor(model)
    lines = _guarded(plain.judged(said), said, unknown)
    first = _guarded(_by_own_forward(said, lines, text)[1], said, unknown)
    first = with_batch_lines(model, said, with_taken_losses(model, said, first))
    best, found, fewest = first, None, accused(first)
    for convention in islice(plain.conventions(first), MOST) if fewest else ():
        again = Auditor(model, convention, explains=False).judged(said)
        again = _guarded(again, said, unknown)
        right = cleared(first, again)
        short = convention.of_examples and all(_SHORT_LEFT.match(said[at].text) for at in right)
        fewer = accused(again) < fewest or (
            found is None and short and faults(again) < faults(first)
        )
        if not (right and fewer):
            continue
        if len(right) >= LEAST or short:
            found, fewest = convention, accused(again)
        elif found is None and not spoiled(first, again):
            best = [
                replace(line, why=f"{line.why}; {convention.note}")
                if line is not None and number in right
                else line
                for number, line in enumerate(best)
            ]
    if found is None:
        return [line for line in best if line is not None], ""
    again = _guarded(Auditor(model, found).judged(said), said, unknown)
    noted = (in_convention(*both, found.note) for both in zip(first, again, strict=True))
    return [line for line in noted if line is not None], found.note


def _assigns(said: TranscriptStatement) -> bool:
    return said.code and bool(equals_signs(said.text))


def _not_read(unread: Sequence[tuple[TranscriptStatement, ParseError]]) -> tuple[Verdict, ...]:
    """Return verdicts on the lines of code of which nothing is read."""
    lines = (refused_line(said, error) for said, error in unread)
    return tuple(
        replace(line, verdict="unproven", sign=0) if line.accused else line for line in lines
    )


def _guarded(
    lines: list[Verdict | None], said: Sequence[TranscriptStatement], unknown: UnreadNames
) -> list[Verdict | None]:
    """Return verdicts without those that names with unread definitions may have caused."""
    whole = ""
    found: list[Verdict | None] = []
    for statement, line in zip(said, lines, strict=True):
        whole = f"{whole} {statement.text}" if statement.continues else statement.text
        settled = line is not None and (line.accused or line.verdict in ("proven", FOLLOWS))
        why = ""
        if line is not None and settled:
            why = unknown.reason(whole, right=not line.accused)
        if line is not None and why:
            line = replace(line, verdict="unproven", why=why, mistakes=(), right="")
        found.append(line)
    return found


def _knows(model: Model) -> Callable[[str], bool]:
    return lambda word: Lexicon(model).find(word) is not None


def _left(forward: ForwardPassReader, said: list[TranscriptStatement]) -> list[TranscriptStatement]:
    """Collect the forward pass; return the statements after it."""
    for place, statement in enumerate(said):
        if not forward.takes(statement) and equals_signs(statement.text):
            return said[place:]
    return []
