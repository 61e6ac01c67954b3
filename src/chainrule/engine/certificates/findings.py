"""Findings of a fit beyond its numbers: separation, collinearity, obstacles to a certificate.

Everything names columns as their owner does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.engine.certificates.certificate import Certificate, least_value
from chainrule.engine.certificates.rounding import measure_rounding
from chainrule.engine.column_names import quoted
from chainrule.engine.data.sources import InMemorySource
from chainrule.engine.objective.evaluation import Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.elastic_net import ElasticNet
from chainrule.engine.solvers.curvature import Curvature
from chainrule.engine.solvers.steps import Outcome

if TYPE_CHECKING:
    from chainrule.engine.certificates.collinearity import Relations
    from chainrule.engine.certificates.separation import Separation

_NEARLY_SINGULAR: Final[float] = 1e-9
_TAKES_PART: Final[float] = 0.1
_WIDE: Final[float] = 1e4
_LISTED: Final[int] = 8


def no_optimum(objective: Objective, outcome: Outcome, separation: Separation) -> Certificate:
    """Return the certificate of a fit that has no optimum, since the loss only falls."""
    rounding = measure_rounding(objective, outcome.evaluation)
    base = least_value(objective, outcome, rounding)
    source, direction = objective.source, separation.direction
    moving = np.flatnonzero((direction.coef != 0).any(axis=1))
    names = tuple(quoted(source.column_names, int(j)) for j in moving)
    what = _listed(names)
    subject = what if len(names) == 1 else f"a combination of {what or 'nothing but the intercept'}"
    if objective.loss.facts.of_classes:
        how = "entirely" if separation.complete else "with some rows on the boundary"
        because = f"{subject} separates the classes {how}"
    else:
        how = "falls" if separation.complete else "falls or stays"
        because = f"{subject} can run off: on the way the loss of every row {how}"
    if not separation.proven:
        because += " (to working precision)"
    return replace(
        base,
        kind="separation",
        proven=separation.proven,
        because=because,
        columns=names,
    )


def free_separation(
    objective: Objective, penalty: ElasticNet, outcome: Outcome
) -> Certificate | None:
    """Return the proof that there is no optimum, if coefficients that nothing limits separate.

    Parameters
    ----------
    objective : Objective
        Of the losses alone.
    penalty : ElasticNet
    outcome : Outcome
        The penalty included.
    """
    from chainrule.engine.certificates.separation import check_direction

    point = outcome.evaluation.point
    w = point.coef[:, 0]
    is_open = np.isinf(np.where(w > 0, penalty.upper, penalty.lower))
    moving = (penalty.l1 == 0) & (penalty.l2 == 0) & is_open & (w != 0)
    if not (objective.loss.facts.can_separate and moving.any()):
        return None
    direction = Point(np.where(moving, w, 0.0)[:, None], point.intercept)
    found = check_direction(objective, direction)
    return no_optimum(objective, outcome, found) if found is not None and found.proven else None


def qualified(
    certificate: Certificate, relations: Relations, source: InMemorySource
) -> Certificate:
    """Return the certificate of a fit on independent columns as one on all columns."""
    members = tuple(quoted(source.column_names, int(j)) for j in relations.members())
    if certificate.kind == "separation":
        return certificate
    listed = _listed(members)
    if relations.exact:
        note = f"{listed} are collinear, so coef is the solution of least norm"
        return replace(certificate, because=f"{certificate.because}; {note}", columns=members)
    if certificate.kind == "least value":  # no coefficients of any columns lead lower
        note = f"{listed} are collinear to working precision, so coef is one of many optima"
        return replace(certificate, because=f"{certificate.because}; {note}", columns=members)
    note = f"{listed} are collinear to working precision, and the claim holds within their span"
    return replace(
        certificate, because=f"{certificate.because}; {note}", columns=members, proven=False
    )


def obstacles(certificate: Certificate, outcome: Outcome, objective: Objective) -> tuple[str, ...]:
    """Say what is in the way of a proof, one short clause each; nothing if nothing is known."""
    found = []
    if certificate.columns:
        found.append(f"{_listed(certificate.columns)} are collinear")
    elif outcome.curvature is not None:
        nearly = _nearly_collinear(outcome.curvature, objective)
        if nearly:
            found.append(f"{_listed(nearly)} are nearly collinear")
    scales = describe_scales(objective.source)
    if scales:
        found.append(scales)
    return tuple(found)


def describe_scales(source: InMemorySource) -> str:
    """Say in words which columns differ most in scale; empty if they hardly do."""
    largest = source.column_maxima
    used = np.flatnonzero(largest > 0)
    if not len(used):
        return ""
    low, high = (int(used[find(largest[used])]) for find in (np.argmin, np.argmax))
    if largest[high] < _WIDE * largest[low]:
        return ""
    return (
        f"scale, from {largest[low]:.2g} ({quoted(source.column_names, low)}) "
        f"to {largest[high]:.2g} ({quoted(source.column_names, high)})"
    )


def _nearly_collinear(curvature: Curvature, objective: Objective) -> tuple[str, ...]:
    """Return the columns of the flattest direction, if it is flat to working precision."""
    value, vector = curvature.flattest()
    if not value < _NEARLY_SINGULAR:
        return ()
    table = np.abs(objective.unpack(vector).coef).max(axis=1, initial=0.0)
    if not table.any():
        return ()
    part = np.flatnonzero(table > _TAKES_PART * table.max())
    return tuple(quoted(objective.source.column_names, int(j)) for j in part)


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
