"""``columns.toml``: the roles of the columns of a wide table, written, edited and read again."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from chainrule.errors import DataError
from chainrule.storage import read_small_text
from chainrule.tables.dates import DateColumn
from chainrule.tables.files.errors import unreadable
from chainrule.tables.options import FitOptions
from chainrule.tables.survey import Survey

_SINGLE: Final = ("target", "weights", "offset", "exposure", "trials", "group", "time")
_SEVERAL: Final = ("number", "category", "date", "ignore")
_HEAD: Final = """# Roles of columns, for: chainrule fit DATA --target COLUMN --columns THIS_FILE
# role is one of: {roles}.
# A date may name its parts and form: parts = ["year", "month"], format = "%d.%m.%Y".
# The other entries are findings, and change nothing.
"""


def columns_text(survey: Survey) -> str:
    """Return the findings of a survey as TOML, one table per column."""
    lines = [_HEAD.format(roles=", ".join((*_SEVERAL, *_SINGLE)))]
    for finding in survey.columns:
        lines.append(f"[{json.dumps(finding.name, ensure_ascii=False)}]")
        lines.append(f"role = {_toml(finding.role)}")
        lines.append(f"why = {_toml(finding.why)}")
        lines.append(f"levels = {finding.levels}")
        lines.append(f"missing = {finding.missing}")
        lines.append(f"examples = {_toml(list(finding.examples))}")
        if finding.warnings:
            lines.append(f"warnings = {_toml(list(finding.warnings))}")
        lines.append("")
    return "\n".join(lines)


def with_columns_file(choices: FitOptions, path: str | Path) -> FitOptions:
    """Return the options of a fit with the roles that a file gives; options given before win.

    Raises
    ------
    DataError
        Naming the file, the column, and what a role can be.
    """
    found = _read(path)
    named = {
        *choices.categories,
        *choices.numbers,
        *choices.ignore,
        *(date.name for date in choices.dates),
        *choices.roles.values(),
    }
    several: dict[str, list[str]] = {role: [] for role in _SEVERAL}
    single: dict[str, str] = {}
    dates = list(choices.dates)
    for name, entry in found.items():
        if name in named:
            continue
        role = entry.get("role")
        if role in single:
            raise DataError(
                f"{path}: {single[role]!r} and {name!r} both have the role {role!r}. Give it to "
                "one of them."
            )
        if role == "date":
            dates.append(_date(path, name, entry))
        elif role in several:
            several[role].append(name)
        elif role in _SINGLE:
            single[str(role)] = name
        else:
            known = ", ".join((*_SEVERAL, *_SINGLE))
            raise DataError(f"{path}: column {name!r} has the role {role!r}, none of {known}.")
    target = single.pop("target", choices.target)
    if choices.target and target != choices.target:
        raise DataError(
            f"{path}: the target is {target!r} there and {choices.target!r} by --target. Choose "
            "one."
        )
    return replace(
        choices,
        target=target,
        categories=(*choices.categories, *several["category"]),
        numbers=(*choices.numbers, *several["number"]),
        ignore=(*choices.ignore, *several["ignore"]),
        dates=tuple(dates),
        weights=choices.weights or single.get("weights"),
        offset=choices.offset or single.get("offset"),
        exposure=choices.exposure or single.get("exposure"),
        trials=choices.trials or single.get("trials"),
        group=choices.group or single.get("group"),
        time=choices.time or single.get("time"),
    )


def _read(path: str | Path) -> Mapping[str, Mapping[str, Any]]:
    try:
        document = tomllib.loads(read_small_text(path))
    except UnicodeDecodeError:
        raise DataError(f"{path}: this is not a text file.") from None
    except OSError as error:
        raise unreadable(Path(path), error) from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DataError(
            f"{path}: this is not TOML ({error}). Write it again: chainrule columns DATA --out "
            f"{path}"
        ) from None
    for name, entry in document.items():
        if not isinstance(entry, dict):
            raise DataError(
                f'{path}: {name!r} is not a column; a column is ["{name}"] with a role.'
            )
    return document


def _date(path: str | Path, name: str, entry: Mapping[str, Any]) -> DateColumn:
    parts, form = entry.get("parts"), entry.get("format")
    if parts is not None and not (
        isinstance(parts, list) and parts and all(isinstance(part, str) for part in parts)
    ):
        raise DataError(f"{path}: the parts of the date {name!r} are a list of strings.")
    if form is not None and not isinstance(form, str):
        raise DataError(f"{path}: the format of the date {name!r} is a string.")
    text = name if parts is None else f"{name}={','.join(parts)}"
    return DateColumn.read(text, form) if parts is not None else DateColumn(name, format=form)


def _toml(value: str | list[str]) -> str:
    """Return a string or a list of strings as TOML, which shares JSON's escapes."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
