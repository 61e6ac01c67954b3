"""The report of a regression: sound HTML, with the words and numbers of its loss."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from tests.documents.test_page import Page
from tests.tables.claims import written

from chainrule.documents import plots
from chainrule.documents.renderers import html as page
from chainrule.documents.report.building import fit_report
from chainrule.tables.fitting_regression import FittedRegression, fit_regression_file
from chainrule.tables.losses import choose_loss
from chainrule.tables.metrics import Curve
from chainrule.tables.options import FitOptions
from chainrule.tables.worked_regression import work_regression

CASES = {
    "poisson": ("poisson", {}, "n", "years"),
    "tweedie": ("tweedie", {"p": 1.25}, "cost", None),
    "own": ("sqrt(1 + (z - y)^2/d) - 1", {"d": 0.5}, "gain", None),
    "cauchy": ("cauchy", {}, "gain", None),
}


def fitted(folder: Path, case: str, **choices: float) -> FittedRegression:
    loss, constants, target, exposure = CASES[case]
    ignore = tuple({"n", "cost", "gain", "years"} - {target, exposure})
    chosen = FitOptions(target, ignore=ignore, exposure=exposure, **choices)  # type: ignore[arg-type]
    return fit_regression_file(written(folder / "c.csv"), chosen, choose_loss(loss, constants))


def html_of(fit: FittedRegression) -> str:
    return page.render(fit_report(fit, "claims.csv"))


@pytest.fixture(scope="module", params=CASES)
def found(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, FittedRegression, str]:
    fit = fitted(tmp_path_factory.mktemp("page"), request.param)
    return request.param, fit, html_of(fit)


@pytest.mark.slow
def test_every_tag_closes_and_ids_are_unique(found: tuple[str, FittedRegression, str]) -> None:
    page = Page(found[2])
    assert page.faults == []
    ids = page.values("id")
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    referred = [href[1:] for href in page.values("href") if href.startswith("#")]
    referred += [name for names in page.values("aria-labelledby") for name in names.split()]
    assert set(referred) <= set(ids)


def test_it_says_what_is_proven_and_shows_the_derivation(
    found: tuple[str, FittedRegression, str],
) -> None:
    case, fit, html = found
    assert "The loss, and what is proven of it" in html
    assert "The proofs" in html
    assert fit.model.certificate.sentence.replace("<=", "≤").replace("'", "&#39;") in html
    assert '<div class="derivation"' in html
    assert "ROC" not in html
    assert "Confusion" not in html
    assert "probability" not in html
    assert ("rate ratio" in html) == (case in ("poisson", "tweedie"))
    assert "odds" not in html
    assert ("not convex" in html) == (case == "cauchy")
    for feature in fit.model.features:
        assert f'<th scope="row">{feature.name}</th>' in html


def test_every_group_is_in_the_table(found: tuple[str, FittedRegression, str]) -> None:
    _, fit, html = found
    assert fit.metrics is not None
    quality = html[html.index('<section id="quality"') : html.index('<section id="columns"')]
    rows = re.findall(r'<td class="num">(\d+)</td></tr>', quality)
    assert fit.metrics.groups.weight is not None
    assert [int(row) for row in rows] == fit.metrics.groups.weight.tolist()


def test_without_held_out_rows_the_quality_is_that_of_the_fit(tmp_path: Path) -> None:
    html = html_of(fitted(tmp_path, "poisson", holdout=0.0))
    assert "flatters the model" in html
    assert "never saw" not in html
    assert "It explains" not in html


@pytest.mark.parametrize("case", ["tweedie", "cauchy"])
def test_the_numbers_of_the_example_are_those_of_the_fit(tmp_path: Path, case: str) -> None:
    fit = fitted(tmp_path, case)
    explained = work_regression(fit)
    first = explained.contributions[0]
    totals = {c.feature: c.total for c in explained.contributions}
    # At the optimum the derived gradient balances the penalty.
    for feature, weight in zip(fit.model.features, fit.model.coef[0], strict=True):
        assert totals[feature.name] == pytest.approx(-explained.penalty * weight, abs=1e-4)
    assert first.term == pytest.approx(explained.slope * first.x)
    terms = [found.term for found in explained.numbers.values() if found.term is not None]
    assert any(term == pytest.approx(first.term, rel=1e-9) for term in terms)


def test_numbers_are_left_out_where_the_lecture_has_no_offset(tmp_path: Path) -> None:
    assert work_regression(fitted(tmp_path, "poisson")).numbers == {}


def test_the_plot_follows_the_page() -> None:
    curve = Curve(np.array([0.2, 0.8]), np.array([0.1, 0.9]), np.array([3, 9]))
    svg = plots.predicted_observed("g", curve)
    root = ElementTree.fromstring(svg)
    assert all(e.get("id", "g-").startswith("g-") for e in root.iter())
    assert re.findall(r"#[0-9a-f]{6}\b", svg) == []
    assert "var(--accent" in svg
