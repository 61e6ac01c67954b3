"""From a fit of the engine to what a table keeps of it: certificate, path of the solver, notes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.tables.records import CertificateRecord, Fact

if TYPE_CHECKING:
    from chainrule.engine.certificates.certificate import Certificate
    from chainrule.engine.results import Fit


LAST_STEP: Final = (
    "The model holds the coefficients of the last step, which predictions and exports use; "
    "inference shows the limits, +inf and -inf."
)


@dataclass(frozen=True)
class SolverIteration:
    """One iteration of the solver.

    Parameters
    ----------
    iteration : int
        Counted from 0.
    objective, gradient_norm : float
        There.
    """

    iteration: int
    objective: float
    gradient_norm: float


def certificate_record(certificate: Certificate) -> CertificateRecord:
    """Keep the sentence of the certificate and its fields, as JSON can hold them."""
    facts: dict[str, Fact] = {}
    for entry in fields(certificate):
        value = getattr(certificate, entry.name)
        if isinstance(value, tuple):
            value = ", ".join(map(str, value))
        elif isinstance(value, np.generic):
            value = value.item()
        if value != "":
            facts[entry.name] = value
    return CertificateRecord(str(certificate), facts)


def complaints(fit: Fit, obstacle: str = "what separates the classes") -> Iterator[str]:
    """Say what to do where the certificate does not prove an optimum."""
    if fit.certificate.kind == "separation":
        yield (
            "there is no finite optimum: the coefficients grow for ever. "
            f"{LAST_STEP} Penalise with a finite -C, or leave out {obstacle}."
        )
    elif not fit.met:
        yield (
            "the certificate does not prove the tolerance of the solver: see what it says is in "
            "the way."
        )


def warning_of(certificate: CertificateRecord) -> str:
    """Return the warning that predictions of a model need; '' where its optimum is finite."""
    if certificate.facts.get("kind") != "separation":
        return ""
    return f"the fit of this model has no finite optimum. {LAST_STEP}"


def solver_path(fit: Fit) -> tuple[SolverIteration, ...]:
    """Return every point the solver stood on; a record is taken before its step."""
    points = [(record.objective, record.gradient_norm) for record in fit.history]
    points.append((fit.value, fit.certificate.gradient_norm))
    return tuple(
        SolverIteration(place, float(value), float(norm))
        for place, (value, norm) in enumerate(points)
    )
