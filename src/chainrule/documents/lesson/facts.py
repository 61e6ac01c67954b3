"""The facts of a loss after its derivation, as a section and as JSON values."""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.documents.blocks import Finding, Findings, Section
from chainrule.tables.loss_facts import FactLine

LEAD = (
    "The facts hold for every score and every target. A certificate uses only those that are "
    "proven."
)


def facts_findings(lines: Sequence[FactLine]) -> Findings:
    """Return the facts as blocks."""
    return Findings(
        LEAD,
        tuple(
            Finding(line.name, _signs(line.says), _signs(line.because), line.proven)
            for line in lines
        ),
    )


def facts_section(lines: Sequence[FactLine]) -> Section:
    """Return the facts as a section of a document."""
    return Section("facts", "Facts of this loss", (facts_findings(lines),))


def facts_data(lines: Sequence[FactLine]) -> list[dict[str, str | bool]]:
    """Return the facts as JSON values."""
    return [
        {"name": line.name, "proven": line.proven, "says": line.says, "because": line.because}
        for line in lines
    ]


def _signs(text: str) -> str:
    return text.replace("<=", "≤").replace(">=", "≥")
