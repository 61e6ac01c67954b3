"""Display in notebooks: certificates, grades and fits, and what a grade keeps to itself."""

from __future__ import annotations

import re
import subprocess
import sys

import numpy as np
import pytest
from tests.documents.test_page import Page

import chainrule
from chainrule.data import BREAST_CANCER
from chainrule.documents.audits import audit_document
from chainrule.documents.renderers import terminal
from chainrule.tables.fitting import FitOptions, fit_file
from chainrule.teaching.exercises.loading import exercises
from chainrule.teaching.grading.audit import audit
from chainrule.teaching.grading.grader import Grader

ANSWERS = ("(A - Y) X^T / m", "(Y - A) X^T", "X (A - Y)^T", "A X^T", "(A - Y) +", "(A - Y) X^T")
UNMET = ("(A - Y) X", "X (A - Y)", "X^T (A - Y)", "np.dot(A - Y, X)")


@pytest.mark.parametrize("answer", [*ANSWERS, *UNMET])
def test_a_grade_shows_its_feedback_and_not_the_answer(answer: str) -> None:
    found = chainrule.grade("logistic-batch", answer, wrt="w")
    html = found._repr_html_()
    assert Page(html).faults == []
    for text in (repr(found), html):
        assert "short_form" not in text
        if not found.correct and found.short_form:
            assert found.short_form not in text.replace(found.understood, "")
    assert (found.understood in html) or found.verdict == "unreadable"


def test_no_grade_of_the_bank_tells_the_right_answer() -> None:
    told = []
    for exercise in [e for e in exercises() if e.level in "ABC"][::4]:
        name = exercise.variables[0]
        found = Grader(exercise.model).grade(name, "0")
        if found.verdict == "wrong" and len(found.short_form) > 3:
            shown = repr(found) + found._repr_html_()
            told += [exercise.id] if found.short_form in shown else []
    assert told == []


def test_a_certificate_shows_its_sentence_and_its_numbers() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 2))
    y = (X[:, 0] + rng.normal(size=60) > 0).astype(int)
    model = chainrule.LogisticRegression().fit(X, y)
    html = model.certificate_._repr_html_()
    page = Page(html)
    assert page.faults == []
    assert str(model.certificate_).replace("<=", "≤") in page.text["b"]
    rows = dict(re.findall(r'<th scope="row">([^<]*)</th><td[^>]*>([^<]*)</td>', html))
    assert rows["proven"] == "yes"
    assert float(rows["gradient norm"]) == pytest.approx(model.certificate_.gradient_norm, rel=1e-3)
    whole = model._repr_html_()
    assert whole.endswith(html)
    assert "sk-estimator" in whole


def test_an_estimator_that_is_not_fitted_shows_no_certificate() -> None:
    assert "Proven" not in chainrule.LogisticRegression()._repr_html_()


def test_a_fit_of_a_table_shows_its_coefficients() -> None:
    fitted = fit_file(BREAST_CANCER, FitOptions("diagnosis", holdout=0))
    html = fitted._repr_html_()
    page = Page(html)
    assert page.faults == []
    largest = max(fitted.model.coefficients(), key=lambda row: abs(row.per_deviation))
    assert largest.feature.name in page.text["th"]
    assert f"{abs(largest.per_deviation):.4g}" in page.text["td"]
    assert fitted.model.certificate.sentence.replace("<=", "≤") in page.text["p"]


def test_a_formula_is_displayed_without_numerical_libraries() -> None:
    code = (
        "import sys, chainrule\n"
        "chainrule.load_model('logistic_batch')._repr_html_()\n"
        "print([n for n in ('sklearn', 'scipy', 'pyarrow', 'numba') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


TRANSCRIPT = """x, w, b, y : (1, 1)
z = w x + b
a = sigmoid(z)
L = -(y log a + (1 - y) log(1 - a))
dL/da = -y/a + (1-y)/(1-a)
dL/dw = (y - a) x
"""


def test_an_audit_shows_a_verdict_per_line() -> None:
    found = audit(TRANSCRIPT)
    html = found._repr_html_()
    assert Page(html).faults == []
    rows = re.findall(r'<th scope="row" class="num">(\d+)</th><td>(\w+)</td>', html)
    assert rows == [("5", "proven"), ("6", "wrong")]
    assert "2 lines judged: 1 proven, 1 wrong" in html
    text = terminal.render(audit_document(found))
    assert "right: (a - y) x" in text
    assert audit_document(found).lead in text
