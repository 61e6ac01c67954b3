"""The path of penalties: the coefficients as the penalty weakens, and which enter when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from chainrule.documents import plots
from chainrule.documents.blocks import Figure, Fold, Section, Table, prose
from chainrule.documents.page import signif
from chainrule.documents.report.figures import data_of
from chainrule.tables.paths import path_rows

if TYPE_CHECKING:
    from chainrule.estimators.coefficient_paths import Path

_NAMED: Final = 6
_LISTED: Final = 40


def penalties_section(path: Path, C: float) -> Section:
    """Return the coefficients along a path of penalties, features standardised.

    Parameters
    ----------
    path : Path
    C : float
        The inverse strength of the fit that the report is about.
    """
    entries = path.entered()
    proven = int(path.proven.sum())
    lead = prose(
        f"{len(path)} penalties with l1_ratio = {path.l1_ratio:g}, from the least that keeps all "
        f"coefficients at 0 downwards; {proven} of the optima are proven, with a largest relative "
        f"gap of {signif(float(path.relative_gap.max()), 2)}. Coefficients are those of "
        "standardised features."
    )
    data = data_of("penalties.csv", *path_rows(path))
    curves = [(entry.full_name, path.curve(entry)) for entry in entries]
    figure = Figure(
        plots.penalties("penalties-coefficients", path.Cs, curves[:_NAMED], curves[_NAMED:], C),
        "The coefficients as the penalty weakens; the dashed line is the C of this fit.",
        data,
    )
    rows = tuple(
        (entry.full_name, signif(entry.C, 4), str(entry.step + 1), f"{entry.coef:+.4g}")
        for entry in entries[:_LISTED]
    )
    head = ("feature", "enters at C", "penalty number", "coefficient at the end")
    table = Table("Features in the order in which they enter", head, rows, frozenset({1, 2, 3}))
    return Section(
        "penalties", "Which features enter when", (lead, figure, Fold("The order", (table,)))
    )
