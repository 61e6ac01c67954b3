"""`LogisticRegressionCV` against single fits: forms of input, weights, offsets and what is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import sparse
from sklearn.utils import get_tags

from chainrule import LogisticRegressionCV

Array = npt.NDArray[Any]


def rows_of_two_classes(n_samples: int = 80, n_features: int = 3) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, n_features))
    return X, (X[:, 0] + rng.logistic(size=n_samples) > 0).astype(int)


@pytest.mark.parametrize(
    ("parameters", "takes_more"),
    [
        ({}, True),
        ({"l1_ratios": [0.0]}, True),
        ({"penalty": "l2", "l1_ratios": [0.5]}, True),
        ({"Cs": [np.inf], "l1_ratios": [0.5]}, True),
        ({"l1_ratios": [0.0, 0.5]}, False),
        ({"penalty": "l1"}, False),
        ({"penalty_factor": [1, 0, 2]}, False),
        ({"positive": True}, False),
        ({"bounds": (-1.0, 1.0)}, False),
        ({"Cs": "senseless", "l1_ratios": "senseless"}, False),
    ],
)
def test_the_tags_tell_which_penalties_take_more_than_two_classes(
    parameters: dict[str, Any], takes_more: bool
) -> None:
    tags = get_tags(LogisticRegressionCV(**parameters))
    assert tags.classifier_tags.multi_class is takes_more


@pytest.mark.parametrize("form", [np.ndarray.tolist, sparse.csr_matrix], ids=["list", "CSR"])
def test_a_form_of_rows_that_scikit_learn_checks_is_fitted_and_predicted(form: Any) -> None:
    X, y = rows_of_two_classes()
    expected = LogisticRegressionCV(Cs=[0.1, 1.0], cv=3).fit(X, y)
    found = LogisticRegressionCV(Cs=[0.1, 1.0], cv=3).fit(form(X), y)
    np.testing.assert_allclose(found.coef_, expected.coef_, rtol=1e-4)
    np.testing.assert_allclose(found.predict_proba(form(X)), expected.predict_proba(X), rtol=1e-4)
