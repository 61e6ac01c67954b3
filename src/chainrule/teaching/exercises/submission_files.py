"""The files of a class: which of a folder are submissions, and what answers each one holds.

What a file holds beside its answers is not dropped in silence: it is a note to the teacher.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from chainrule.errors import ExerciseError
from chainrule.text_files import TextError, cannot_open, read_text
from chainrule.visible import visible

SUFFIXES: Final = (".json", ".txt", ".md", ".text")
LARGEST: Final = 1_000_000
"""Bytes of a submission."""
_NUMBER: Final = re.compile(r"[0-9]{1,3}")
_BEGIN: Final = re.compile(
    r"^\s*(?:problem|question|answer)?\s*#?(\d{1,3})\s*[:.)]\s*(.*)$", re.IGNORECASE
)
_SHOWN: Final = 40
_KINDS: Final = {dict: "an object", list: "a list", bool: "true or false", type(None): "null"}


@dataclass(frozen=True)
class Submission:
    """The answers of a file.

    Parameters
    ----------
    answers : dict of int to str
        By the number of the problem.
    notes : tuple of str
        What else the file holds, and how it was taken.
    """

    answers: dict[int, str]
    notes: tuple[str, ...] = ()


def shown(text: str) -> str:
    """Return a text of a file as a message shows it: its start, without control characters."""
    return visible(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")


def submissions(path: str | Path) -> list[Path]:
    """Return the files of a folder that are submissions, by name; or the file.

    Raises
    ------
    ExerciseError
        When there is nothing.
    """
    found = Path(path)
    if not found.is_dir():
        try:
            found.stat()
        except OSError as error:
            raise ExerciseError(cannot_open(path, error)) from None
        return [found]
    files = sorted(f for f in found.glob("*") if f.suffix.lower() in SUFFIXES and f.is_file())
    if not files:
        raise ExerciseError(f"{path}: there are no submissions; they end in {', '.join(SUFFIXES)}")
    return files


def left_out(path: str | Path) -> list[str]:
    """Return the names of a folder's other files, hidden ones apart."""
    found = Path(path)
    if not found.is_dir():
        return []
    others = (f.name for f in found.iterdir() if f.suffix.lower() not in SUFFIXES and f.is_file())
    return sorted(name for name in others if not name.startswith("."))


def read_submission(file: Path) -> Submission:
    """Read the answers of a file, by the number of the problem.

    Raises
    ------
    ExerciseError
        When it cannot be read, or holds no answer; the message says why.
    """
    if file.stat().st_size > LARGEST:
        raise ExerciseError(f"{file.name} is larger than {LARGEST} bytes")
    try:
        text = read_text(file)
    except TextError as error:
        raise ExerciseError(str(error)) from None
    is_json = file.suffix.lower() == ".json"
    found = _from_json(file.name, text) if is_json else _from_text(text)
    if not found.answers:
        form = '{"1": "...", "2": "..."}' if is_json else "1: ..."
        said = "".join(f"; {note}" for note in found.notes)
        raise ExerciseError(
            f"{file.name}: no answers{said}. Write each with the number of its problem: {form}"
        )
    return found


def _from_json(name: str, text: str) -> Submission:
    twice: list[str] = []

    def paired(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names = [key for key, _ in pairs]
        twice.extend(key for key in dict.fromkeys(names) if names.count(key) > 1)
        return dict(pairs)

    try:
        data = json.loads(text, object_pairs_hook=paired)
    except (ValueError, RecursionError) as error:
        raise ExerciseError(f"{name} is not JSON: {error}") from None
    if isinstance(data, dict) and isinstance(data.get("answers"), dict | list):
        data = data["answers"]
    elif isinstance(data, dict):
        data = {key: value for key, value in data.items() if key != "name"}
    if isinstance(data, list):
        data = {str(number): answer for number, answer in enumerate(data, 1)}
    if not isinstance(data, dict):
        raise ExerciseError(f'{name}: write the answers as {{"1": "...", "2": "..."}}')
    notes = [f"{shown(key)} is written twice; the last counts" for key in twice]
    answers: dict[int, str] = {}
    for key, answer in data.items():
        if not _NUMBER.fullmatch(key):
            notes.append(f"{shown(key)} is not the number of a problem, and not read")
        elif type(answer) in _KINDS:
            notes.append(f"{key} is {_KINDS[type(answer)]}, not a text, and not read")
        else:
            answers[int(key)] = str(answer)
    return Submission(answers, tuple(notes))


def _from_text(text: str) -> Submission:
    found: dict[int, list[str]] = {}
    notes: list[str] = []
    before: list[str] = []
    for place, line in enumerate(text.splitlines(), 1):
        match, last = _BEGIN.match(line), max(found, default=0)
        if match and (not found or int(match[1]) > last):
            last, line = int(match[1]), match[2]
            found[last] = []
        elif match:
            notes.append(f"line {place} begins with {match[1]} and is read as a line of {last}")
        if found and line.strip():
            found[last].append(line.strip())
        elif line.strip():
            before.append(line.strip())
    if before and found:
        notes.append(f"what stands before the first number is not read: {shown(before[0])}")
    return Submission({number: "\n".join(lines) for number, lines in found.items()}, tuple(notes))
