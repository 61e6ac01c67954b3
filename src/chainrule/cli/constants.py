"""The option --constant NAME=VALUE, of every command that takes a loss."""

from __future__ import annotations

import math

import click


def constant_values(
    context: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> dict[str, float]:
    """Return the constants by name, or raise a usage error for what is not NAME=VALUE."""
    values: dict[str, float] = {}
    for text in given:
        name, _, number = (part.strip() for part in text.partition("="))
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not name.isidentifier() or not math.isfinite(value):
            raise click.BadParameter(
                f"{text!r} is not NAME=VALUE with a finite number, such as alpha=0.5",
                context,
                option,
            )
        if name in values:
            raise click.BadParameter(f"{name} is given twice", context, option)
        values[name] = value
    return values
