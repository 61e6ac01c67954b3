"""Proven results: the certificate, the facts of the loss, the path of the solver."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from chainrule.documents import plots
from chainrule.documents.blocks import (
    Beside,
    Block,
    Code,
    Figure,
    Fold,
    Prose,
    Role,
    Section,
    Table,
    prose,
)
from chainrule.documents.lesson.facts import facts_findings
from chainrule.documents.page import signif
from chainrule.documents.report.figures import data_of
from chainrule.tables.loss_facts import fact_lines

if TYPE_CHECKING:
    from chainrule.tables.fit_results import SolverIteration
    from chainrule.tables.records import CertificateRecord, Fact
    from chainrule.tables.regression import TableRegression


def certificate_section(certificate: CertificateRecord) -> Section:
    """Return the certificate of a fit, with its numbers."""
    return Section("certificate", "The certificate", tuple(_certificate(certificate)))


def _certificate(certificate: CertificateRecord) -> Iterator[Block]:
    yield Prose((certificate.sentence.replace("<=", "≤"),), Role.SENTENCE)
    yield prose(
        "A solver that stops says that it stopped. A certificate says how far the answer can be "
        "from the best one, proven from the numbers of the last iteration. Here f is the objective "
        "J, f* its least value, and coef the coefficients on the standardised scale."
    )
    rows = tuple(
        (name.replace("_", " "), _fact(fact))
        for name, fact in certificate.facts.items()
        if fact is not None
    )
    if rows:
        table = Table("", ("quantity", "value"), rows, frozenset({1}))
        yield Fold("The numbers of the certificate", (table,))


def _fact(fact: Fact) -> str:
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    return signif(fact) if isinstance(fact, float) else str(fact)


def loss_section(model: TableRegression) -> Section:
    """Return the loss as it was written, and what is proven of it."""
    loss = model.loss
    blocks: list[Block] = [
        prose(
            "The loss of one example, in its score z and its target y, is read as written here. "
            "Its gradient and curvature are derived from it, and so are the functions that the "
            f"training runs. The target may be any of: {loss.row.targets}. The prediction is the "
            f"inverse of the {loss.row.link_name} link of the score."
        ),
        Code(loss.text),
    ]
    if loss.constants:
        named = ", ".join(f"{name} = {signif(value, 6)}" for name, value in loss.constants.items())
        blocks.append(prose(f"Constants: {named}."))
    blocks.append(facts_findings(fact_lines(loss.row)))
    return Section("loss", "The loss, and what is proven of it", tuple(blocks))


def path_section(path: Sequence[SolverIteration]) -> Section:
    """Return the iterations of the solver."""
    objective = np.array([step.objective for step in path])
    gradient = np.array([step.gradient_norm for step in path])
    data = data_of(
        "path.csv",
        ["iteration", "objective", "gradient_norm"],
        ((step.iteration, step.objective, step.gradient_norm) for step in path),
    )
    figures = Beside(
        (
            Figure(
                plots.objective_path("path-objective", objective),
                f"The objective falls to {signif(path[-1].objective, 8)}.",
                data,
            ),
            Figure(
                plots.gradient_path("path-gradient", gradient),
                "At the optimum the gradient is zero. A downward bend shows quadratic "
                "(superlinear) convergence.",
            ),
        )
    )
    rows = tuple(
        (str(step.iteration), signif(step.objective, 12), signif(step.gradient_norm, 3))
        for step in path
    )
    head = ("iteration", "objective J", "norm of the gradient")
    table = Table("Iterations of the solver", head, rows, frozenset({0, 1, 2}))
    return Section("path", "The path of the solver", (figures, Fold("The numbers", (table,))))
