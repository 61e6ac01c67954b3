"""How good the predictions are: on rows that were held out, or else on the rows of the fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from chainrule.documents import plots
from chainrule.documents.blocks import (
    Beside,
    Block,
    Data,
    Fact,
    Facts,
    Figure,
    Heading,
    Inline,
    Section,
    Style,
    Styled,
    Table,
    prose,
)
from chainrule.documents.page import signif
from chainrule.documents.report.figures import data_of
from chainrule.engine.inference.hypotheses import shown_p
from chainrule.tables.validation.measuring import HELD_OUT

if TYPE_CHECKING:
    from chainrule.engine.inference.results import Inference
    from chainrule.tables.metrics import Curve, Metrics
    from chainrule.tables.regression_metrics import RegressionMetrics

_MOST_CLASSES = 20


def classes_section(
    metrics: Metrics, rows: str, seed: int, *, inference: Inference | None
) -> Section:
    """Return the quality of predicted probabilities.

    Parameters
    ----------
    metrics : Metrics
    rows : str
        The rows that were measured on, such as ``40 held-out rows``; '' for those of the fit.
    seed : int
        The seed of the split.
    inference : Inference, optional
        For the calibration tests of a fit to these very rows.
    """
    blocks = [_measured(metrics.n_rows, rows, seed), _class_facts(metrics)]
    if len(metrics.classes) <= _MOST_CLASSES:
        blocks += [Heading("Confusion matrix"), _confusion(metrics)]
    blocks += _thresholds(metrics)
    if metrics.calibration is not None and metrics.calibration.weight is not None:
        blocks += _calibration(metrics, metrics.calibration)
        if not rows and inference is not None:
            blocks += _calibration_tests(inference)
    return Section("quality", _title(rows), tuple(blocks))


def regression_quality_section(metrics: RegressionMetrics, rows: str, seed: int) -> Section:
    """Return the quality of predicted means."""
    items = [
        Fact("mean loss", signif(metrics.mean_loss, 5), _null(metrics)),
        Fact("RMSE", signif(metrics.rmse)),
        Fact("MAE", signif(metrics.mae)),
        Fact(
            "mean predicted",
            signif(metrics.mean_predicted),
            f"{signif(metrics.mean_actual)} observed",
        ),
    ]
    explained = metrics.deviance_explained
    if explained is not None:
        value = f"{100 * explained:.1f} %"
        items.insert(0, Fact("deviance explained", value, "D²; 0 for the null model"))
    blocks: list[Block] = [
        _measured(metrics.n_rows, rows, seed),
        prose("The null model is a constant score, the best one for these rows."),
        Facts(tuple(items)),
    ]
    if explained is None:
        blocks.append(
            prose(
                "The deviance is not given: it needs a proven lower bound of the loss, and a "
                "target that varies."
            )
        )
    groups = metrics.groups
    figure = Figure(
        plots.predicted_observed("quality-groups", groups),
        "Groups of about equal size by prediction, up to ten. On the dashed line the mean observed "
        "equals the mean predicted.",
        _curve_data("predicted-observed.csv", ("predicted", "observed", "rows"), groups),
    )
    table = _groups(groups, ("predicted", "observed", "rows"), signif)
    blocks += [Heading("Predicted against observed"), Beside((figure, table))]
    return Section("quality", _title(rows), tuple(blocks))


def _title(rows: str) -> str:
    if rows.endswith(HELD_OUT):
        return "On rows it never saw"
    return f"On {rows}" if rows else "On the rows of the fit"


def _measured(n_rows: int, rows: str, seed: int) -> Block:
    if rows.endswith(HELD_OUT):
        return prose(f"Measured on {rows}, chosen by seed {seed} before anything was learnt.")
    if rows:
        return prose(f"Measured on {rows}.")
    return prose(
        f"Measured on the {n_rows} rows of the fit itself, which flatters the model: on new rows "
        "it will do worse. Hold rows out (--holdout 0.2) for an honest figure."
    )


def _class_facts(metrics: Metrics) -> Block:
    shares = f"{signif(metrics.log_loss_of_shares)} baseline: predicting the class frequencies"
    items = [
        Fact("log loss", signif(metrics.log_loss), shares),
        Fact("accuracy", f"{100 * metrics.accuracy:.1f} %"),
    ]
    if metrics.auc is not None:
        items.append(Fact("area under ROC", signif(metrics.auc), "0.5 is chance"))
    if metrics.average_precision is not None:
        items.append(Fact("average precision", signif(metrics.average_precision)))
    items.append(Fact("Brier score", signif(metrics.brier), "0 is perfect"))
    return Facts(tuple(items))


def _confusion(metrics: Metrics) -> Block:
    rows: list[tuple[Inline, ...]] = []
    for place, counts in enumerate(metrics.confusion.tolist()):
        total = sum(counts) or 1
        cells: list[Inline] = [f"{n} ({100 * n / total:.1f} %)" for n in counts]
        cells[place] = Styled(str(cells[place]), Style.STRONG)
        rows.append((metrics.classes[place], *cells))
    columns = frozenset(range(1, len(metrics.classes) + 1))
    caption = "Actual classes down, predicted classes across; right answers are bold."
    return Table(caption, ("", *metrics.classes), tuple(rows), columns)


def _thresholds(metrics: Metrics) -> Iterator[Block]:
    figures: list[Block] = []
    if metrics.roc is not None and metrics.auc is not None:
        figures.append(
            Figure(
                plots.roc("quality-roc", metrics.roc, metrics.auc),
                "ROC curve: true positive rate against false positive rate.",
                _curve_data("roc.csv", ("false_positive_rate", "true_positive_rate"), metrics.roc),
            )
        )
    if metrics.precision_recall is not None and metrics.average_precision is not None:
        share = float(metrics.confusion[1].sum() / metrics.confusion.sum())
        svg = plots.precision_recall(
            "quality-precision-recall", metrics.precision_recall, metrics.average_precision, share
        )
        figures.append(
            Figure(
                svg,
                f"Precision against recall, for the class {metrics.classes[1]}.",
                _curve_data(
                    "precision-recall.csv", ("recall", "precision"), metrics.precision_recall
                ),
            )
        )
    if figures:
        yield Heading("At every threshold")
        yield Beside(tuple(figures))


def _calibration(metrics: Metrics, curve: Curve) -> Iterator[Block]:
    head = ("predicted", "happened", "rows")
    figure = Figure(
        plots.calibration("quality-calibration", curve),
        "Calibration. Of the rows given a probability near 0.7, about 70 % should be "
        f"{metrics.classes[1]}. Larger dots hold more rows.",
        _curve_data("calibration.csv", head, curve),
    )
    yield Heading("Do the probabilities hold?")
    yield Beside((figure, _groups(curve, head, lambda value: f"{value:.3f}")))


def _calibration_tests(inference: Inference) -> Iterator[Block]:
    if inference.limit is not None:
        return
    hosmer, spiegelhalter = inference.calibration()
    warning = f" {hosmer.warning}" if hosmer.warning else ""
    yield prose(
        f"Test of Hosmer and Lemeshow: chi2({hosmer.df}) = {signif(hosmer.statistic)}, p = "
        f"{shown_p(hosmer.p_value)}; of Spiegelhalter: z = {signif(spiegelhalter.statistic)}, p = "
        f"{shown_p(spiegelhalter.p_value)}. Small p speak against the calibration.{warning}"
    )
    if inference.model.penalty is None:
        squares, stukel = inference.goodness()
        yield prose(
            f"Test of le Cessie and van Houwelingen: z = {signif(squares.statistic)}, p = "
            f"{shown_p(squares.p_value)}; of Stukel: chi2({stukel.df}) = "
            f"{signif(stukel.statistic)}, p = {shown_p(stukel.p_value)}. Small p speak against the "
            "form of the model: a bend or a product of columns may be missing, or the link may be "
            "wrong."
        )


def _null(metrics: RegressionMetrics) -> str:
    return f"{signif(metrics.mean_loss_of_null, 5)} for the null model"


def _groups(curve: Curve, head: tuple[str, str, str], shown: Callable[[float], str]) -> Table:
    assert curve.weight is not None
    rows = tuple(
        (shown(x), shown(y), str(n)) for x, y, n in zip(curve.x, curve.y, curve.weight, strict=True)
    )
    return Table("", head, rows, frozenset({0, 1, 2}))


def _curve_data(name: str, head: tuple[str, ...], curve: Curve) -> Data:
    columns = [curve.x.tolist(), curve.y.tolist()]
    if curve.weight is not None:
        columns.append(curve.weight.tolist())
    return data_of(name, head, zip(*columns, strict=True))
