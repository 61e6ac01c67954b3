"""Penalties of a fit of a table: absolute values, adaptive weights, groups of levels, refits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from chainrule.errors import DataError
from chainrule.formulas.design import Formula
from chainrule.tables.fit_results import certificate_record
from chainrule.tables.records import CertificateRecord
from chainrule.tables.specs import CategorySpec, Spec, features

if TYPE_CHECKING:
    from chainrule.engine.data.sources import InMemorySource
    from chainrule.engine.losses.facts import LossRow
    from chainrule.engine.objective.evaluation import Point
    from chainrule.engine.penalties.elastic_net import Shape
    from chainrule.engine.refits import Refits
    from chainrule.engine.results import Fit

ADAPTIVE_GAMMA: Final = 1.0
"""The power of the pilot's coefficients in adaptive weights."""

_TOLERANCE: Final = 1e-8
_MOST_STEPS: Final = 100


@dataclass(frozen=True)
class TablePenalty:
    """A penalty of encoded features, without its strength.

    Parameters
    ----------
    l1_ratio : float
        Share of absolute values; 1 is the lasso, 0 the ridge penalty alone.
    adaptive : bool
        Whether absolute values are weighted by one over the coefficients of a pilot fit.
    relax : bool
        Whether the chosen features are fitted once more without penalty.
    labels : ndarray of int, shape (n_features,), or None
        The group of each feature, whose coefficients are 0 together; None for no groups.
    """

    l1_ratio: float = 0.0
    adaptive: bool = False
    relax: bool = False
    labels: NDArray[np.intp] | None = field(default=None, compare=False)

    def shape(self, source: InMemorySource, row: LossRow | None, n_threads: int) -> Shape | None:
        """Return the penalty of the engine, with the weights of a pilot; None for L2 alone."""
        if self.l1_ratio == 0:
            return None
        from chainrule.engine.adaptive import adaptive_factors, pilot_fit, weighted
        from chainrule.engine.penalties.elastic_net import Shape
        from chainrule.engine.penalties.groups import GroupShape

        shape = Shape.checked(source.n_features, self.l1_ratio)
        if self.labels is not None:
            shape = GroupShape.grouped(shape, self.labels)
        if not self.adaptive:
            return shape
        pilot = pilot_fit(source, row, n_threads=n_threads)
        return weighted(shape, adaptive_factors(pilot, ADAPTIVE_GAMMA, shape))

    def refits(
        self, source: InMemorySource, row: LossRow | None, shape: Shape, n_threads: int
    ) -> Refits:
        """Return what refits chosen features without penalty."""
        from chainrule.engine.refits import Refits

        return Refits(
            source,
            row,
            shape,
            fit_intercept=True,
            tol=_TOLERANCE,
            max_iter=_MOST_STEPS,
            n_threads=n_threads,
        )


RIDGE: Final = TablePenalty()
"""The L2 penalty."""


@dataclass(frozen=True, eq=False)
class Trained:
    """A penalised fit, and the refit of the features that it chooses.

    Parameters
    ----------
    fit : Fit
    refit : Fit or None
        None where there is none to be made.
    gamma : float
        Share of the penalised coefficients in the model's; 1 where no finite refit exists.
    """

    fit: Fit
    refit: Fit | None = None
    gamma: float = 1.0

    @classmethod
    def mixed(cls, fit: Fit, refits: Refits, gamma: float) -> Trained:
        """Return a fit with the refit of its features, and the share that was asked for."""
        from chainrule.engine.refits import is_separated

        refit = refits.at(fit.point)
        lost = refit is not None and is_separated(refit)
        return cls(fit, refit, 1.0 if lost else gamma)

    @property
    def point(self) -> Point:
        """The coefficients of the model."""
        if self.refit is None or self.gamma == 1:
            return self.fit.point
        return mixture(self.fit.point, self.refit.point, self.gamma)

    @property
    def certificate(self) -> CertificateRecord:
        """The certificate of the penalised fit, with the sentence of the refit's."""
        record = certificate_record(self.fit.certificate)
        if self.refit is None or self.gamma == 1:
            return record
        sentence = str(self.refit.certificate)
        return replace(
            record,
            sentence=f"{record.sentence} Refit without penalty: {sentence}",
            facts={**record.facts, "refit": sentence},
        )

    def notes(self) -> Iterator[str]:
        """Say where there is no finite refit, or none that is proven."""
        if self.refit is None:
            return
        n_chosen = int((self.fit.point.coef != 0).any(axis=1).sum())
        if self.refit.certificate.kind == "separation":
            yield (
                f"the {n_chosen} features that the penalty chooses separate the classes, so no "
                "finite refit exists, and the penalised coefficients are kept. Give a stronger "
                "penalty (a smaller -C) for fewer features."
            )
        elif not self.refit.met:
            yield (
                "the certificate of the refit without penalty does not prove the tolerance: "
                f"{self.refit.certificate}"
            )


def mixture(penalised: Point, refit: Point, gamma: float) -> Point:
    """Return gamma times penalised coefficients, and 1 - gamma times those of a refit."""
    return type(penalised)(
        gamma * penalised.coef + (1 - gamma) * refit.coef,
        gamma * penalised.intercept + (1 - gamma) * refit.intercept,
    )


def level_groups(specs: Sequence[Spec], formula: Formula | None) -> NDArray[np.intp]:
    """Return the group of each feature: the levels of a categorical column are one.

    With a formula, all features of a term are a group: the levels of a product, the columns of a
    spline.

    Parameters
    ----------
    specs : sequence of CategorySpec or NumberSpec
    formula : Formula or None
    """
    terms = {} if formula is None else formula.column_terms
    numbers: dict[object, int] = {}
    labels: list[int] = []
    for spec in specs:
        own = features((spec,))
        if spec.name in terms:
            names: list[object] = [terms[spec.name]] * len(own)
        elif isinstance(spec, CategorySpec):
            names = [spec.name] * len(own)
        else:
            names = [(spec.name, feature.name) for feature in own]
        labels += [numbers.setdefault(name, len(numbers)) for name in names]
    return np.array(labels, dtype=np.intp)


def refuse_useless_groups(specs: Sequence[Spec], formula: Formula | None, n_classes: int) -> None:
    """Raise a `DataError` where groups of levels are not for a table, or change nothing."""
    if n_classes > 2:
        raise DataError(
            f"--groups is for two classes or a target of numbers, and the target has {n_classes} "
            "classes. Omit --groups."
        )
    labels = level_groups(specs, formula)
    if not any(isinstance(spec, CategorySpec) for spec in specs) and (
        len(np.unique(labels)) == len(labels)
    ):
        raise DataError(
            "--groups levels is for categorical columns, and no feature comes from one. Omit "
            "--groups, or name a column of codes with --category."
        )
