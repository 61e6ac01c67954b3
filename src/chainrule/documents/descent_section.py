"""The section of a report on gradient descent, next to the fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from chainrule.documents import plots
from chainrule.documents.page import Section, render
from chainrule.tables.metrics import Curve

if TYPE_CHECKING:
    from chainrule.descent.result import DescentResult
    from chainrule.tables.fitting import FittedTable


def descent_section(descent: DescentResult, fitted: FittedTable) -> Section:
    """Return the section that compares gradient descent with the fit.

    Parameters
    ----------
    descent : DescentResult
        Descents of the same objective on the same rows.
    fitted : FittedTable
        The fit, whose certificate bounds how far its objective is from the optimum.
    """
    optimum = fitted.model.training.objective
    steps = np.array([step for step, _ in descent.costs], dtype=float)
    costs = np.array([cost for _, cost in descent.costs])
    path = np.array([point.objective for point in fitted.path])
    curves = {
        "gradient descent": Curve(steps + 1, costs - optimum),
        "fit (Newton)": Curve(np.arange(1.0, len(path) + 1), path - optimum),
    }
    above = descent.cost - optimum
    said = (
        f"After {descent.taken} steps gradient descent is {above:.2g} above the optimum; "
        f"the fit took {len(path) - 1} iterations."
    )
    figure = Markup(
        plots.cost_curves("descent-costs", "Two ways down the same objective", curves, said)
    )
    html = render(
        "lesson/descent.html",
        descent=descent,
        optimum=optimum,
        above=above,
        relative=above / optimum,
        figure=figure,
    )
    return Section("descent", "Gradient descent, beside the fit", html)
