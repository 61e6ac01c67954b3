"""`inference` of a classifier: its rows as the engine takes them, and what is asked of them."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from chainrule.errors import DataError
from chainrule.estimators.base import LinearEstimator, Matrix
from chainrule.estimators.inputs import (
    are_implied,
    as_offset,
    as_proportions,
    as_weights,
    codes_of,
    positive,
)
from chainrule.estimators.labels import Labels, class_labels

if TYPE_CHECKING:
    from chainrule.engine.inference.results import Inference

FIRTH: Final = ("jeffreys", "jeffreys-flic", "jeffreys-flac")
"""Firth's penalty, and it with a corrected intercept."""


class ClassInference(LinearEstimator):
    """The entry point of inference for classifiers; subclasses fit."""

    penalty: str | None
    class_weight: Any
    classes_: Labels

    @abstractmethod
    def _check_parameters(self) -> float:
        """Refuse senseless parameters in words; return C."""

    def inference(
        self,
        X: Matrix,
        y: Matrix,
        sample_weight: Matrix | None = None,
        offset: Matrix | None = None,
        *,
        cov: str = "model",
        clusters: Matrix | None = None,
        level: float = 0.95,
        penalised: Literal["bayes", "sandwich"] | None = None,
        base: Any = None,  # noqa: ANN401
        proportions: bool = False,
    ) -> Inference:
        """Return errors, intervals and tests of the coefficients.

        Nothing is fitted again. The fit must not be penalised (``C=np.inf``), unless
        `penalised` says how errors are meant.

        Parameters
        ----------
        X, y, sample_weight, offset
            What the estimator was fitted to. A weight of k is k repetitions of the row.
        cov : {'model', 'HC0', 'HC1', 'HC2', 'HC3', 'CR0', 'CR1', 'CR1S', 'CR2', 'CR3'}
            The covariance: of the model, robust, or robust by clusters, named as in R's sandwich
            and clubSandwich.
        clusters : array-like of shape (n_samples,), optional
            The cluster of each row, for 'CR0' to 'CR3'.
        level : float, default=0.95
            Of confidence intervals.
        penalised : {None, 'bayes', 'sandwich'}, default=None
            How errors of a penalised fit are meant: of the posterior whose prior is the penalty, or
            the spread of the estimate around its own, biased, centre.
        base : label, optional
            The class that others are compared with, of more than two; the first by default.
        proportions : bool, default=False
            Whether y holds proportions, as in `fit_proportions`. A table of shares, and numbers
            that are not whole, are taken as proportions without being asked.

        Returns
        -------
        Inference
            Print it for the table; `table` is a data frame with the columns of R's broom. Also
            `glance`, `ratios`, `profile`, `lr`, `score`, `wald`, `ame`, `vif`, `influence`,
            `calibration` and `proven`.

        Raises
        ------
        DataError
            When the fit is penalised and `penalised` is not given, when coefficients were chosen by
            an L1 penalty or bounded, when separation leaves no row undecided, or when the data are
            not those of the fit in shape or range.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import LogisticRegression
        >>> X = np.arange(8.0)[:, None]
        >>> y = [0, 0, 1, 0, 1, 0, 1, 1]
        >>> model = LogisticRegression(C=np.inf).fit(X, y)
        >>> inference = model.inference(X, y)
        >>> inference.std_errors.round(3)
        array([1.733, 0.432])
        """
        from chainrule.estimators.fit_facts import FitFacts
        from chainrule.estimators.inference import infer

        check_is_fitted(self)
        if self.class_weight is not None:
            raise DataError(
                "class_weight changes what is estimated, so textbook errors do not apply: fit "
                "without it"
            )
        C = self._check_parameters()
        self._refuse_inference()
        given, X = X, self._matrix(X, reset=False)
        if proportions or _are_shares(y, self.classes_):
            values = as_proportions(y, X.shape[0])
        else:
            labels, _ = class_labels(y)
            check_consistent_length(X, labels)
            strange = np.flatnonzero(~np.isin(labels, self.classes_))
            if len(strange):
                raise DataError(
                    f"row {strange[0]} has the label {labels[strange[0]]!r}, which the fit did not "
                    "see; pass the rows of the fit"
                )
            values = codes_of(labels, self.classes_)
        weights = as_weights(sample_weight, len(values))
        rows = positive(weights)
        shift = as_offset(offset, len(values), 1 if len(self.classes_) == 2 else len(self.classes_))
        return infer(
            FitFacts.of(self, given, rows),
            X if rows is None else X[rows],
            values if rows is None else values[rows],
            None if are_implied(weights) else weights if rows is None else weights[rows],
            shift if rows is None or shift is None else shift[rows],
            point=self._fitted_point(),
            row=None,
            C=C,
            classes=self.classes_,
            cov=cov,
            clusters=clusters if rows is None or clusters is None else np.asarray(clusters)[rows],
            level=level,
            penalised=penalised,
            base=base,
            prior=self.penalty if self.penalty in FIRTH else "",
        )


def _are_shares(y: Matrix, classes: Labels) -> bool:
    """Tell whether targets are shares: a table, or numbers between the labels 0, 1, ..."""
    if y is None or not np.array_equal(classes, np.arange(len(classes))):
        return False
    values = np.asarray(y)
    if values.dtype.kind not in "biuf":
        return False
    is_table = values.ndim == 2 and values.shape[1] > 1
    return is_table or bool((values != np.round(values)).any() and np.isfinite(values).all())
