"""Reading and judging typed answers: one entry per form of answer.

A key is plain data, so that a problem set carries all that is needed to grade it. Formulas go to
the grader; all other answers are compared here with the derivation.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise

from chainrule.calculus.graph.dims import SCALAR, Shape, written
from chainrule.errors import ChainruleError
from chainrule.language.reading import canonical
from chainrule.language.reading.statements import shape_of
from chainrule.language.reading.tokens import Line
from chainrule.teaching.exercises.formulas import graded
from chainrule.teaching.exercises.parts import PartMark, holds, judged_parts, marked, split_parts
from chainrule.teaching.exercises.typed_numbers import (
    array_shape_of,
    close,
    labelled,
    number_of,
    written_shape,
)

LONGEST = 4000
LONGEST_SHAPE = 100
ALTERNATIVES = " | "
"""Stands between the sets of names of which each is a right answer."""

TOGETHER = " + "
"""Stands between the names of mistakes that were made in one answer."""

SEVERAL = "each of these gives this answer; it does not tell which was made:"

FIGURES = 2
ROUNDING = 1e-9
"""Room for the rounding of a number in binary."""


@dataclass(frozen=True)
class AnswerKey:
    """The form of an answer and the right answer; derived, never stored in the bank.

    Parameters
    ----------
    reader : str
        A name in `READERS`.
    answer : str
        The answer as text: a letter, a shape, a formula in the language of forward passes.
    forward, wrt : str
        For formulas: the forward pass, and the variable.
    choices : tuple of str
        For choices: what stands behind each letter, where it can be typed out; for names, the
        names there are; for several values, their names.
    mistakes : tuple of (str, str, str)
        Known wrong answers: the answer, the name of the mistake, and the reason in a sentence;
        `TOGETHER` stands between the names where one answer takes two mistakes.
    tolerance : float
        For values: the relative tolerance; 0 for that of the reader.
    """

    reader: str
    answer: str
    forward: str = ""
    wrt: str = ""
    choices: tuple[str, ...] = ()
    mistakes: tuple[tuple[str, str, str], ...] = ()
    tolerance: float = 0.0

    @property
    def example(self) -> str:
        """One right answer, where there are several."""
        return self.answer.split(ALTERNATIVES)[0]


@dataclass(frozen=True)
class Judgement:
    """The judgement of an answer.

    Parameters
    ----------
    right : bool
        Whether it is right.
    message : str
        What to say: what is wrong, or what could be shorter; in lines, the first the shortest.
    understood : str
        What was read, to be shown before anything is judged.
    read : bool
        Whether the answer could be read; one that could not be costs nothing.
    credit : float
        The part that is right.
    explanations : tuple of tuple of str
        Names of mistakes; each explanation by itself gives this answer.
    shape : Shape or None
        The shape of a formula, where it has one.
    parts : tuple of PartMark
        The mark of each part, where the answer has parts.
    """

    right: bool
    message: str = ""
    understood: str = ""
    read: bool = True
    credit: float = 0.0
    explanations: tuple[tuple[str, ...], ...] = ()
    shape: Shape | None = None
    parts: tuple[PartMark, ...] = ()


Reader = Callable[[AnswerKey, str], Judgement]


def judge(key: AnswerKey, text: str) -> Judgement:
    """Read an answer and judge it.

    Examples
    --------
    >>> judge(AnswerKey("shape", "(1, n)"), "1 x n").right
    True
    >>> judge(AnswerKey("number", "0.25"), "1/4").right
    True
    >>> judge(AnswerKey("choice", "b", choices=("log rule", "product rule")), "e").message
    'there is no e; choose a letter from a to b'
    """
    answer = text.strip()
    if not answer:
        return _unread("nothing was typed")
    if len(answer) > LONGEST:
        return _unread(f"that is longer than {LONGEST} characters")
    found = READERS[key.reader](key, answer)
    return _named(key, answer, found) if found.read and not found.right else found


def _named(key: AnswerKey, text: str, found: Judgement) -> Judgement:
    """Return a judgement with the known mistakes that give this wrong answer."""
    made = [
        (name, message)
        for wrong, name, message in key.mistakes
        if READERS[key.reader](replace(key, answer=wrong), text).right
    ]
    if not made:
        return found
    reasons = list(dict.fromkeys(message for _, message in made))
    said = reasons[0]
    if len(reasons) > 1:
        said = "\n".join((SEVERAL, *(f"- {each}" for each in reasons)))
    return replace(
        found,
        message=said,
        explanations=tuple(dict.fromkeys(tuple(name.split(TOGETHER)) for name, _ in made)),
    )


def _right(understood: str, message: str = "") -> Judgement:
    return Judgement(True, message, understood, credit=1.0)


def _wrong(understood: str, message: str, credit: float = 0.0) -> Judgement:
    return Judgement(False, message, understood, credit=credit)


def _unread(message: str) -> Judgement:
    return Judgement(False, message, read=False)


# ---- formulas ----------------------------------------------------------------------------------


def _formula(key: AnswerKey, text: str) -> Judgement:
    try:
        grade = graded(key.forward, key.wrt, text)
    except ChainruleError as error:
        return _unread(str(error))
    if grade.verdict in ("unreadable", "unsure"):
        return _unread(grade.why or grade.understood)
    shape = "" if grade.shape is None else f"   {written(grade.shape)}"
    understood = f"{grade.understood}{shape}" if grade.understood else ""
    if grade.correct:
        more = f"{grade.why}; in short form: {grade.short_form}"
        found = _right(understood, "" if grade.verdict == "correct" else more)
        return replace(found, shape=grade.shape)
    explanations = tuple(
        tuple(mistake.name for mistake in each) for each in grade.diagnosis.explanations
    )
    return replace(_wrong(understood, "\n".join(grade.lines)), explanations=explanations)


def _code(key: AnswerKey, text: str) -> Judgement:
    try:
        ast.parse(text, mode="eval")  # reads, and runs nothing
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return _unread("that is no Python expression; write it as NumPy, such as A @ B.T")
    return _formula(key, text)


def _maths(key: AnswerKey, text: str) -> Judgement:
    if re.search(r"@|\bnp\.|\btorch\.|\.T\b|\(\)|keepdims", text):
        return _unread("that is still code; write it as on the board, such as A B^T")
    return _formula(key, text)


# ---- everything else ---------------------------------------------------------------------------


def _choice(key: AnswerKey, text: str) -> Judgement:
    letters = [_letter(k) for k in range(len(key.choices))]
    found = text.strip(" .()").lower()
    spelled = [_plain_words(choice) for choice in key.choices]
    if text in key.choices and found not in letters:
        found = letters[key.choices.index(text)]
    if found not in letters:
        if _plain_words(text) not in spelled or spelled.count(_plain_words(text)) > 1:
            if len(found) > 1 and any(spelled):
                return _unread(f"that is none of them; choose a letter from a to {letters[-1]}")
            return _unread(f"there is no {found}; choose a letter from a to {letters[-1]}")
        found = letters[spelled.index(_plain_words(text))]
    if found == key.answer:
        return _right(found)
    return _wrong(found, f"not {found}")


def _yes_no(key: AnswerKey, text: str) -> Judgement:
    words = {"y": "yes", "yes": "yes", "right": "yes", "true": "yes", "n": "no", "no": "no"}
    words |= {"wrong": "no", "false": "no"}
    found = words.get(text.strip(" .!").lower())
    if found is None:
        return _unread("answer yes or no")
    return _right(found) if found == key.answer else _wrong(found, f"not {found}")


def _shape(key: AnswerKey, text: str) -> Judgement:
    found = _dims(text)
    if found is None:
        return _unread("a shape has two sizes, rows and columns, such as (1, n)")
    shown, wanted = written(found), _dims(key.answer)
    if found == wanted:
        return _right(shown)
    if found[::-1] == wanted:
        return _wrong(shown, "transposed: rows come first, then columns")
    return _wrong(
        shown,
        "not that; a gradient has the shape of its variable, and a product has the rows of its "
        "left factor and the columns of its right one",
    )


def _dims(text: str) -> Shape | None:
    """Return a shape, also one such as ``(2h, k + n)``; None when the text is not a shape."""
    bare = text.strip().strip("()[]").strip()
    if bare.lower() in ("scalar", "number", "1"):
        return SCALAR
    apart = r"\s*,\s*" if "," in bare else r"\s*[×x]\s*|\s+"
    sizes = re.split(apart, bare)
    if len(sizes) != 2 or len(bare) > LONGEST_SHAPE:
        return None
    try:
        return shape_of(Line(text), f"{sizes[0]}, {sizes[1]}", 0)
    except ChainruleError:
        return None


def _number(key: AnswerKey, text: str) -> Judgement:
    cleaned = text.replace("−", "-").replace(",", ".").replace(" ", "")
    try:
        found = float(Fraction(cleaned)) if "/" in cleaned else float(cleaned)
    except (ValueError, ZeroDivisionError, OverflowError):
        return _unread("that is not a number; write it like 0.25 or 1/4")
    if not math.isfinite(found):
        return _unread("that is not a finite number")
    wanted = float(key.answer)
    shown = f"{found:.6g}"
    if abs(found - wanted) <= tolerance(wanted):
        return _right(shown)
    if abs(found + wanted) <= tolerance(wanted):
        return _wrong(shown, "the size is right, the sign is not", 0.5)
    return _wrong(shown, "too far off: two significant figures must agree")


def _numbers(key: AnswerKey, text: str) -> Judgement:
    """Judge several numbers, in order; commas, semicolons or spaces stand between them."""
    wanted = key.answer.split(", ")
    typed = [part for part in re.split(r"[\s,;\[\]()]+", text.replace("−", "-")) if part]
    if len(typed) != len(wanted):
        return _unread(f"that is {len(typed)} numbers; type {len(wanted)}, such as 0.5, -1.2")
    parts = [_number(AnswerKey("number", w), t) for w, t in zip(wanted, typed, strict=True)]
    unread = next((part for part in parts if not part.read), None)
    if unread is not None:
        return unread
    shown = ", ".join(part.understood for part in parts)
    wrong = [place for place, part in enumerate(parts, start=1) if not part.right]
    if not wrong:
        return _right(shown)
    places = ", ".join(str(place) for place in wrong)
    credit = 0.5 * (len(parts) - len(wrong)) / len(parts)
    return _wrong(shown, f"too far off: number {places}", credit)


def tolerance(wanted: float) -> float:
    """Return how far a number may be off: half a unit of its second significant figure.

    Examples
    --------
    >>> round(tolerance(0.25), 6), round(tolerance(-13.0), 6)
    (0.005, 0.5)
    """
    if wanted == 0:
        return 0.5 * 10.0**-FIGURES
    unit = 10.0 ** (math.floor(math.log10(abs(wanted))) + 1 - FIGURES)
    return 0.5 * unit * (1 + ROUNDING)


def _order(key: AnswerKey, text: str) -> Judgement:
    wanted = key.answer.split()
    found = re.findall(r"[a-z]", text.lower())
    if sorted(found) != sorted(wanted) or re.search(r"[0-9]", text):
        return _unread(f"name each letter once, such as {' '.join(sorted(wanted))}")
    shown = " ".join(found)
    if found == wanted:
        return _right(shown)
    pairs = set(pairwise(wanted))
    kept = sum(pair in pairs for pair in pairwise(found))
    first = next(a for a, b in zip(found, wanted, strict=True) if a != b)
    return _wrong(shown, f"{first} cannot stand there", 0.5 * kept / len(pairs))


def _line(key: AnswerKey, text: str) -> Judgement:
    found = re.fullmatch(r"(?:line|step)?\s*\(?(\d{1,3})\)?\.?", text.strip().lower())
    if not found:
        return _unread("type the number of the line")
    number = found.group(1).lstrip("0") or "0"
    if number not in key.choices:
        return _unread(f"there is no line {number}; lines are 1 to {len(key.choices)}")
    if number == key.answer:
        return _right(f"line {number}")
    if int(number) > int(key.answer):
        return _wrong(f"line {number}", "that line follows from the ones before it: look earlier")
    return _wrong(f"line {number}", "that line is right: look later")


def _names(key: AnswerKey, text: str) -> Judgement:
    known = {canonical(name): name for name in key.choices}
    typed = [part for part in re.split(r"\s*[,;]\s*|\s+and\s+|\s+", text) if part]
    found: list[str] = []
    for part in typed:
        name = known.get(_canonical(part))
        if name is None:
            return _unread(f"{part} is no name here; there are {', '.join(key.choices)}")
        found.append(name)
    shown = ", ".join(dict.fromkeys(found))
    sets = [each.split(", ") for each in key.answer.split(ALTERNATIVES)]
    wanted = min(sets, key=lambda each: len(set(each) ^ set(found)))
    missing = [name for name in wanted if name not in found]
    extra = [name for name in dict.fromkeys(found) if name not in wanted]
    if not missing and not extra:
        return _right(shown)
    said = []
    if missing:
        said.append(f"{len(missing)} more {'is' if len(missing) == 1 else 'are'} needed")
    if extra:
        said.append(f"{', '.join(extra)} {'is' if len(extra) == 1 else 'are'} not needed")
    credit = max(0.0, (len(wanted) - len(missing) - len(extra)) / len(wanted)) / 2
    return _wrong(shown, "; ".join(said), credit)


# ---- numbers that are exact, several values, shapes of arrays ----------------------------------

VALUE_TOLERANCE = 0.005
"""The relative tolerance of a value: two and a half significant digits."""


def _count(key: AnswerKey, text: str) -> Judgement:
    found = number_of(text)
    if found is None:
        return _unread("that is not a number; write it like 79510 or 784*100 + 100")
    shown = f"{found:,.0f}" if found == int(found) else f"{found:g}"
    if found == float(key.answer):
        return _right(shown)
    return _wrong(shown, "that is not the number; count again, one array at a time")


def _value(key: AnswerKey, text: str) -> Judgement:
    found = number_of(text)
    if found is None:
        return _unread("that is not a number; write it like 0.25, -1/4 or (1/4)^9")
    shown, wanted = f"{found:.6g}", float(key.answer)
    tolerance = key.tolerance or VALUE_TOLERANCE
    if close(found, wanted, tolerance):
        return _right(shown)
    if wanted and close(-found, wanted, tolerance):
        return replace(
            _wrong(shown, "the size is right, the sign is not", 0.5), explanations=(("sign",),)
        )
    return _wrong(shown, "that is not the value")


def _values(key: AnswerKey, text: str) -> Judgement:
    found = labelled(text, key.choices)
    if isinstance(found, str):
        return _unread(found)
    wanted = labelled(key.answer, key.choices)
    assert isinstance(wanted, dict)
    tolerance = key.tolerance or VALUE_TOLERANCE
    shown = ", ".join(f"{name} = {number:g}" for name, number in found.items())
    wrong = [name for name in key.choices if not close(found[name], wanted[name], tolerance)]
    if not wrong:
        return _right(shown)
    right = len(key.choices) - len(wrong)
    credit = right / len(key.choices) / 2
    message = f"{right} of {len(key.choices)} are right; the first wrong one is {wrong[0]}"
    return _wrong(shown, message, credit)


def _array_shape(key: AnswerKey, text: str) -> Judgement:
    found = array_shape_of(text)
    if isinstance(found, str):
        return _unread(found)
    shown = written_shape(found)
    return _right(shown) if shown == key.answer else _wrong(shown, f"not {shown}")


def _parts(key: AnswerKey, text: str) -> Judgement:
    answers = split_parts(text, key.choices)
    if isinstance(answers, str):
        return _unread(answers)
    if not answers:
        return _unread(f"write one line per part: {', '.join(key.choices)}")
    verdicts = judged_parts(key.forward, answers)
    if isinstance(verdicts, str):
        return _unread(verdicts)
    parts = tuple(marked(name, verdicts.get(name)) for name in key.choices)
    marks = sum(part.held for part in parts)
    shown = "; ".join(f"{name} = {answer}" for name, answer in answers.items())
    if marks == len(parts):
        return replace(_right(shown), parts=parts)
    said = [f"{marks} of {len(parts)} parts get their marks"]
    said += [f"({_letter(k)}) {part.name}: {part.said}" for k, part in enumerate(parts)]
    wrong = next((v for v in verdicts.values() if not holds(v)), None)
    names = () if wrong is None else tuple((mistake.name,) for mistake in wrong.mistakes)
    found = _wrong(shown, "\n".join(said), marks / len(parts))
    return replace(found, explanations=names, parts=parts)


def _canonical(text: str) -> str:
    try:
        return canonical(text)
    except ValueError:
        return ""


def _letter(number: int) -> str:
    return chr(ord("a") + number)


def _plain_words(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()


READERS: Mapping[str, Reader] = {
    "formula": _formula,
    "code": _code,
    "maths": _maths,
    "choice": _choice,
    "yes or no": _yes_no,
    "shape": _shape,
    "number": _number,
    "numbers": _numbers,
    "order": _order,
    "line": _line,
    "names": _names,
    "count": _count,
    "value": _value,
    "values": _values,
    "array shape": _array_shape,
    "parts": _parts,
}
"""The forms of answer, one entry each."""
