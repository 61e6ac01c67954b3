"""The report of a fit and the card of a model: their sentences, their data, their media."""

from __future__ import annotations

import csv
import io
import math
import re
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from tests.documents.test_page import Page

from chainrule.documents import blocks, plots
from chainrule.documents.renderers import html, json, latex, markdown, terminal
from chainrule.documents.report.building import fit_report, model_report
from chainrule.documents.report.card import model_card
from chainrule.documents.report.steps import is_indicator, step_of
from chainrule.tables.fitting import FitOptions, FittedTable, fit_file
from chainrule.tables.fitting_regression import fit_regression_file
from chainrule.tables.formula import with_formula
from chainrule.tables.inference_options import InferenceOptions
from chainrule.tables.losses import choose_loss
from chainrule.tables.specs import Feature
from chainrule.tables.validation.options import ValidationOptions

COUNTS = {("a", "no"): 30, ("a", "yes"): 10, ("b", "no"): 8, ("b", "yes"): 16}
"""A table of two groups: the odds ratio is 6, by Woolf's formula between 1.96 and 18.4."""


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> FittedTable:
    path = tmp_path_factory.mktemp("report") / "table.csv"
    rows = [f"{group},{label}" for (group, label), n in COUNTS.items() for _ in range(n)]
    path.write_text("group,y\n" + "\n".join(rows) + "\n")
    asked = InferenceOptions(effects=True)
    return fit_file(path, FitOptions("y", C=math.inf, holdout=0, inference=asked))


@pytest.fixture(scope="module")
def page(fitted: FittedTable) -> str:
    return html.render(fit_report(fitted, "table.csv"))


def test_the_headline_says_the_effect_and_its_interval(page: str) -> None:
    error = np.sqrt(1 / 30 + 1 / 10 + 1 / 8 + 1 / 16)
    low, high = np.exp(np.log(6) - 1.959964 * error), np.exp(np.log(6) + 1.959964 * error)
    assert (
        "group = b (against a) multiplies the odds of y = yes by 6.00, 95\N{NO-BREAK SPACE}% "
        f"between {low:.2f} and {high:.1f}."
    ) in page


