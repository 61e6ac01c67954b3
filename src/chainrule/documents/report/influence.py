"""The rows that a fit depends on most: leverage, residuals, Cook's distances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from chainrule.documents import plots
from chainrule.documents.blocks import Block, Figure, Section, Table, prose
from chainrule.documents.page import signif
from chainrule.documents.report.figures import data_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from chainrule.engine.inference.results import Inference

_MOST_DRAWN: Final = 1500
_MOST_SHOWN: Final = 10


def influence_section(inference: Inference, rows: NDArray[np.intp]) -> Section:
    """Return the rows of the largest influence.

    Parameters
    ----------
    inference : Inference
        Of one score.
    rows : ndarray of int
        The number of each of its rows in the table, from 1.
    """
    found = inference.influence()
    cook = np.nan_to_num(found.cooks_distance, nan=0.0, posinf=np.inf)
    order = np.argsort(-cook, kind="stable")
    drawn = order
    if len(order) > _MOST_DRAWN:
        # The most influential rows, and every k-th of the others in the order of influence.
        rest = order[_MOST_DRAWN // 3 :]
        drawn = np.concatenate(
            [order[: _MOST_DRAWN // 3], rest[:: -(-3 * len(rest) // (2 * _MOST_DRAWN))]]
        )
    leverage, residual = found.leverage, found.standardised_residual
    svg = plots.influence(
        "influence-plot", leverage[drawn], residual[drawn], cook[drawn], rows[drawn].tolist()
    )
    of_all = f" {len(drawn)} of {len(cook)} rows are drawn." if len(drawn) < len(cook) else ""
    data = data_of(
        "influence.csv",
        ["row", "leverage", "standardised_residual", "cooks_distance"],
        zip(
            rows[drawn].tolist(),
            leverage[drawn].tolist(),
            residual[drawn].tolist(),
            cook[drawn].tolist(),
            strict=True,
        ),
    )
    cells = tuple(
        (str(rows[k]), signif(leverage[k], 3), signif(residual[k], 3), signif(cook[k], 3))
        for k in order[:_MOST_SHOWN]
    )
    head = ("row", "leverage", "residual", "Cook's distance")
    blocks: tuple[Block, ...] = (
        prose(
            "A row far from the others (leverage) whose target is far from its prediction "
            "(residual) moves the coefficients; Cook's distance measures by how much. Look at such "
            "rows: they may hold a mistake, or what matters most."
        ),
        Figure(svg, f"Rows by leverage and residual; diamonds are the five largest.{of_all}", data),
        Table(
            "The rows of the largest Cook's distance; residuals are standardised",
            head,
            cells,
            frozenset({1, 2, 3}),
        ),
    )
    return Section("influence", "The rows that matter most", blocks)
