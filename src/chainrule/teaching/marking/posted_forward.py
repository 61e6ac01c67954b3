r"""The forward pass of a transcript as people post it: undeclared names, formulas of one example.

Where `ForwardPassReader` cannot read the head of a transcript, its definitions and declarations
are read as a forward pass of the language is, with inferred shapes. A line that cannot be read is
left out and reported.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise

from chainrule.calculus.graph.model import Model
from chainrule.errors import ChainruleError, ParseError
from chainrule.language.answers import spelled
from chainrule.language.reading import canonical
from chainrule.language.reading.applied_values import Application
from chainrule.language.reading.bookkeeping import begins_code
from chainrule.language.reading.clauses import clauses
from chainrule.language.reading.declarations import head as beginning
from chainrule.language.reading.examples import reference
from chainrule.language.reading.models import read_lines
from chainrule.language.reading.names import scan, target_name
from chainrule.language.reading.tokens import Line
from chainrule.language.reading.words import function_word
from chainrule.teaching.marking.batch_letters import with_batch_letters
from chainrule.teaching.marking.forward import MAX_DEFINITIONS, OBJECTIVES, is_size
from chainrule.teaching.marking.open_functions import GENERAL, open_functions
from chainrule.teaching.marking.open_objective import (
    UNNAMED,
    named_in,
    opened,
    speaks_of_another,
    with_objective_named,
)
from chainrule.teaching.marking.softmax_labels import with_softmax_labels
from chainrule.teaching.marking.transcript import (
    TranscriptStatement,
    equals_signs,
    rows_of_prose,
)
from chainrule.teaching.marking.unread_names import names_in

_CLAIMS = re.compile(
    r"∂|∇|\\partial(?![A-Za-z])|\\nabla(?![A-Za-z])|\\frac|\\dfrac|/\s*d|['′’]|\\prime|\\delta\b|^\s*(?:grad|delta|δ)"
)
_SPELT = re.compile(r"(?<![\w\\])d(?:_?d)?_?(\\?[A-Za-z]\w*)")
_APPLIED = re.compile(r"\s*(\\?[A-Za-z]\w*(?:_(?:\w+|\{[^{}]*\}))?)\s*\([^()]*\)\s*")


class _UsualNames(frozenset[str]):
    """Names, and each with a number or a letter below: ``C_0``, ``E_t``."""

    def __contains__(self, name: object) -> bool:
        if super().__contains__(name):
            return True
        stem, _, below = str(name).partition("_")
        return bool(below) and len(below) == 1 and stem in self.with_index

    with_index = frozenset({"L", "J", "E", "C", "l", "ell", "loss"})


USUAL = _UsualNames(
    {*OBJECTIVES, "l", "f", "F", "BCE", "CE", "RSS", "SSE", "logL", "lnL", "LL", UNNAMED}
)
"""The usual names of an objective in a post."""

LONGEST_ROW = 2000
"""The longest row in which a declaration is searched."""

LEAST_WORD = 3
"""Words with fewer letters before an equation are taken for names."""

MOST_ENDS = 10
"""The most last values of which an objective is left open."""

MOST = 6
"""The most lines that are left out."""


@dataclass(frozen=True)
class PostedForward:
    """A forward pass that was read, the statements that are left, and those that were not read.

    Parameters
    ----------
    model : Model
        The forward pass.
    rest : list of TranscriptStatement
        What is judged.
    refused : list of tuple of TranscriptStatement and ParseError
        The definitions before the first claim that were not read.
    unread : list of TranscriptStatement
        All definitions that were not read; their names are undefined ones in the forward pass.
    """

    model: Model
    rest: list[TranscriptStatement]
    refused: list[tuple[TranscriptStatement, ParseError]]
    unread: list[TranscriptStatement]


def posted_forward(
    text: str,
    said: Sequence[TranscriptStatement],
    values: Mapping[str, Application],
    activation: str = GENERAL,
) -> PostedForward | None:
    """Read the forward pass of a post; None where there is none.

    Parameters
    ----------
    text : str
        The transcript.
    said : sequence of TranscriptStatement
        Its statements.
    values : mapping of str to Application
        Values that are written with their arguments.
    activation : str
        The function that an activation without a definition is taken for.
    """
    if len(said) > MAX_DEFINITIONS:
        return None
    said = with_batch_letters(with_objective_named(said))
    defining = [statement for statement in said if _is_definition(statement, said)]
    first = next((s for s in said if equals_signs(s.text) and s not in defining), None)
    leading = defining
    if first is not None:
        leading = [s for s in defining if said.index(s) < said.index(first)]
    declared = [*declarations(text, said), *open_functions(defining, activation)]
    claims = [s.text for s in said if s not in defining]
    choices = dict.fromkeys(
        tuple(_first_of_each(some)) for some in (leading, defining, _latest_first(defining))
    )
    ordered = sorted(choices, key=lambda some: not any(_target(s) in USUAL for s in some))
    for partly, chosen in itertools.product((False, True), ordered):
        found = None
        if not any(_target(s) in USUAL for s in defining):
            found = _open_read(list(chosen), declared, values, claims, text, partly=partly)
        found = found or _read(list(chosen), declared, values, partly=partly)
        if found is not None:
            model, used, refused = found
            if speaks_of_another(model, claims):  # its own definition may be one of those not read
                left = [s for s in used if s in chosen]
                again = _open_read(left, declared, values, claims, text, partly=partly)
                if again is None or not refused:
                    continue
                model, used, more = again
                refused = [*refused, *more]
            rest = [s for s in said if s not in used and equals_signs(s.text)]
            kept = [pair for pair in refused if partly or pair[0] in leading]
            rest = [s for s in rest if s not in [pair[0] for pair in kept]]
            rest = [*_second_names(model, used), *rest]
            unread = [pair[0] for pair in refused]
            return PostedForward(with_softmax_labels(model), rest, kept, unread)
    return None


_INDEXED = re.compile(
    r"(?:\\partial|∂|(?<![A-Za-z])d)\s*\{?\s*\\?[A-Za-z]+(?:\{[^{}]*\})?_\s*\{?\s*[a-z]\b"
)
"""The differential of an entry, as in ``∂p_i/∂z_j``."""


def _open_read(
    chosen: list[TranscriptStatement],
    declared: list[Line],
    values: Mapping[str, Application],
    claims: Sequence[str],
    text: str,
    *,
    partly: bool,
) -> tuple[Model, list[TranscriptStatement], list[tuple[TranscriptStatement, ParseError]]] | None:
    """Read definitions that define no objective, where the claims need none or name one."""
    targets = {_target(statement) for statement in chosen}
    name = named_in(claims, text)
    if not name and not any(_INDEXED.search(claim) for claim in claims):
        moved = [re.match(r"\s*d(\\?[A-Za-z]\w*)\s*=", claim) for claim in claims]
        named = any(match is not None and match[1].strip("\\") in targets for match in moved)
        if not named and not _begins_with_error(chosen, claims):
            return None
    ends = [s for s in chosen if not _is_used(_target(s), chosen, [s])]
    if not ends or len(ends) > MOST_ENDS:
        return None
    total = " + ".join(_total(s) for s in ends)
    line = max(s.line for s in chosen)
    objective = TranscriptStatement(f"{name or UNNAMED} = {total}", line, "")
    found = _read([*chosen, objective], declared, values, partly=partly)
    if found is None:
        return None
    model, used, refused = found
    last = {_target(s) for s in ends}
    values_of = [d.target for d in model.definitions if spelled(d.target.name) in last]
    if len(values_of) < len(ends) or spelled(model.objective.name) != spelled(name or UNNAMED):
        return None
    return opened(model, values_of), [s for s in used if s is not objective], refused


_ERROR = re.compile(r"\s*\w*delta_?\w*\s*=(?!=)|\s*\w*error_?\d?\s*=(?!=)")
_REDUCED = re.compile(r"\b(?:sum|mean|norm|dot|average)\b")


def _begins_with_error(chosen: Sequence[TranscriptStatement], claims: Sequence[str]) -> bool:
    """Whether code goes from its last value to an error of it: ``delta2 = out - target``."""
    if not chosen or not claims or _ERROR.match(claims[0]) is None:
        return False
    last = chosen[-1]
    return last.code and _REDUCED.search(last.text) is None


def _total(statement: TranscriptStatement) -> str:
    """Return the sum of the entries of what a statement defines, as text."""
    left = statement.text[: equals_signs(statement.text)[0]].strip()
    called = _APPLIED.fullmatch(left)
    shown = called[1] if called else left
    found = None
    with suppress(ValueError):
        found = reference(canonical(shown))
    if found is None or called is not None:
        return f"sum({shown})"
    return "".join(rf"\sum_{{{letter}}} " for letter in found.letters) + shown


def _read(
    chosen: list[TranscriptStatement],
    declared: list[Line],
    values: Mapping[str, Application],
    *,
    partly: bool,
) -> tuple[Model, list[TranscriptStatement], list[tuple[TranscriptStatement, ParseError]]] | None:
    """Read definitions, without those that cannot be read.

    One whose name others use is left out where the text may be read `partly`; its name is an
    undefined one then.
    """
    refused: list[tuple[TranscriptStatement, ParseError]] = []
    lines = list(declared)
    while chosen and len(refused) < MOST:
        plain = [_without_argument(s.without_words(_is_short), chosen) for s in chosen]
        whole = [*lines, *(Line(s.text, s.line) for s in plain), *_names_behind(plain)]
        try:
            return _with_axis(whole, values), chosen, refused
        except ParseError as error:
            at = [s for s in chosen if s.line == error.line]
            if not partly and any(_is_used(_target(s), chosen, at) for s in at):
                return None
            if at:
                refused += [(s, error) for s in at]
                chosen = [s for s in chosen if s not in at]
            elif any(line.number == error.line for line in lines):
                lines = [line for line in lines if line.number != error.line]
            else:
                return None
        except ChainruleError:
            return None
    return None


def _with_axis(lines: list[Line], values: Mapping[str, Application]) -> Model:
    """Read a forward pass; a softmax of a matrix goes along the classes of each example."""
    try:
        return read_lines(lines, values, usual=USUAL)
    except ParseError as error:
        if not error.message.startswith("softmax of a matrix"):
            raise
        rows = any(_DATA_FIRST.search(line.text) for line in lines)
        first = refused = error
    for axis in (1, 0) if rows else (0, 1):
        along = [replace(ln, text=_SOFTMAX.sub(rf"\g<0>, axis={axis}", ln.text)) for ln in lines]
        try:
            return read_lines(along, values, usual=USUAL)
        except ParseError as error:
            first = error if first.line != error.line and first is refused else first
    raise first


_SOFTMAX = re.compile(r"softmax\s*\}?\s*\([^()=]*(?=\))")
_DATA_FIRST = re.compile(
    r"(?<![A-Za-z\\])X\s*(?:@|\\cdot|\*)?\s*\\?W|(?:dot|matmul)\(\s*X\s*,|X\s*\.dot"
)


def _names_behind(chosen: Sequence[TranscriptStatement]) -> list[Line]:
    r"""Return the second names of values: ``a = \sigma(z) = \hat y`` says that ŷ is a, too."""
    known = {_target(statement) for statement in chosen}
    found: list[Line] = []
    for statement in chosen:
        cuts = equals_signs(statement.text)
        last = statement.text[cuts[-1] + 1 :].strip() if len(cuts) > 1 else ""
        with suppress(ValueError):
            if last and canonical(last) not in known:
                known.add(canonical(last))
                left = statement.text[: cuts[0]].strip()
                found.append(Line(f"{last} = {left}", statement.line))
    return found


def _second_names(model: Model, used: Sequence[TranscriptStatement]) -> list[TranscriptStatement]:
    """Return ``A = Z`` for every name A of a value that the forward pass has as Z."""
    known = {spelled(symbol.name) for symbol in model.symbols}
    found: list[TranscriptStatement] = []
    for statement in used:
        parts = [statement.text[a:b].strip() for a, b in statement.sides()[:2]]
        with suppress(ValueError):
            name, other = (spelled(canonical(part)) for part in parts)
            if name not in known and other in known:
                found.append(replace(statement, text=" = ".join(parts)))
    return found


def _without_argument(
    statement: TranscriptStatement, chosen: Sequence[TranscriptStatement]
) -> TranscriptStatement:
    """Write ``L(w) = ...`` as ``L = ...``, where L is applied nowhere else."""
    cuts = equals_signs(statement.text)
    left = statement.text[: cuts[0]] if cuts else ""
    called = _APPLIED.fullmatch(left)
    if called is None or _target(statement) not in USUAL:
        return statement
    again = re.compile(rf"(?<![A-Za-z\\]){re.escape(called[1])}\s*\(")
    if sum(len(again.findall(other.text)) for other in chosen) > 1:
        return statement
    return replace(statement, text=f"{called[1].ljust(len(left))}{statement.text[cuts[0] :]}")


def _is_used(
    name: str, chosen: Sequence[TranscriptStatement], apart: Sequence[TranscriptStatement]
) -> bool:
    """Whether other definitions use a name, with or without indices."""
    forms = {name, name.removesuffix("^2")}
    return any(
        not forms.isdisjoint(names_in(statement.text[cuts[0] + 1 :]))
        for statement in chosen
        if statement not in apart and (cuts := equals_signs(statement.text))
    )


def _is_short(word: str) -> bool:
    """Whether a word is short enough for a name, where no names are known yet."""
    return len(word) < LEAST_WORD


def declarations(text: str, said: Sequence[TranscriptStatement]) -> list[Line]:
    """Return the clauses of a text that declare, whole rows of prose first."""
    coded = {statement.line for statement in said if statement.code}
    found: list[Line] = []
    seen: set[str] = set()
    prose = [(at, row) for at, row in rows_of_prose(text) if row.strip(" &")]
    left = {at for (at, _), (_, row) in pairwise(prose) if row.lstrip(" &").startswith("=")}
    rows = [Line(row, at) for at, row in prose if at not in coded | left]
    apart = [s for s in said if not (s.code or equals_signs(s.text) or begins_code(s.text))]
    pieces = [Line(s.text, s.line) for s in apart]
    for line in (*rows, *pieces):
        if _CLAIMS.search(line.text) or len(line.text) > LONGEST_ROW:
            continue
        with suppress(ParseError):
            for clause in clauses(line).found:
                if clause.declared is None:
                    continue
                names = {name.strip() for name, _ in clause.declared.names}
                if names & seen or any(function_word(name) for name in names):
                    continue
                if not any(_stands(name, said) for name in names):
                    continue  # a word of the prose: "For a scalar loss"
                if any(_MOVED.fullmatch(name) or _EXAMPLE.fullmatch(name) for name in names):
                    continue  # "df is a number", and x_i ∈ ℝⁿ for every i
                seen |= names
                found.append(clause.line)
    return found


def _stands(name: str, said: Sequence[TranscriptStatement]) -> bool:
    """Whether a name stands in an equation of a text; a letter may stand there in another form."""
    if len(name) < LEAST_WORD or not name.isalpha():
        return True
    alone = re.compile(rf"(?<![A-Za-z]){re.escape(name)}(?![A-Za-z])")
    return any("=" in s.text and alone.search(s.text) is not None for s in said)


_EXAMPLE = re.compile(r"\\?[A-Za-z]+_(?:[i-n]|\{\s*[i-n]\s*\})")
_MOVED = re.compile(r"d[A-Za-z]|d\\\w+")


def _first_of_each(defining: Sequence[TranscriptStatement]) -> list[TranscriptStatement]:
    """Return the first definition of every name."""
    seen: set[str] = set()
    found = []
    for statement in defining:
        name = _target(statement)
        if name not in seen:
            seen.add(name)
            found.append(statement)
    return found


def _latest_first(defining: Sequence[TranscriptStatement]) -> list[TranscriptStatement]:
    """Return definitions in which the last one of every name stands first, in their order."""
    last = {_target(statement): statement for statement in defining}
    return [last[_target(statement)] for statement in defining]


def _target(statement: TranscriptStatement) -> str:
    left = statement.text[: equals_signs(statement.text)[0]].strip()
    called = _APPLIED.fullmatch(left)
    name = called[1] if called else left
    try:
        known = target_name(name)
    except ValueError:
        return name
    found = reference(known)
    return known if found is None else found.base


def _is_square(left: str) -> bool:
    """Whether a text is one name that is a square: ``σ_j^2``."""
    with suppress(ValueError):
        return target_name(left.strip(" &")).endswith("^2")
    return False


class _Anything:
    def __contains__(self, name: object) -> bool:
        return True


_ANY = _Anything()
_DERIVED = re.compile(r"∂|∇|\\partial(?![A-Za-z])|\\nabla(?![A-Za-z])")
_PLAIN_GRADIENT = re.compile(r"d(?:[A-Z]\w*|[a-z]\d?|[a-z]+_?\d)(?:\^?\[\w+\]|_\d)?")


def _is_definition(statement: TranscriptStatement, said: Sequence[TranscriptStatement]) -> bool:
    """Whether a statement may define a value, and is not a claim about a derivative."""
    cuts = equals_signs(statement.text)
    if not cuts or statement.continues:
        return False
    left = statement.text[: cuts[0]]
    if _CLAIMS.search(left):
        return False
    opened = beginning(statement.text)
    if opened is None and _is_square(left) and not re.match(r"\s*d\\?[a-zA-Z]", left):
        return True
    if opened is None or opened.names[0][1] != len(left) - len(left.lstrip()):
        return False
    right = statement.text[cuts[0] + 1 :]
    if is_size(statement, _ANY) or _DERIVED.search(right) or _SET.match(right):
        return False
    called = _APPLIED.fullmatch(left)
    if called is not None and function_word(called[1].lstrip("\\")) is not None:
        return False  # the sigmoid in words of its own
    if statement.code and _changes_parameter(statement, left.strip(), right):
        return False
    name = _target(statement)
    if _TUNED.fullmatch(left) and _NUMBER.fullmatch(right):
        return False  # the value of a hyperparameter, which the formulas keep as a letter
    if _INVERSE.search(right) is not None and _is_differentiated_by(name, said):
        return False  # the optimum, where its gradient is zero
    if _PLAIN_GRADIENT.fullmatch(name) or name in ("dout", "dloss"):
        return False
    if (match := _SPELT.match(name)) is not None and function_word(name) is None:
        known = {_stem(_target(other)) for other in said if equals_signs(other.text)}
        words = " ".join(other.text for other in said if other is not statement)
        plain = re.search(rf"(?<![A-Za-z\\]){re.escape(match[1])}(?![A-Za-z])", words)
        if _stem(match[1]) in known or plain is not None:
            return False
    return True


_TUNED = re.compile(r"\s*(?:\\(?:gamma|lambda|alpha|eta|epsilon|rho|tau)|[γλαηερτ])\s*")
_NUMBER = re.compile(r"\s*[\d.]+(?:e-?\d+|\s*\\times\s*10\^.{1,5})?[\s.,;]*")
_INVERSE = re.compile(r"\)\s*\^\s*\{?\s*-\s*1")


def _is_differentiated_by(name: str, said: Sequence[TranscriptStatement]) -> bool:
    by = re.compile(
        rf"(?:\\partial|∂|\\nabla_\s*\{{?|∇_)\s*\{{?\s*\\?{re.escape(name)}(?![A-Za-z])"
    )
    return any(by.search(one.text) is not None for one in said)


_SET = re.compile(r"\s*(?:\\\{|\{)")
"""What begins a set of examples: ``D = {(x_i, y_i)}``."""


def _changes_parameter(statement: TranscriptStatement, name: str, right: str) -> bool:
    """Whether a function of code gives its own parameter a new value: ``x = clip(x, -9, 9)``."""
    used = re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", right)
    return name in statement.parameters and used is not None


def _stem(name: str) -> str:
    found = scan(name)
    return found.canonical.partition("_")[0] if found else name


__all__ = ["PostedForward", "declarations", "posted_forward"]
