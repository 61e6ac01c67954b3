r"""The duality gap of an elastic net for a softmax of several classes.

The inequality of `separable_gap`, with a derivative for each column and class. The derivatives in
the intercepts vanish up to rounding: as in `certificate`, a small part of residuals that belong to
shares near the classes' own makes the residuals of every class sum to zero, at a price, and moves
no derivative farther than that part of itself and of sum_i s_i |x_ij|.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from chainrule.engine.certificates.certificate import Certificate, claim
from chainrule.engine.certificates.duality_gap import balanced_intercepts
from chainrule.engine.certificates.rounding import bound_rounding, measure_rounding
from chainrule.engine.certificates.separable_gap import fenchel_bound
from chainrule.engine.objective.evaluation import Evaluation, Point
from chainrule.engine.objective.objective import Objective
from chainrule.engine.penalties.elastic_net import ElasticNet
from chainrule.engine.solvers.steps import Outcome, Stop

_FEW_ROWS = 10_000
"""Rows up to which the price of the intercepts is summed over them."""


def certify_class_elastic_net(
    objective: Objective,
    penalty: ElasticNet,
    evaluation: Evaluation,
    *,
    enough: float = 0.0,
    stop: Stop = "converged",
) -> Certificate:
    """Prove how far a point is from the optimum of a softmax problem with an elastic net.

    Parameters
    ----------
    objective : Objective
        Of the losses alone, for several classes.
    penalty : ElasticNet
        Of all coefficients, those of a column side by side.
    evaluation : Evaluation
        Of the objective.
    enough : float
        A relative bound at which X is not read for a narrower bound of the rounding.
    stop : str
        Why the solver stopped.
    """
    w, slope = evaluation.point.coef.ravel(), evaluation.gradient.coef.ravel()
    violation = penalty.violation(w, slope).reshape(evaluation.point.coef.shape)
    whole = replace(
        evaluation,
        value=evaluation.value + penalty.value(w),
        gradient=Point(violation, evaluation.gradient.intercept),
    )
    outcome = Outcome(whole, stop)
    for look in (bound_rounding, measure_rounding):
        rounding = look(objective, evaluation)
        exactly = look is measure_rounding or objective.source.n_samples <= _FEW_ROWS
        mixed, price = balanced_intercepts(objective, evaluation, rounding, exactly=exactly)
        reach = np.repeat(rounding.reach, objective.loss.n_outputs)
        doubt = rounding.gradient.coef.ravel()
        doubt = doubt + mixed * (np.abs(slope) + doubt + reach)
        bound, why = fenchel_bound(
            objective, penalty, evaluation, rounding, (w, slope, doubt), np.ones(len(w), dtype=bool)
        )
        because = why or "a dual point, scaled until it is feasible, lies that far below"
        bound = 1.000001 * (price + bound)
        found = claim(objective, outcome, rounding, "duality gap", bound, np.inf, because)
        if found.relative_bound <= enough:
            break
    return found
