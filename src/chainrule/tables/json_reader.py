"""Typed access to the JSON values of a model file; every refusal names the place."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from typing import Any

from chainrule.errors import ModelFileError
from chainrule.tables.records import Fact


def distinct_keys(source: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; raise where a key occurs twice, for readers differ in which counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ModelFileError(
                    f"{source}: the file is damaged or was tampered with: {key!r} is there twice. "
                    "Write it again."
                )
            seen.add(key)
    return found


class Reader:
    """Typed access to JSON values.

    Parameters
    ----------
    source : str
        The file, for messages.
    """

    def __init__(self, source: str) -> None:
        self.source = source

    def fault(self, place: str, why: str) -> ModelFileError:
        """Return the error for a damaged place."""
        return ModelFileError(
            f"{self.source}: the model file is damaged: {place}: {why}. Fit the model again."
        )

    def record(self, value: object, place: str) -> dict[str, Any]:
        """Return a JSON object."""
        if not isinstance(value, dict):
            raise self.fault(place, "a record {...} was expected")
        return value

    def keys(
        self,
        record: dict[str, Any],
        expected: set[str],
        place: str,
        optional: Collection[str] = (),
    ) -> None:
        """Raise unless a record has exactly these keys, and at most the optional ones besides."""
        if lacking := sorted(expected - record.keys()):
            raise self.fault(place, f"{lacking[0]!r} is not there")
        if foreign := sorted(record.keys() - expected - set(optional)):
            raise self.fault(place, f"{foreign[0]!r} does not belong there")

    def items(self, value: object, place: str, least: int) -> list[Any]:
        """Return a list of at least so many entries."""
        if not isinstance(value, list) or len(value) < least:
            raise self.fault(place, f"a list of {least} or more was expected")
        return value

    def word(self, value: object, place: str) -> str:
        """Return a string."""
        if not isinstance(value, str):
            raise self.fault(place, f"a text was expected, not {value!r}")
        return value

    def word_or_none(self, value: object, place: str) -> str | None:
        """Return a string or None."""
        return None if value is None else self.word(value, place)

    def words(
        self, value: object, place: str, least: int, distinct: bool = True
    ) -> tuple[str, ...]:
        """Return strings, each once unless `distinct` is False."""
        found = tuple(self.word(item, place) for item in self.items(value, place, least))
        if distinct:
            self.distinct(found, place)
        return found

    def distinct(self, words: Iterable[str], place: str) -> None:
        """Raise when a string occurs twice."""
        seen: set[str] = set()
        for word in words:
            if word in seen:
                raise self.fault(place, f"{word!r} is there twice")
            seen.add(word)

    def truth(self, value: object, place: str) -> bool:
        """Return a truth value."""
        if not isinstance(value, bool):
            raise self.fault(place, f"true or false was expected, not {value!r}")
        return value

    def number(self, value: object, place: str) -> float:
        """Return a finite float."""
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.fault(place, f"a number was expected, not {value!r}")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.fault(place, "the number is too large")
        return number

    def whole(self, value: object, place: str) -> int:
        """Return an integer from 0."""
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise self.fault(place, f"a whole number from 0 was expected, not {value!r}")
        return value

    def numbers(self, value: object, names: list[str], place: str) -> list[float]:
        """Return one finite float per name."""
        items = self.items(value, place, least=0)
        if len(items) != len(names):
            raise self.fault(place, f"{len(items)} numbers, {len(names)} expected")
        return [
            self.number(item, f"{place} of {name!r}")
            for item, name in zip(items, names, strict=True)
        ]

    def facts(self, value: object, place: str) -> dict[str, Fact]:
        """Return a record of numbers, truth values, strings and nulls."""
        record = self.record(value, place)
        for name, fact in record.items():
            if fact is not None and not isinstance(fact, str | int | float):
                raise self.fault(f"{place}: {name}", "a number, a text or null was expected")
        return dict(record)
