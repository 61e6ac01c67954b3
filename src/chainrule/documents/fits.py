"""Certificates and fits as blocks, for notebooks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import TYPE_CHECKING

from chainrule.documents.blocks import Block, Heading, Prose, Role, Style, Styled, Table, prose
from chainrule.documents.page import signif

if TYPE_CHECKING:
    from chainrule.engine.certificates.certificate import Certificate
    from chainrule.tables.fitting import FittedTable
    from chainrule.tables.fitting_regression import FittedRegression

MOST_ROWS = 20
"""The number of coefficients that a notebook shows, the largest first."""


def certificate_blocks(certificate: Certificate) -> Iterator[Block]:
    """Yield a certificate: its sentence, and its numbers."""
    yield Prose((Styled(_signs(str(certificate)), Style.STRONG),))
    yield fact_table(
        {f.name: getattr(certificate, f.name) for f in fields(certificate) if f.name != "because"}
    )


def fact_table(facts: Mapping[str, object]) -> Table:
    """Return the facts of a certificate as a table, without those that say nothing."""
    told = [(name, _fact(value)) for name, value in facts.items()]
    rows = tuple((name.replace("_", " "), value) for name, value in told if value)
    return Table("The certificate", (), rows)


def fit_blocks(fitted: FittedTable | FittedRegression) -> Iterator[Block]:
    """Yield a fit of a table: what was fitted, the coefficients, the certificate, the notes."""
    model = fitted.model
    yield prose(
        f"{model.target} from {len(model.specs)} columns, fitted to {model.training.rows} rows"
    )
    rows = sorted(model.coefficients(), key=lambda row: -abs(row.per_deviation))
    labels = len({row.label for row in rows}) > 1
    cells = [
        (
            f"{row.feature.name} ({row.label})" if labels else row.feature.name,
            signif(row.per_deviation),
            signif(row.own_scale),
        )
        for row in rows[:MOST_ROWS]
    ]
    more = f", the {MOST_ROWS} largest of {len(rows)}" if len(rows) > MOST_ROWS else ""
    head = ("column", "per standard deviation", "per unit")
    yield Table(f"Coefficients{more}", head, tuple(cells), frozenset({1, 2}))
    yield Heading("The certificate")
    yield prose(_signs(model.certificate.sentence))
    for note in fitted.notes:
        yield prose(note, Role.NOTE)


def _fact(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    if isinstance(value, float):
        return "not known" if math.isinf(value) else signif(float(value))
    return str(value)


def _signs(text: str) -> str:
    return text.replace("<=", "≤").replace(">=", "≥")


__all__ = ["certificate_blocks", "fact_table", "fit_blocks"]
