"""Options of a fit of a table, and the rows that it may use."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from chainrule.errors import DataError
from chainrule.formulas.design import Formula
from chainrule.formulas.parsing import ParsedFormula
from chainrule.tables.dates import DateColumn
from chainrule.tables.encoding_fit import complete_rows, refuse_missing
from chainrule.tables.files.options import AS_FOUND, ReadOptions
from chainrule.tables.inference_options import InferenceOptions
from chainrule.tables.penalties import TablePenalty, level_groups
from chainrule.tables.reading import Declared
from chainrule.tables.specs import Groups, Missing, Spec, Unknown
from chainrule.tables.table import Table
from chainrule.tables.validation.options import AS_GIVEN, ValidationOptions


@dataclass(frozen=True)
class FitOptions:
    """Options of a fit.

    Parameters
    ----------
    target : str
        The column to predict.
    positive : str, optional
        Of two labels, the one counted as 1; by default the last in order.
    missing : {"refuse", "drop", "mean", "indicator"}
        What becomes of missing values.
    categories : tuple of str
        Columns to take as words even where they hold numbers, or many words.
    ignore : tuple of str
        Columns to leave out.
    holdout : float
        The share of rows kept for the metrics; 0 trains on all.
    seed : int
        The seed of the split.
    C : float
        Inverse strength of the ridge penalty on the sum of the losses; ``inf`` for none.
    alpha : float, optional
        Strength of the ridge penalty on the mean of the losses, in place of `C`.
    l1_ratio : float
        Share of absolute values in the penalty: 1 is the lasso, 0 the ridge penalty alone.
    adaptive : bool
        Whether absolute values are weighted by one over the coefficients of a pilot fit.
    relax : bool
        Whether the features that the penalty chooses are fitted once more without it.
    groups : {"levels"}, optional
        Features whose coefficients are 0 together: the levels of each categorical column.
    offset : str, optional
        Column added to the score.
    exposure : str, optional
        Column whose logarithm is added to the score.
    weights : str, optional
        Column of weights: k counts as k repetitions of the row.
    trials : str, optional
        Column of the number of trials, of which the target holds the successes.
    group : str, optional
        Column whose rows of one value are held out together, or not at all.
    time : str, optional
        Column by which the last rows are held out, in place of random ones.
    numbers : tuple of str
        Columns to take as numbers even where they are written as text.
    dates : tuple of DateColumn
        Columns of dates, and what to take from them.
    rare : int
        Categories with fewer training rows than this become one.
    unknown : {"error", "base", "rare"}
        The treatment, in predictions, of a category that no training row has.
    fold_labels : bool
        Take labels that differ only by case or blanks as one.
    file : ReadOptions
        How the file is to be read.
    validation : ValidationOptions
        How the penalty is chosen, and on what the model is measured.
    formula : ParsedFormula, optional
        The formula, whose columns and products are the features.
    inference : InferenceOptions, optional
        The errors, intervals and tests that are asked for.
    """

    target: str
    positive: str | None = None
    missing: Missing = "refuse"
    categories: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    holdout: float = 0.2
    seed: int = 0
    C: float = 1.0
    alpha: float | None = None
    offset: str | None = None
    exposure: str | None = None
    weights: str | None = None
    trials: str | None = None
    group: str | None = None
    time: str | None = None
    numbers: tuple[str, ...] = ()
    dates: tuple[DateColumn, ...] = ()
    rare: int = 0
    unknown: Unknown = "error"
    fold_labels: bool = False
    file: ReadOptions = AS_FOUND
    validation: ValidationOptions = AS_GIVEN
    formula: ParsedFormula | None = None
    inference: InferenceOptions | None = None
    l1_ratio: float = 0.0
    adaptive: bool = False
    relax: bool = False
    groups: Groups | None = None

    @property
    def roles(self) -> dict[str, str]:
        """The columns that are not features, by their role."""
        named = {
            "target": self.target,
            "offset": self.offset,
            "exposure": self.exposure,
            "weights": self.weights,
            "trials": self.trials,
            "group": self.group,
            "time": self.time,
            "clusters": None if self.inference is None else self.inference.clusters,
        }
        return {role: name for role, name in named.items() if name is not None}

    @property
    def left_out(self) -> tuple[str, ...]:
        """The columns that are ignored and not needed to measure by."""
        return tuple(name for name in self.ignore if name != self.validation.by)

    @property
    def no_features(self) -> set[str]:
        """The columns of a table that are not features."""
        return {*self.roles.values(), *self.ignore}

    def declared(self, *, labels: bool) -> Declared:
        """Return what the file is read by; a target of labels is text.

        Raises
        ------
        DataError
            When a target of labels is declared to be numbers.
        """
        if labels and self.trials is None and self.target in self.numbers:
            raise DataError(
                f"--number {self.target} names the target, whose cells are labels. Omit it, or "
                "choose a --loss for numbers, such as squared or poisson."
            )
        texts = [*self.categories, *([self.target] if labels and self.trials is None else [])]
        texts += [self.roles[role] for role in ("group", "clusters") if role in self.roles]
        numeric = (self.weights, self.trials, self.offset, self.exposure)
        numbers = [*self.numbers, *(name for name in numeric if name is not None)]
        if self.trials is not None:
            numbers.append(self.target)
        return Declared(
            tuple(dict.fromkeys(texts)),
            tuple(dict.fromkeys(numbers)),
            self.dates,
            ignore=self.left_out,
            only=None if self.formula is None else self._needed(self.formula),
            options=self.file,
        )

    def _needed(self, formula: ParsedFormula) -> tuple[str, ...]:
        """Return the columns that a fit by a formula reads."""
        by = [] if self.validation.by is None else [self.validation.by]
        return (*formula.columns, *self.roles.values(), *by)

    @property
    def penalises(self) -> bool:
        """Whether the fit has a penalty."""
        if self.validation.folds is not None:
            return any(map(math.isfinite, self.validation.grid))
        return math.isfinite(self.C) if self.alpha is None else self.alpha > 0

    def penalty(self, specs: tuple[Spec, ...], formula: Formula | None) -> TablePenalty:
        """Return the penalty of encoded features."""
        labels = None if self.groups is None else level_groups(specs, formula)
        return TablePenalty(self.l1_ratio, self.adaptive, self.relax, labels)

    def inverse_penalty(self, n_rows: float) -> float:
        """Return C for a fit of so many rows, or of rows with this total weight.

        >>> FitOptions("n", alpha=0.5).inverse_penalty(10)
        0.2
        """
        if self.alpha is None:
            return self.C
        return math.inf if self.alpha == 0 else 1.0 / (self.alpha * n_rows)

    def check(self) -> None:
        """Raise a `DataError` for choices that no table could satisfy."""
        if not 0 <= self.holdout < 1:
            raise DataError(f"--holdout is a share from 0 to below 1, not {self.holdout:g}.")
        if not self.C > 0:
            raise DataError(f"-C is one over the weight of the penalty, above 0, not {self.C:g}.")
        if self.alpha is not None and not 0 <= self.alpha < math.inf:
            raise DataError(f"--alpha is the weight of the penalty, 0 or more, not {self.alpha:g}.")
        self.validation.check()
        if self.validation.by == self.target:
            raise DataError(f"--by {self.target} is the target. Name another column.")
        if self.inference is not None:
            if self.validation.folds is not None and self.inference.penalised is None:
                raise DataError(
                    "--cv chooses a penalty, and a penalised fit is biased, so textbook errors do "
                    "not apply. Fit without --cv and with -C inf, or choose how errors are meant: "
                    "--penalised bayes or sandwich."
                )
            self.inference.check(is_penalised=self.penalises)
        if not 0 <= self.l1_ratio <= 1:
            raise DataError(f"--l1-ratio is a share from 0 to 1, not {self.l1_ratio:g}.")
        self._check_choice_of_features()
        for problem in self._clashes():
            raise DataError(problem)
        if self.unknown == "rare" and not self.rare:
            raise DataError(
                "--unknown rare puts new categories with the rare ones, and --rare N says which "
                "these are. Give --rare, or choose --unknown base."
            )
        if self.formula is not None and any(len(term) > 1 for term in self.formula.terms):
            self._check_products()
        if self.group is not None and self.time is not None:
            raise DataError("--group and --time both choose the held-out rows. Give one of them.")

    def _check_choice_of_features(self) -> None:
        """Refuse options of a penalty that chooses features where it chooses none."""
        for option, given in (
            ("--adaptive", self.adaptive),
            ("--relax", self.relax),
            (f"--groups {self.groups}", self.groups is not None),
        ):
            if not given:
                continue
            if self.l1_ratio == 0:
                raise DataError(
                    f"{option} is for a penalty that sets coefficients to 0, and with --l1-ratio 0 "
                    f"it sets none. Give --l1-ratio 1, or omit {option}."
                )
            if not self.penalises:
                raise DataError(
                    f"{option} is for a penalty, and this fit has none. Give a finite -C, or omit "
                    f"{option}."
                )
            if self.inference is not None:
                raise DataError(
                    f"{option} chooses features, and standard errors on the rows that chose them "
                    f"are too small. Omit {option}, or --inference."
                )

    def _check_products(self) -> None:
        """Refuse to fill in columns one by one: products would contradict their factors."""
        if self.missing in ("mean", "indicator"):
            raise DataError(
                f"--missing {self.missing} fills in each column by itself, and the formula has "
                "products: they would not be those of the filled-in columns. Choose --missing "
                "drop, or fill in the file first."
            )
        if self.unknown != "error":
            raise DataError(
                f"--unknown {self.unknown} is for columns one by one, and the formula has "
                "products. Omit it; rows with new categories are then refused by name."
            )

    def _clashes(self) -> Iterator[str]:
        """Yield what is wrong with the columns that are named."""
        seen: dict[str, str] = {}
        for role, name in self.roles.items():
            if {role, seen.get(name)} == {"group", "clusters"}:
                continue  # rows of one cluster may well be held out together
            if {role, seen.get(name)} == {"offset", "exposure"}:
                yield (
                    f"column {name!r} is the offset and the exposure: it would count twice. "
                    "Choose one."
                )
            elif name in seen:
                yield f"column {name!r} is the {seen[name]} and the {role}. Choose one."
            if name in self.ignore:
                yield f"column {name!r} is the {role} and ignored. Choose one."
            seen[name] = role
        for option, names in (
            ("--category", self.categories),
            ("--number", self.numbers),
            ("--date", tuple(date.name for date in self.dates)),
        ):
            for name in names:
                fine = ("time",) if option == "--date" else ("target",)
                if name in seen and seen[name] not in fine:
                    yield f"column {name!r} is the {seen[name]} and named by {option}. Choose one."


def without_gaps(table: Table, choices: FitOptions, notes: list[str]) -> tuple[Table, int]:
    """Drop or refuse incomplete rows as chosen; return a table whose target is complete."""
    target = table.column(choices.target)
    if choices.missing == "drop":
        rows = complete_rows(table)
        n_dropped = table.n_rows - len(rows)
        if len(rows) == 0:
            worst = max(table.columns.values(), key=lambda column: int(column.missing.sum()))
            raise DataError(
                f"{table.source}: no row is complete, so --missing drop leaves none. Column "
                f"{worst.name!r} has most gaps ({int(worst.missing.sum())}): leave it out with "
                f"--ignore {worst.name}, or fill in: --missing mean."
            )
        if n_dropped:
            notes.append(f"{n_dropped} of {table.n_rows} rows have a missing value: dropped.")
        return (table.take(rows) if n_dropped else table), n_dropped
    if choices.missing == "refuse":
        refuse_missing(table)
    gaps = int(target.missing.sum())
    if gaps:
        raise DataError(
            f"{table.source}: the target {target.name!r} is missing in {gaps} rows, and a target "
            "cannot be filled in. Remove these rows, or use --missing drop."
        )
    return table, 0
