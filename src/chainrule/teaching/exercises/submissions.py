"""Submissions: the answers of a class to a problem set, marked file by file.

A submission is JSON, ``{"1": "(A - Y) X^T", "2": "b"}``, perhaps with its ``name`` and the rest
under ``answers``; or text in which a line such as ``1: (A - Y) X^T`` begins each answer. An answer
of several lines is a derivation: its lines are audited, and what follows from an earlier error is
not counted as wrong again.
"""

from __future__ import annotations

import json
import re
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
from chainrule.teaching.grading.audit import audit
from chainrule.text_files import TextError, read_text

KEY_FILE = "key.json"
SUFFIXES = (".json", ".txt", ".md", ".text")
LARGEST = 1_000_000
REMEMBERED = 20_000
CHUNK = 8

_BEGIN = re.compile(r"^\s*(?:problem|question|answer)?\s*#?(\d{1,3})\s*[:.)]\s*(.*)$", re.I)


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
    """

    file: str
    results: tuple[ProblemResult, ...] = ()
    error: str = ""

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
        return {"score": self.score, "output": self.error, "tests": tests}


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
            answers = read_submission(file)
            results = tuple(
                ProblemResult(
                    number, points, _judged(key, answers[number]) if number in answers else None
                )
                for number, (key, points) in self.key.items()
            )
        except (ChainruleError, OSError) as error:
            return MarkedSubmission(file.name, self._nothing(), str(error))
        return MarkedSubmission(file.name, results)

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


def submissions(path: str | Path) -> list[Path]:
    """Return the files of a folder that are submissions, by name; or the file.

    Raises
    ------
    ExerciseError
        When there is nothing.
    """
    found = Path(path)
    if found.is_file():
        return [found]
    files = sorted(f for f in found.glob("*") if f.suffix.lower() in SUFFIXES and f.is_file())
    if not files:
        raise ExerciseError(f"{path}: there are no submissions; they end in {', '.join(SUFFIXES)}")
    return files


def read_submission(file: Path) -> dict[int, str]:
    """Read the answers of a file, by the number of the problem.

    Raises
    ------
    ExerciseError
        When it cannot be read; the message says why.
    """
    if file.stat().st_size > LARGEST:
        raise ExerciseError(f"{file.name} is larger than {LARGEST} bytes")
    try:
        text = read_text(file)
    except TextError as error:
        raise ExerciseError(str(error)) from None
    found = _from_json(file.name, text) if file.suffix.lower() == ".json" else _from_text(text)
    if not found:
        raise ExerciseError(f"{file.name}: no answers; begin each with its number, as in 1: ...")
    return found


def _from_json(name: str, text: str) -> dict[int, str]:
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ExerciseError(f"{name} is not JSON: {error}") from None
    if isinstance(data, dict) and isinstance(data.get("answers"), dict | list):
        data = data["answers"]
    if isinstance(data, list):
        data = {str(number): answer for number, answer in enumerate(data, 1)}
    if not isinstance(data, dict):
        raise ExerciseError(f'{name}: write the answers as {{"1": "...", "2": "..."}}')
    return {
        int(number): str(answer)
        for number, answer in data.items()
        if re.fullmatch(r"[0-9]{1,3}", number) and isinstance(answer, str | int | float)
    }


def _from_text(text: str) -> dict[int, str]:
    found: dict[int, list[str]] = {}
    current: list[str] | None = None
    for line in text.splitlines():
        match = _BEGIN.match(line)
        if match and (current is None or int(match[1]) > max(found)):
            current = found.setdefault(int(match[1]), [])
            line = match[2]
        if current is not None and line.strip():
            current.append(line.strip())
    return {number: "\n".join(lines) for number, lines in found.items()}


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
