"""Statistics of a fit as a whole: likelihood, deviances, information criteria, pseudo R2.

Shares of successes are rows of trials, as R's `glm` of ``cbind(successes, failures)`` takes them:
the likelihood is binomial, the deviance is from the observed shares, and a row counts once. Only
pseudo R2 are of the single trials, whose likelihood has no binomial coefficients.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import entr

from chainrule.engine.arrays import FloatArray
from chainrule.engine.inference.calibration import squared_errors
from chainrule.engine.inference.diagnostics import pseudo_r2
from chainrule.engine.inference.fitted import FittedModel
from chainrule.engine.inference.likelihoods import ScoreLikelihood
from chainrule.engine.losses.null_model import null_score


@dataclass(frozen=True)
class FitStatistics:
    """Summary statistics of a fit (a glance in R's broom), and pseudo R2.

    Attributes
    ----------
    log_likelihood, null_log_likelihood : float
        NaN where the likelihood has no closed form.
    aic, bic : float
        An estimated dispersion counts as a parameter, as in R.
    deviance, null_deviance : float
    df_residual, df_null : float
    nobs : float
        The sum of the weights: a weight of k is k rows. Of shares of trials, the number of rows.
    trials : float
        The sum of the weights.
    dispersion : float
        1 where it is known.
    pseudo_r2 : dict of str to float
        McFadden's, adjusted; of Cox and Snell, Nagelkerke; for two classes of Tjur, Efron, and
        McKelvey and Zavoina.
    """

    log_likelihood: float
    null_log_likelihood: float
    aic: float
    bic: float
    deviance: float
    null_deviance: float
    df_residual: float
    df_null: float
    nobs: float
    trials: float
    dispersion: float
    pseudo_r2: dict[str, float]

    def as_dict(self) -> dict[str, float]:
        """Return broom's names: ``null.deviance, df.null, logLik, AIC, BIC, ...``."""
        return {
            "null.deviance": self.null_deviance,
            "df.null": self.df_null,
            "logLik": self.log_likelihood,
            "AIC": self.aic,
            "BIC": self.bic,
            "deviance": self.deviance,
            "df.residual": self.df_residual,
            "nobs": self.nobs,
        } | {f"r2.{name}": value for name, value in self.pseudo_r2.items()}

    def __getitem__(self, name: str) -> float:
        return self.as_dict()[name]


def fit_statistics(model: FittedModel) -> FitStatistics:
    """Return the statistics of a fit as a whole; one read of the rows more than the errors."""
    n, p = model.moments.weight, model.n_parameters
    scores, y, weight = _rows(model)
    null = _null_scores(model, y, weight)
    deviance, null_deviance = (_deviance(model, z, y, weight) for z in (scores, null))
    dispersion = 1.0
    if model.family is not None and model.family.has_dispersion:
        dispersion = deviance / n  # as R evaluates the likelihood
    value, worst = (_log_likelihood(model, z, y, weight, dispersion) for z in (scores, null))
    if dispersion != 1.0:
        worst = _log_likelihood(model, null, y, weight, null_deviance / n)
    count = p + (model.family is not None and model.family.has_dispersion)
    grouped = model.has_shares
    single, single_worst = value, worst
    if grouped:
        single, single_worst = (-_loss(model, z, y, weight) for z in (scores, null))
    is_known = np.isfinite(single) and single_worst != 0
    found = pseudo_r2(single, single_worst, n, p) if is_known else {}
    nobs = float(model.moments.n_rows) if grouped else n
    if model.family is not None and model.family.name == "binomial":
        found |= _of_two_classes(model, scores[:, 0], y, weight)
    first = int(model.design.fit_intercept) * model.likelihood.n_outputs
    return FitStatistics(
        value,
        worst,
        2 * count - 2 * value,
        count * float(np.log(nobs)) - 2 * value,
        deviance,
        null_deviance,
        nobs - p,
        nobs - first,
        nobs,
        n,
        model.dispersion,
        found,
    )


def in_the_limit(model: FittedModel, infimum: float, n_parameters: int) -> FitStatistics:
    """Return the statistics of the limit of maximum likelihood, where the data are separated.

    Parameters
    ----------
    model : FittedModel
        All rows, at any point.
    infimum : float
        What the loss tends to.
    n_parameters : int
        Of the design, coefficients that run off included.
    """
    here = fit_statistics(model)
    gain = model.moments.loss - infimum
    value = here.log_likelihood + gain
    found = pseudo_r2(value, here.null_log_likelihood, here.nobs, n_parameters)
    if model.has_shares:
        _, y, weight = _rows(model)
        worst = -_loss(model, _null_scores(model, y, weight), y, weight)
        found = pseudo_r2(-infimum, worst, here.trials, n_parameters)
    return replace(
        here,
        log_likelihood=value,
        aic=2 * n_parameters - 2 * value,
        bic=n_parameters * float(np.log(here.nobs)) - 2 * value,
        deviance=here.deviance - 2 * gain,
        df_residual=here.nobs - n_parameters,
        pseudo_r2=found if np.isfinite(value) else {},
    )


def _rows(model: FittedModel) -> tuple[FloatArray, FloatArray, FloatArray]:
    parts = [
        (model.estimate.scores(piece), piece.y, piece.weight) for piece in model.estimate.pieces()
    ]
    scores, y, weight = (np.concatenate(part) for part in zip(*parts, strict=True))
    return scores, y, weight


def _null_scores(model: FittedModel, y: FloatArray, weight: FloatArray) -> FloatArray:
    """Return the scores of the model with nothing but an intercept, and offsets."""
    n_outputs = model.likelihood.n_outputs
    offset = model.design.source.offset
    if not model.design.fit_intercept:
        return np.zeros((len(y), n_outputs)) if offset is None else offset
    if isinstance(model.likelihood, ScoreLikelihood):
        shift = None if offset is None else offset[:, 0]
        return null_score(model.likelihood.row, y, weight, shift)[:, None]
    share = weight @ y / weight.sum()
    base = getattr(model.likelihood, "base", 0)
    with np.errstate(divide="ignore"):
        level = np.log(np.delete(share, base) / share[base])
    return np.tile(level, (len(y), 1))


def _deviance(model: FittedModel, scores: FloatArray, y: FloatArray, weight: FloatArray) -> float:
    """Return twice the weighted excess of the losses over their least values."""
    loss = model.likelihood.terms(scores, y).loss
    if model.family is not None and model.family.name == "binomial":
        loss = loss - entr(y) - entr(1 - y)  # at the share itself, whatever the link
    elif isinstance(model.likelihood, ScoreLikelihood):
        least = model.likelihood.row.kernels.least
        if not model.likelihood.row.facts.has_least or least is None:
            return float("nan")
        loss = loss - np.asarray(least(y))
    return 2 * float(weight @ loss)


def _loss(model: FittedModel, scores: FloatArray, y: FloatArray, weight: FloatArray) -> float:
    return float(weight @ model.likelihood.terms(scores, y).loss)


def _log_likelihood(
    model: FittedModel, scores: FloatArray, y: FloatArray, weight: FloatArray, dispersion: float
) -> float:
    loss = model.likelihood.terms(scores, y).loss
    if not isinstance(model.likelihood, ScoreLikelihood):
        return -float(weight @ loss)
    if model.family is None:
        return float("nan")
    return model.family.log_likelihood(loss, y, weight, dispersion)


def _of_two_classes(
    model: FittedModel, z: FloatArray, y: FloatArray, weight: FloatArray
) -> dict[str, float]:
    """Return pseudo R2 that need labels and probabilities."""
    family = model.family
    assert family is not None
    proba, n = family.mean(z), float(weight.sum())
    ones, share = float(weight @ y), float(weight @ y) / n
    tjur = float(weight @ (y * proba)) / ones - float(weight @ ((1 - y) * proba)) / (n - ones)
    efron = 1 - squared_errors(y, proba, weight) / squared_errors(y, np.full_like(y, share), weight)
    spread = float(weight @ (z - weight @ z / n) ** 2) / n
    noise = {"logit": np.pi**2 / 3, "probit": 1.0, "cloglog": np.pi**2 / 6}
    found = {"tjur": tjur, "efron": efron}
    link = model.likelihood.row.link_name if isinstance(model.likelihood, ScoreLikelihood) else ""
    if link in noise:
        found["mckelvey.zavoina"] = spread / (spread + noise[link])
    return found
