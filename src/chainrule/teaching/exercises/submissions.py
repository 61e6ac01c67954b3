"""Submissions: the answers of a class to a problem set, marked file by file.

A submission is JSON, ``{"1": "(A - Y) X^T", "2": "b"}``, perhaps with its ``name`` and the rest
under ``answers``; or text in which a line such as ``1: (A - Y) X^T`` begins each answer. An answer
of several lines is a derivation: its lines are audited, and what follows from an earlier error is
not counted as wrong again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from chainrule.errors import ChainruleError, ExerciseError
from chainrule.language.reading import canonical
from chainrule.teaching.exercises.answer_readers import AnswerKey, Judgement, judge
from chainrule.teaching.exercises.grading import grader_of
from chainrule.teaching.exercises.sets import read_key
from chainrule.teaching.exercises.submission_files import read_submission
from chainrule.teaching.grading.audit import audit

KEY_FILE = "key.json"
REMEMBERED = 20_000
CHUNK = 8


@dataclass(frozen=True)
class ProblemResult:
    """The result of one answer.

    Parameters
    ----------
    number, points : int
        The number of the problem.
    judgement : Judgement or None
        Nothing where no answer was given.
    """

    number: int
    points: int
    judgement: Judgement | None

    @property
    def score(self) -> float:
        """The points that were earned."""
        return 0.0 if self.judgement is None else round(self.points * self.judgement.credit, 2)

    @property
    def message(self) -> str:
        """The feedback for the student."""
        found = self.judgement
        if found is None:
            return "no answer"
        if not found.read:
            return f"not read: {found.message}"
        said = "right" if found.right else f"partly right, {found.credit:.0%}"
        if not found.credit:
            said = "not right"
        return f"{said}: {found.message}" if found.message else said


@dataclass(frozen=True)
class MarkedSubmission:
    """A submission and its results.

    Parameters
    ----------
    file : str
        Its name.
    results : tuple of ProblemResult
        One for every problem of the set.
    error : str
        Why the file could not be read; nothing when it could.
    notes : tuple of str
        What the file holds beside its answers, and how it was taken.
    """

    file: str
    results: tuple[ProblemResult, ...] = ()
    error: str = ""
    notes: tuple[str, ...] = ()

    @property
    def score(self) -> float:
        """The points that were earned."""
        return round(sum(result.score for result in self.results), 2)

    @property
    def most(self) -> int:
        """The points that can be earned."""
        return sum(result.points for result in self.results)

    def data(self) -> dict[str, Any]:
        """Return the marks as plain data."""
        return {
            "file": self.file,
            "score": self.score,
            "max_score": self.most,
            "error": self.error or None,
            "notes": list(self.notes),
            "results": [
                {
                    "number": r.number,
                    "score": r.score,
                    "max_score": r.points,
                    "right": r.judgement is not None and r.judgement.right,
                    "understood": "" if r.judgement is None else r.judgement.understood,
                    "message": r.message,
                }
                for r in self.results
            ],
        }

    def gradescope(self) -> dict[str, Any]:
        """Return the marks as Gradescope reads them: the content of ``results.json``."""
        tests = [
            {
                "number": str(r.number),
                "name": f"Problem {r.number}",
                "score": r.score,
                "max_score": r.points,
                "status": "passed" if r.judgement is not None and r.judgement.right else "failed",
                "output": "\n".join(
                    part
                    for part in (
                        f"understood: {r.judgement.understood}"
                        if r.judgement is not None and r.judgement.understood
                        else "",
                        r.message,
                    )
                    if part
                ),
                "visibility": "visible",
            }
            for r in self.results
        ]
        said = "\n".join([self.error, *self.notes] if self.error else self.notes)
        return {"score": self.score, "output": said, "tests": tests}


@dataclass(frozen=True)
class SubmissionMarker:
    """Marks submissions by the key of a set.

    Parameters
    ----------
    data : mapping
        The content of the key.
    """

    data: Mapping[str, Any]
    key: Mapping[int, tuple[AnswerKey, int]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", read_key(self.data))

    def mark(self, file: Path) -> MarkedSubmission:
        """Mark one submission; any fault of the file is reported in the result."""
        try:
            read = read_submission(file)
            answers = read.answers
            results = tuple(
                ProblemResult(
                    number, points, _judged(key, answers[number]) if number in answers else None
                )
                for number, (key, points) in self.key.items()
            )
        except (ChainruleError, OSError) as error:
            return MarkedSubmission(file.name, self._nothing(), str(error))
        no_problem = [str(number) for number in answers if number not in self.key]
        notes = [f"{', '.join(no_problem)}: no such problem in this set"] if no_problem else []
        return MarkedSubmission(file.name, results, notes=(*read.notes, *notes))

    def mark_all(self, files: Sequence[Path], jobs: int = 1) -> Iterator[MarkedSubmission]:
        """Mark submissions in order, in several processes when asked."""
        if jobs <= 1 or len(files) <= 1:
            yield from map(self.mark, files)
            return
        context = get_context("spawn")
        with ProcessPoolExecutor(jobs, context, _begin, (dict(self.data),)) as pool:
            yield from pool.map(_mark, files, chunksize=CHUNK)

    def _nothing(self) -> tuple[ProblemResult, ...]:
        return tuple(
            ProblemResult(number, points, None) for number, (_, points) in self.key.items()
        )


def load_set(folder: str | Path) -> SubmissionMarker:
    """Read the key of a problem set from its folder, or from the file itself.

    Raises
    ------
    ExerciseError
        When there is no key, or it cannot be read.
    """
    path = Path(folder)
    path = path / KEY_FILE if path.is_dir() else path
    try:
        return SubmissionMarker(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ExerciseError(
            f"{path}: cannot be opened: {error.strerror}; "
            "`chainrule exercise new --out FOLDER` writes a set with its key"
        ) from None
    except (ValueError, AttributeError) as error:
        raise ExerciseError(f"{path}: is not the key of a set: {error}") from None


# ---- judging -----------------------------------------------------------------------------------


@lru_cache(REMEMBERED)
def _judged(key: AnswerKey, text: str) -> Judgement:
    """Judge an answer; results are cached, for a class gives the same one often."""
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        if key.forward and len(lines) > 1:
            return _derivation(key, lines)
        return judge(key, text)
    except ChainruleError as error:
        return Judgement(False, str(error), read=False)
    except Exception as error:  # a defect met in one answer must not cost a class its marks
        said = f"a defect of chainrule ({type(error).__name__}: {error}); look at it yourself"
        return Judgement(False, said, read=False)


def _derivation(key: AnswerKey, lines: Sequence[str]) -> Judgement:
    """Score a derivation by its lines; lines that follow from an error cost nothing."""
    last = judge(key, lines[-1])
    judged = audit("\n".join(lines), grader_of(key.forward).model).lines
    ended = bool(judged) and judged[-1].line == len(lines)
    steps = judged[:-1] if ended else judged
    sound = [verdict.verdict in ("proven", "follows") for verdict in steps]
    # The last line answers the question, or follows from what was answered before.
    named = grader_of(key.forward).about(lines[-1])
    asked = named is None or canonical(named) == canonical(key.wrt)
    carried = ended and judged[-1].verdict == "follows" and asked
    credit = (sum(sound) + (last.right or carried)) / (len(sound) + 1)
    if credit == 1.0 and last.right:
        return last
    wrong = [v for v in steps if v.accused]
    said = [f"line {v.line}: {v.mistake or v.why}" for v in wrong]
    if last.right and not wrong:
        said = [f"line {v.line}: {v.why}" for v in steps if v.verdict not in ("proven", "follows")]
    if carried:
        said.append(f"line {len(lines)} follows from the lines before it")
    elif not last.right:
        said.append(f"line {len(lines)}: {_in_line(last.message)}")
    return Judgement(False, "; ".join(said), last.understood, credit=credit)


def _in_line(message: str) -> str:
    return message.replace(":\n- ", ": ").replace("\n- ", "; ").replace("\n", "; ")


_markers: list[SubmissionMarker] = []  # of this process


def _begin(data: Mapping[str, Any]) -> None:
    _markers[:] = [SubmissionMarker(data)]


def _mark(file: Path) -> MarkedSubmission:
    return _markers[0].mark(file)
