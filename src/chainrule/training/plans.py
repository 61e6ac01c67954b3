"""Which method for which problem, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from chainrule.training.solvers.dual import LARGEST as ROWS_LIMIT
from chainrule.training.solvers.sampled import FRACTIONS, pays
from chainrule.training.sources import Source

Method = Literal["auto", "newton-cholesky", "newton-sampled", "newton-rows", "newton-cg"]

HESSIAN_LIMIT: Final[int] = 600
"""Parameters up to which a penalised fit forms the full Hessian by itself."""

ROWS_FROM: Final[int] = 300
"""Parameters from which one unknown a row is tried, where there are fewer rows."""

UNPENALISED_LIMIT: Final[int] = 2000
"""The same without a penalty, where the proof needs the Hessian."""

_EXPECTED: Final[dict[str, float]] = {
    "newton-cholesky": 9.0,
    "newton-sampled": 8.0,
    "newton-rows": 6.0,
    "newton-cg": 120.0,
}


@dataclass(frozen=True)
class Plan:
    """A method, the reason for it in words, and how often it is expected to read X."""

    method: str
    reason: str
    passes: float

    def __str__(self) -> str:
        return f"{self.method}: {self.reason}"


def choose_plan(method: Method, source: Source, n_parameters: int, *, penalised: bool) -> Plan:
    """Return the method for a problem, with its reason.

    Parameters
    ----------
    method : {'auto', 'newton-cholesky', 'newton-sampled', 'newton-rows', 'newton-cg'}
        What the user asked for. What a problem does not admit gives way: sampling, where rows are
        too few for it, to the full Hessian; one unknown a row, without a penalty or with more
        classes, to Hessian products.
    source : Source
    n_parameters : int
    penalised : bool
    """
    sampling_pays = pays(source, n_parameters)
    limit = HESSIAN_LIMIT if penalised else UNPENALISED_LIMIT
    if method == "newton-sampled" and not sampling_pays:
        return _plan("newton-cholesky", "there are too few rows to sample from")
    on_rows = penalised and source.n_classes == 2 and source.n_samples <= ROWS_LIMIT
    if method == "newton-rows" and not on_rows:
        return _plan("newton-cg", "one unknown a row needs a penalty, two classes and few rows")
    if method != "auto":
        return _plan(method, "asked for")
    if on_rows and source.is_dense and n_parameters > max(source.n_samples, ROWS_FROM):
        return _plan(
            "newton-rows",
            f"{source.n_samples} rows for {n_parameters} parameters: one unknown a row is enough",
        )
    if n_parameters > limit:
        return _plan("newton-cg", f"{n_parameters} parameters: the Hessian is too large to form")
    if sampling_pays:
        part = source.n_samples // FRACTIONS[-1]
        return _plan(
            "newton-sampled",
            f"{source.n_samples} rows for {n_parameters} parameters: {part} rows drawn at random "
            "know the curvature well enough, and all rows are read for gradients only",
        )
    return _plan(
        "newton-cholesky", f"{n_parameters} parameters: the Hessian is small enough to form"
    )


def _plan(method: str, reason: str) -> Plan:
    return Plan(method, reason, _EXPECTED[method])
