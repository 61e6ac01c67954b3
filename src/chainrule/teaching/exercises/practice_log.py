"""The practice log: answers in an SQLite file on the local disk.

Every answer is one transaction, so a kill at any moment loses at most the answer being given. The
file holds no text that was typed, only which question it was, its rules and skills, its result, and
the names of mistakes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from chainrule.errors import DataError
from chainrule.teaching.exercises.history import Answer

SCHEMA = 2

_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY,
    at TEXT NOT NULL,
    exercise TEXT NOT NULL,
    kind TEXT NOT NULL,
    seed INTEGER NOT NULL,
    rules TEXT NOT NULL,
    right INTEGER NOT NULL,
    hints INTEGER NOT NULL,
    skills TEXT NOT NULL DEFAULT '[]',
    blamed TEXT NOT NULL DEFAULT '[]',
    mistakes TEXT NOT NULL DEFAULT '[]'
)
"""

_ADDED = ("skills", "blamed", "mistakes")
"""The columns that schema 2 added; what schema 1 holds has none of them."""


class PracticeLog:
    """The answers in one file.

    Parameters
    ----------
    path : str or Path
        The SQLite file; it and its folder are made when they are not there.

    Raises
    ------
    DataError
        When the file cannot be opened, or is something else.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(
                f"{self.path.parent}: this folder cannot be made: {error.strerror}; "
                "choose another file with --progress"
            ) from None
        with self._connection() as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, 1, SCHEMA):
                raise DataError(
                    f"{self.path}: written by another version of chainrule (schema {version}, "
                    f"this one writes {SCHEMA}); choose another file with --progress"
                )
            connection.execute(_TABLES)
            if version == 1:
                for column in _ADDED:
                    connection.execute(
                        f"ALTER TABLE answers ADD COLUMN {column} TEXT NOT NULL DEFAULT '[]'"
                    )
            connection.execute(f"PRAGMA user_version = {SCHEMA}")

    def record(self, answer: Answer) -> None:
        """Store an answer; it is on disk on return."""
        with self._connection() as connection:
            connection.execute(
                "INSERT INTO answers (at, exercise, kind, seed, rules, right, hints, skills, "
                "blamed, mistakes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    answer.at,
                    answer.exercise,
                    answer.kind,
                    answer.seed,
                    json.dumps(answer.rules),
                    int(answer.right),
                    answer.hints,
                    json.dumps(answer.skills),
                    json.dumps(answer.blamed),
                    json.dumps(answer.mistakes),
                ),
            )

    def history(self) -> list[Answer]:
        """Return all answers, oldest first."""
        with self._connection() as connection:
            rows = connection.execute(
                "SELECT exercise, kind, seed, rules, right, hints, at, skills, blamed, mistakes "
                "FROM answers ORDER BY id"
            ).fetchall()
        return [
            Answer(
                exercise,
                kind,
                seed,
                tuple(json.loads(rules)),
                bool(right),
                hints,
                at,
                *(tuple(json.loads(names)) for names in lists),
            )
            for exercise, kind, seed, rules, right, hints, at, *lists in rows
        ]

    def export(self) -> dict[str, Any]:
        """Return everything that is stored, ready for ``json.dumps``."""
        return {"schema": SCHEMA, "answers": [asdict(answer) for answer in self.history()]}

    def delete(self) -> int:
        """Delete the file; return how many answers it held."""
        count = len(self.history())
        try:
            for suffix in ("", "-journal", "-wal", "-shm"):
                Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        except OSError as error:
            raise DataError(f"{self.path}: cannot be deleted: {error.strerror}") from None
        return count

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction."""
        try:
            with closing(sqlite3.connect(self.path, timeout=10)) as connection, connection:
                connection.execute("PRAGMA synchronous = FULL")
                yield connection
        except sqlite3.Error as error:
            raise DataError(
                f"{self.path}: cannot be used as a file of progress: {error}; move it away, or "
                "choose another with --progress"
            ) from None