def test_what_an_l1_penalty_leaves_out_is_counted_and_not_drawn(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    rows = [f"{k % 7},{k % 3},{int(k % 7 + k % 2 > 3)}" for k in range(210)]
    path.write_text("a,b,y\n" + "\n".join(rows) + "\n")
    fitted = fit_file(path, FitOptions("y", C=0.05, l1_ratio=1.0, holdout=0))
    page = html.render(fit_report(fitted, "table.csv"))
    assert "Exactly 0, left out by the penalty: 1 of 2 coefficients." in page
    drawn = re.search(r'id="coefficients-plot-0-description">(.*?)<', page)
    assert drawn
    assert "a +" in drawn[1]
    assert "b +" not in drawn[1]
    assert "-C inf --inference" in page  # standard errors are for fits without a penalty


def test_the_sections_come_in_the_order_of_an_analyst(page: str) -> None:
    found = Page(page)
    assert found.faults == []
    ids = [attrs["id"] for tag, attrs in found.tags if tag == "section"]
    assert ids == [
        *("fit", "coefficients", "effects", "quality", "influence", "columns", "certificate"),
        *("path", "gradient"),
    ]
    assert "flatters the model" in page
    assert "Test of Hosmer and Lemeshow" in page
    assert page.index("The derivation, step by step") < page.index('<div class="derivation"')


def test_the_data_behind_each_figure_can_be_downloaded(page: str) -> None:
    links = [
        (attrs["download"], attrs["href"] or "")
        for tag, attrs in Page(page).tags
        if tag == "a" and "download" in attrs
    ]
    names = [name for name, _ in links]
    assert names == [
        *("coefficients-0.csv", "effects.csv", "roc.csv", "precision-recall.csv"),
        *("calibration.csv", "influence.csv", "path.csv"),
    ]
    tables = {
        name: list(csv.reader(io.StringIO(unquote(href.partition(",")[2])))) for name, href in links
    }
    head, *rows = tables["coefficients-0.csv"]
    values = dict(zip(head, rows[1], strict=True))
    assert values["term"] == "group = b"
    assert float(values["odds.ratio"]) == pytest.approx(6, rel=1e-9)
    assert float(tables["effects.csv"][1][2]) == pytest.approx(16 / 24 - 10 / 40, rel=1e-9)
    # Two groups, two distinct predictions: (0, 0), one corner, (1, 1).
    roc = [[float(cell) for cell in row] for row in tables["roc.csv"][1:]]
    corners = np.array([[0, 0], [8 / 38, 16 / 26], [1, 1]])
    np.testing.assert_allclose(np.array(roc), corners)


def test_the_card_holds_what_a_reader_of_the_model_needs(fitted: FittedTable) -> None:
    text = markdown.render(model_card(fitted.model, "table.csv"))
    for heading in ("Model", "Use", "What it says", "Quality", "The certificate", "Limits"):
        assert f"## {heading}\n" in text
    assert "| group = b | a | 6 |" in text
    assert "A level that no training row has is rejected in: group." in text
    assert "Proven: f - f\\* ≤" in text
    columns = {line.count("|") for line in text.splitlines() if line.startswith("| group = b")}
    assert columns == {7, 8}  # six and seven cells: every row of a table is whole


def test_a_saved_model_has_a_report_too(fitted: FittedTable) -> None:
    found = html.render(model_report(fitted.model))
    assert Page(found).faults == []
    assert "by 6.00" in found
    assert 'id="quality"' not in found


@pytest.mark.parametrize(
    ("feature", "coefficient", "words"),
    [
        (Feature("age (years)", "age", 50, 12), 0.02, "each year of age"),
        (Feature("age", "age", 50, 12), 0.02, "each unit of age"),
        (Feature("mass [kg]", "mass", 70, 9), 0.5, "each kg of mass"),
        (Feature("log(age)", "log(age)", 4, 1), 0.1, "each unit of log(age)"),
        (Feature("income", "income", 3e4, 12000), 1e-5, "each 10,000 units of income"),
        (Feature("dose", "dose", 0.01, 0.004), 250.0, "each 0.001 units of dose"),
        (Feature("smokes", "smokes", 0.25, math.sqrt(0.1875)), 1.0, "smokes = 1 (against 0)"),
        (Feature("race = x", "race", base="y"), 0.001, "race = x (against y)"),
        (Feature("age is missing", "age", base="present"), 0.1, "age is missing"),
    ],
)
def test_steps_are_readable(feature: Feature, coefficient: float, words: str) -> None:
    assert step_of(feature, coefficient).words == words
    assert is_indicator(feature) == (feature.name == "smokes")


@pytest.mark.parametrize(
    ("loss", "said"),
    [("poisson", "multiplies the mean of n by"), ("squared", "the mean of n by")],
)
def test_regressions_speak_of_the_mean(tmp_path: Path, loss: str, said: str) -> None:
    path = tmp_path / "counts.csv"
    rows = [f"{k % 7},{(k * k) % 5 + k % 7}" for k in range(60)]
    path.write_text("x (hours),n\n" + "\n".join(rows) + "\n")
    choices = FitOptions("n", C=math.inf, holdout=0, inference=InferenceOptions("HC3"))
    fit = fit_regression_file(path, choices, choose_loss(loss))
    text = html.render(fit_report(fit, "counts.csv"))
    assert Page(text).faults == []
    verb = "Each hour of x " + ("raises " if loss == "squared" else "") + said
    assert verb.replace("the mean", "the prediction") in text or verb in text
    assert "robust to heteroscedasticity (HC3)" in text


def test_separated_rows_have_a_sentence_and_no_effects(tmp_path: Path) -> None:
    path = tmp_path / "separated.csv"
    rows = [f"a,{k % 10},{'yes' if k % 3 else 'no'}" for k in range(30)]
    rows += [f"b,{k},yes" for k in range(10)]
    path.write_text("group,x,y\n" + "\n".join(rows) + "\n")
    fit = fit_file(path, FitOptions("y", C=math.inf, holdout=0, inference=InferenceOptions()))
    text = html.render(fit_report(fit, "separated.csv"))
    assert "the odds of y = yes rise without end" in text
    assert "+∞" in text
    assert 'id="effects"' not in text


NEW = blocks.Document(
    "Blocks",
    "",
    (
        blocks.Section(
            "all",
            "All",
            (
                blocks.Facts((blocks.Fact("rows", "12", "two < three"),)),
                blocks.Bullets(("one & two", "three")),
                blocks.Fold("More", (blocks.prose("folded"),)),
                blocks.Beside((blocks.prose("left"), blocks.prose("right"))),
            ),
        ),
    ),
)


@pytest.mark.parametrize(
    ("medium", "escaped"),
    [
        (html, "two &lt; three"),
        (latex, "two < three"),
        (markdown, "two \\< three"),
        (terminal, "two < three"),
    ],
)
def test_every_medium_writes_the_blocks(medium: object, escaped: str) -> None:
    text = medium.render(NEW)  # type: ignore[attr-defined]
    for word in (escaped, "rows", "12", "three", "More", "folded", "left", "right"):
        assert word in text


def test_json_names_the_kinds() -> None:
    found = json.render(NEW)["sections"][0]["blocks"]
    assert [block["kind"] for block in found] == ["facts", "bullets", "fold", "beside"]


def test_an_endless_interval_does_not_hide_the_others() -> None:
    estimate = np.array([1.2, 0.9, 1.1])
    low, high = np.array([1.0, 1e-300, 0.5]), np.array([1.5, 1e300, 2.0])
    svg = plots.forest("f", ["a", "b", "c"], (estimate, low, high), "x", is_ratio=True)
    ticks = [float(text) for text in re.findall(r">([0-9.]+)</text>", svg)]
    assert len(ticks) >= 3
    assert 0.01 < min(ticks) < 1 < max(ticks) < 100


def test_columns_in_products_and_splines_have_no_sentence(tmp_path: Path) -> None:
    pytest.importorskip("formulaic")
    random = np.random.default_rng(1)
    a, b, c, d = random.normal(size=(4, 150))
    y = np.where(a + a * b + c + d + random.logistic(size=150) > 0, "yes", "no")
    lines = [f"{i},{j},{k},{m},{label}" for i, j, k, m, label in zip(a, b, c, d, y, strict=True)]
    path = tmp_path / "table.csv"
    path.write_text("a,b,c,d,y\n" + "\n".join(lines) + "\n")
    options = FitOptions("", C=math.inf, holdout=0, inference=InferenceOptions())
    fit = fit_file(path, with_formula(options, "y ~ a*b + bs(c, df=4) + d"))
    text = html.render(fit_report(fit, "table.csv"))
    said = text[text.index('id="fit"') : text.index('id="coefficients"')]
    assert "Each unit of d multiplies" in said
    assert said.count("multiplies the odds") == 1


@pytest.fixture(scope="module")
def treated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(2)
    dose, age = random.uniform(0, 2, 200), random.uniform(20, 80, 200)
    sex, town = random.choice(["f", "m"], 200), random.choice(["oslo", "rome"], 200)
    score = 0.8 * dose * (sex == "m") + np.sin(age / 9) + (town == "rome") - 1
    cured = np.where(score + random.logistic(size=200) > 0, "yes", "no")
    lines = [
        f"{d},{a},{s},{t},{c}" for d, a, s, t, c in zip(dose, age, sex, town, cured, strict=True)
    ]
    path = tmp_path_factory.mktemp("treated") / "treated.csv"
    path.write_text("dose,age,sex,town,cured\n" + "\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("inference", [None, InferenceOptions()], ids=["predict", "intervals"])
def test_no_sentence_holds_fixed_what_a_product_changes(
    treated: Path, inference: InferenceOptions | None
) -> None:
    pytest.importorskip("formulaic")
    options = FitOptions("", C=math.inf, holdout=0, inference=inference)
    formula = "cured ~ dose*sex + bs(age, df=4) + town"
    document = fit_report(fit_file(treated, with_formula(options, formula)), "treated.csv")
    text = html.render(document)
    said = text[text.index('id="fit"') : text.index('id="coefficients"')]
    assert said.count("multiplies the odds") == 1
    assert "town = rome" in said
    for reason in (
        "dose (the product dose:sex), sex (the product dose:sex)",
        "age (the curve bs(age, df=4))",
    ):
        assert reason in said
    for remark in ("dose: its effect at sex = f.", "sex: its effect at dose = 0."):
        assert remark in text
    lines = markdown.render(document).splitlines()
    rows = [line for line in lines if line.startswith("| bs(age, df=4)\\[2\\]")]
    assert any("|  |" in row for row in rows)  # the ratio is blank


@pytest.mark.parametrize(
    ("terms", "said", "unsaid"),
    [
        ("bs(age, df=4) + dose", "continues the polynomials of its ends (degree 3)", "products"),
        ("poly(age, 2) + dose", "polynomial of degree 2", "ends"),
        ("log(age) + dose", "expressions and products", "straight line"),
        ("age*dose", "expressions and products", "straight line"),
        ("age + dose", "straight line", "expressions"),
    ],
)
def test_the_card_says_how_predictions_go_on(
    treated: Path, terms: str, said: str, unsaid: str
) -> None:
    pytest.importorskip("formulaic")
    options = with_formula(FitOptions("", holdout=0), f"cured ~ {terms}")
    text = markdown.render(model_card(fit_file(treated, options).model))
    limits = text[text.index("Limits") :]
    assert said in limits
    assert unsaid not in limits


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "said"), [(slice(None), True), (slice(0, 150), False)])
def test_rows_of_the_fit_in_a_test_file_are_named(treated: Path, rows: slice, said: bool) -> None:
    lines = treated.read_text().splitlines(keepends=True)
    train, test = treated.with_name("train.csv"), treated.with_name("test.csv")
    train.write_text("".join([lines[0], *lines[1:][rows]]))
    test.write_text("".join([lines[0], *lines[151:]]))
    validation = ValidationOptions(test=str(test), threshold="best")
    fit = fit_file(train, FitOptions("cured", holdout=0, validation=validation))
    assert any("50 of 50 rows of test.csv have the target" in n for n in fit.notes) == said
    text, card = (markdown.render(d) for d in (fit_report(fit, "t"), model_card(fit.model)))
    assert "never saw" not in text
    assert "of 50 rows of test.csv" in text
    assert "On 50 rows of test.csv:" in card
    assert "chosen on rows of test.csv and measured on these same rows" in card
    numbers = FitOptions("dose", holdout=0, validation=ValidationOptions(test=str(test)))
    other = fit_regression_file(train, numbers, choose_loss("squared"))
    assert any("50 of 50 rows of test.csv have the target" in n for n in other.notes) == said
    assert "never saw" not in markdown.render(fit_report(other, "t"))
