"""Columns of dates as year, month, weekday, hour, and days since 1970."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.tables.arrow_columns import ArrowColumn, is_temporal, text_column, without_date
from chainrule.tables.table import Column, NumberColumn, TextColumn

PARTS: Final = ("year", "month", "weekday", "hour", "days")
_DEFAULT: Final = ("year", "month", "weekday", "days")
_HOUR: Final = ("hour",)
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY_FORMATS: Final = (
    "%Y-%m-%d",
    "%Y/%m/%d",
    "%Y%m%d",
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
)
_CLOCKS: Final = ("%H:%M:%S", "%H:%M:%S.%f")
_TIMES: Final = (
    *("", " %H:%M", "T%H:%M", " %I:%M %p"),
    *(mark + clock + zone for zone in ("", "%z") for clock in _CLOCKS for mark in " T"),
)
_FORMATS: Final = tuple(day + time for day in _DAY_FORMATS for time in _TIMES)
_OF_HOURS: Final = (*_FORMATS, "%H:%M", *_CLOCKS, "%I:%M %p")
"""Where the hour alone is wanted, a time of day without its date will do."""


@dataclass(frozen=True)
class DateColumn:
    """A column of dates that its owner has named as such.

    Parameters
    ----------
    name : str
    parts : tuple of str
        What is taken from it, of `PARTS`.
    format : str, optional
        How text spells it, as in ``strptime``; found out if not given.
    """

    name: str
    parts: tuple[str, ...] = _DEFAULT
    format: str | None = None

    @classmethod
    def read(cls, text: str, form: str | None = None) -> DateColumn:
        """Return the column that an option names: ``when`` or ``when=year,month``.

        >>> DateColumn.read("when=year,days").parts
        ('year', 'days')
        """
        name, equals, listed = text.rpartition("=")
        if not equals:
            return cls(text, format=form)
        parts = tuple(part.strip() for part in listed.split(","))
        wrong = [part for part in parts if part not in PARTS]
        if wrong:
            raise DataError(
                f"--date {text}: {wrong[0]!r} is not a part of a date. Parts: {', '.join(PARTS)}."
            )
        return cls(name, parts, form)

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that it becomes."""
        return tuple(f"{self.name} ({part})" for part in self.parts)

    def columns(self, moments: NDArray[np.datetime64]) -> Iterator[Column]:
        """Yield the parts of dates as columns."""
        missing = np.isnat(moments)
        for part, name in zip(self.parts, self.names, strict=True):
            days = moments.astype("datetime64[D]")
            if part in ("month", "weekday"):
                words = tuple(map(str, range(1, 13))) if part == "month" else _WEEKDAYS
                # 1970-01-01 was a Thursday.
                number = (
                    moments.astype("datetime64[M]").astype(np.int64) % 12
                    if part == "month"
                    else (days.astype(np.int64) + 3) % 7
                )
                yield TextColumn(name, np.where(missing, -1, number), words)
                continue
            if part == "year":
                values = moments.astype("datetime64[Y]").astype(np.float64) + 1970
            elif part == "hour":
                values = (moments - days) / np.timedelta64(1, "h")
            else:
                values = days.astype(np.float64)
            yield NumberColumn(name, np.where(missing, np.nan, values), missing)


def moments_of(
    date: DateColumn,
    data: ArrowColumn,
    source: str,
    missing: tuple[str, ...],
    first: int = 1,
) -> tuple[NDArray[np.datetime64], str | None]:
    """Return the dates of an Arrow column, NaT where missing, and the format that text has.

    Raises
    ------
    DataError
        Naming the row that holds no date, or the formats among which text does not decide.
    """
    if pa.types.is_dictionary(data.type) and is_temporal(data):
        data = data.cast(data.type.value_type)
    other = without_date(date.name, data)
    if other is not None and not (pa.types.is_time(data.type) and date.parts == _HOUR):
        raise DataError(f"{source}: {other}")
    if pa.types.is_time(data.type):
        data = data.cast(pa.time32("s"), safe=False)
    elif is_temporal(data):
        plain = data.cast(pa.timestamp("s"), safe=False)
        return np.asarray(plain.to_numpy(zero_copy_only=False)).astype("datetime64[s]"), None
    text = text_column(date.name, data, source, missing)
    counts = text.counts()
    words = [word for word, count in zip(text.words, counts, strict=True) if count]
    form = date.format or _format(date, words, source)
    found = np.full(len(text.words) + 1, np.datetime64("NaT", "s"), dtype="datetime64[s]")
    for place, word in enumerate(text.words):
        try:
            found[place] = np.datetime64(_moment(word, form), "s")
        except ValueError:
            rows = np.flatnonzero(text.codes == place)
            if len(rows):
                raise DataError(
                    f"{source}: column {date.name!r}, row {first + int(rows[0])}: {word!r} is not "
                    f"a date of the form {form}. Correct the cell, leave it empty if the date is "
                    "missing, or, in a fit, set the form with --date-format."
                ) from None
    return found[text.codes], form


def _format(date: DateColumn, words: list[str], source: str) -> str:
    """Return the only format that all dates have."""
    name, forms = date.name, _OF_HOURS if date.parts == _HOUR else _FORMATS
    fits = [form for form in forms if all(_has_format(word, form) for word in words[:2000])]
    if not words:
        return forms[0]
    if not fits:
        counted = {form: sum(_has_format(word, form) for word in words[:2000]) for form in forms}
        best = max(counted, key=lambda form: counted[form])
        if counted[best] > len(words[:2000]) / 2:
            return best  # the cell that has it not is named by its row
        raise DataError(
            f"{source}: column {name!r} holds {words[0]!r}, which is not a date of a known form. "
            "Set the form: --date-format %d.%m.%Y."
        )
    if len({_reading(words, form) for form in fits}) > 1:
        listed = " or ".join(fits[:3])
        raise DataError(
            f"{source}: the dates of column {name!r} can be read as {listed} ({words[0]!r}). Say "
            f"which: --date-format {fits[0]}."
        )
    return fits[0]


def date_format(words: list[str]) -> str | None:
    """Return a format of dates that all strings have; None if there is none."""
    some = words[:2000]
    if not some or not all(any(letter.isdigit() for letter in word) for word in some[:3]):
        return None
    return next((f for f in _FORMATS if all(_has_format(word, f) for word in some)), None)


def _reading(words: list[str], form: str) -> tuple[datetime, ...]:
    return tuple(_moment(word, form) for word in words[:2000])


def _moment(word: str, form: str) -> datetime:
    """Return what a string spells; with an offset from UTC, in UTC, as dates with types are."""
    moment = datetime.strptime(word.strip(), form)
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)


def _has_format(word: str, form: str) -> bool:
    try:
        datetime.strptime(word.strip(), form)
    except ValueError:
        return False
    return True


def expanded(names: list[str], dates: Mapping[str, DateColumn]) -> list[str]:
    """Return column names with each date replaced by the columns that it becomes."""
    return [part for name in names for part in (dates[name].names if name in dates else (name,))]
