"""The report of a fit as a document, from the sentence on top to the derivation below a fold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chainrule.documents.blocks import Document, Fold, Section
from chainrule.documents.report.coefficients import coefficients_section, effects_section
from chainrule.documents.report.derivation import board_of_fit, gradient_section
from chainrule.documents.report.influence import influence_section
from chainrule.documents.report.overview import columns_section, lead_of, overview_section
from chainrule.documents.report.penalties import penalties_section
from chainrule.documents.report.proof import certificate_section, loss_section, path_section
from chainrule.documents.report.quality import classes_section, regression_quality_section
from chainrule.documents.report.subject import Subject
from chainrule.tables.fitting import FittedTable
from chainrule.tables.model import TableModel

if TYPE_CHECKING:
    from chainrule.engine.inference.results import Inference
    from chainrule.estimators.coefficient_paths import Path
    from chainrule.tables.fitting_regression import FittedRegression
    from chainrule.tables.inference_record import EffectRow
    from chainrule.tables.regression import TableRegression


def fit_report(
    fitted: FittedTable | FittedRegression,
    source: str,
    penalties: Path | None = None,
    board: str = "",
) -> Document:
    """Return the report of a fit.

    Parameters
    ----------
    fitted : FittedTable or FittedRegression
        The fit.
    source : str
        What the rows came from.
    penalties : Path, optional
        Fits of the same rows along a path of penalties.
    board : str, optional
        The page of a board, which the report links to with the forward pass of the fit.
    """
    subject = Subject(fitted.model, fitted)
    sections = list(fit_sections(fitted))
    if penalties is not None and (penalties.coef != 0).any():
        after = 1 + next(k for k, section in enumerate(sections) if section.id == "coefficients")
        sections.insert(after, penalties_section(penalties, fitted.model.training.C))
    if not fitted.is_weighted and not fitted.model.training.l1_ratio:
        # the derivation has neither weights nor absolute values
        whole = gradient_section(fitted)
        fold = Fold("The derivation, step by step", whole.blocks)
        sections.append(Section(whole.id, whole.title, (fold,), whole.model))
    return Document(
        f"{fitted.model.target}: a fit and its proof",
        lead_of(subject, source),
        tuple(sections),
        board=board_of_fit(board, fitted.model),
    )


def fit_sections(fitted: FittedTable | FittedRegression) -> Iterator[Section]:
    """Yield the sections of a fit, all but the derivation."""
    subject, inference = Subject(fitted.model, fitted), fitted.inference
    yield overview_section(subject)
    yield coefficients_section(subject)
    if inference is not None and fitted.effects:
        yield effects_section(subject, fitted.effects, inference.level)
    yield from _quality(fitted)
    if inference is not None and _has_influence(inference) and not fitted.is_weighted:
        yield influence_section(inference, fitted.rows)
    yield columns_section(subject)
    yield certificate_section(fitted.model.certificate)
    if not isinstance(fitted.model, TableModel):
        yield loss_section(fitted.model)
    if len(fitted.path) > 1:
        yield path_section(fitted.path)


def model_report(model: TableModel | TableRegression, board: str = "") -> Document:
    """Return the report of a saved model without its rows, with a link to the page of a board."""
    subject = Subject(model)
    sections = [overview_section(subject), coefficients_section(subject)]
    effects: tuple[EffectRow, ...] = () if model.inference is None else model.inference.effects
    if model.inference is not None and effects:
        sections.append(effects_section(subject, effects, model.inference.level))
    sections += [columns_section(subject), certificate_section(model.certificate)]
    if not isinstance(model, TableModel):
        sections.append(loss_section(model))
    title = f"{model.target}: a fit and its proof"
    link = board_of_fit(board, model)
    return Document(title, lead_of(subject), tuple(sections), board=link)


def _quality(fitted: FittedTable | FittedRegression) -> Iterator[Section]:
    seed = fitted.model.training.seed
    if isinstance(fitted, FittedTable):
        measured = fitted.metrics or fitted.training_metrics
        if measured is not None:
            yield classes_section(
                measured,
                _rows_of(fitted),
                seed,
                inference=fitted.inference,
            )
        return
    means = fitted.metrics or fitted.training_metrics
    if means is not None:
        where = "" if fitted.metrics is None else f"{means.n_rows} {fitted.measured_on}"
        yield regression_quality_section(means, where, seed)


def _rows_of(fitted: FittedTable) -> str:
    """Return the rows that a fit was measured on; '' for its own."""
    if fitted.validation is None:
        return ""
    return f"{fitted.validation.n_rows} {fitted.validation.rows}"


def _has_influence(inference: Inference) -> bool:
    is_one = len(inference.terms.outputs) == 1
    return is_one and inference.model.family is not None and inference.limit is None
