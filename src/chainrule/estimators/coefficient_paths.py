"""Coefficients along a path of penalties: `Path`, and when each leaves 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from chainrule.engine.arrays import BoolArray, FloatArray, IntArray
from chainrule.engine.certificates.certificate import Certificate
from chainrule.errors import DataError
from chainrule.estimators.relaxed_paths import Relaxed


@dataclass(frozen=True)
class Entry:
    """A coefficient that leaves 0 along a path.

    Attributes
    ----------
    name : str
        Name of the column, or ``column_level``.
    index : int
        Number of the coefficient.
    step : int
        The first point of the path where it is not 0.
    lambda_ : float
        The strength there, in glmnet's unit.
    C : float
        The same in scikit-learn's.
    coef : float
        The coefficient at the end of the path.
    label : object
        The class whose score it belongs to; None where there are two classes.
    """

    name: str
    index: int
    step: int
    lambda_: float
    C: float
    coef: float
    label: Any = None

    @property
    def full_name(self) -> str:
        """The name, with the class in brackets where there are more than two."""
        return self.name if self.label is None else _of_class(self.name, self.label)


@dataclass(frozen=True, eq=False)
class Path:
    """Fits along a path of penalties, the strongest first; arrays have one row per point.

    Attributes
    ----------
    lambdas : ndarray of shape (n_lambdas,)
        Strengths in glmnet's unit: the factor on the penalty beside the weighted *mean* of the
        losses.
    Cs : ndarray of shape (n_lambdas,)
        The same in scikit-learn's: ``C = 1 / (lambda * sum of weights)``.
    coef : ndarray of shape (n_lambdas, n_coefficients)
        With more than two classes, of shape (n_lambdas, n_classes, n_coefficients).
    intercept : ndarray of shape (n_lambdas,)
        With more than two classes, of shape (n_lambdas, n_classes).
    objective : ndarray of shape (n_lambdas,)
        The sum of the losses plus the penalty divided by C.
    gap : ndarray of shape (n_lambdas,)
        Proven bounds on ``objective - optimum``; inf where nothing is proven.
    relative_gap : ndarray of shape (n_lambdas,)
        The same, relative to the optimum.
    proven : ndarray of bool, shape (n_lambdas,)
        Whether `relative_gap` is at most the tolerance.
    nonzero : ndarray of int, shape (n_lambdas,)
        How many coefficients are not 0.
    deviance_ratio : ndarray of shape (n_lambdas,)
        Share of the null deviance that is explained.
    classes : ndarray of shape (n_classes,)
        The labels; with two, scores are those of the second.
    coef_names : sequence of str
    l1_ratio : float
    certificates : tuple of Certificate
    n_iter : ndarray of int, shape (n_lambdas,)
    n_passes : float
        How many times X was read for all of it.
    seconds : float
    penalty_factor : ndarray of shape (n_coefficients,)
        The factors on the strength that were used, those of ``adaptive`` included; inf where a
        pilot coefficient is 0, which holds the coefficient at 0.
    relaxed : Relaxed or None
        Refits without penalty of the columns of each point, with ``relax=True``.

    Examples
    --------
    >>> import numpy as np
    >>> from chainrule import logistic_path
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(100, 3))
    >>> path = logistic_path(X, X[:, 1] + rng.logistic(size=100) > 0, n_lambdas=10)
    >>> len(path), path.coef.shape, bool(path.proven.all())
    (10, (10, 3), True)
    """

    lambdas: FloatArray
    Cs: FloatArray
    coef: FloatArray
    intercept: FloatArray
    objective: FloatArray
    gap: FloatArray
    relative_gap: FloatArray
    proven: BoolArray
    nonzero: IntArray
    deviance_ratio: FloatArray
    classes: npt.NDArray[Any]
    coef_names: Sequence[str]
    l1_ratio: float
    certificates: tuple[Certificate, ...] = field(repr=False)
    n_iter: IntArray = field(repr=False)
    n_passes: float = field(repr=False)
    seconds: float = field(repr=False)
    penalty_factor: FloatArray = field(repr=False)
    relaxed: Relaxed | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.lambdas)

    def entered(self) -> list[Entry]:
        """Return the coefficients that leave 0, in the order in which they do.

        Those that leave 0 at the same point are in the order of their size there.

        Returns
        -------
        list of Entry
            With the strength at which each leaves 0, in both units.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import logistic_path
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(100, 3))
        >>> path = logistic_path(X, X[:, 1] + rng.logistic(size=100) > 0, n_lambdas=10)
        >>> path.entered()[0].name
        'column 1'
        """
        found = []
        several = self.coef.ndim > 2
        for place in np.argwhere((self.coef != 0).any(axis=0)).tolist():
            j = place[-1]
            curve = self.coef[:, place[0], j] if several else self.coef[:, j]
            step = int(np.flatnonzero(curve != 0)[0])
            at = float(self.lambdas[step]), float(self.Cs[step])
            label = self.classes.tolist()[place[0]] if several else None
            entry = Entry(self.coef_names[j], j, step, *at, float(curve[-1]), label)
            found.append(((step, -abs(float(curve[step])), *place), entry))
        return [entry for _, entry in sorted(found, key=lambda pair: pair[0])]

    def curve(self, entry: Entry) -> FloatArray:
        """Return a coefficient along the path.

        Parameters
        ----------
        entry : Entry
            One of `entered`.

        Returns
        -------
        ndarray of shape (n_lambdas,)

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import logistic_path
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(100, 3))
        >>> path = logistic_path(X, X[:, 1] + rng.logistic(size=100) > 0, n_lambdas=10)
        >>> bool((path.curve(path.entered()[0]) == path.coef[:, 1]).all())
        True
        """
        if entry.label is None:
            return self.coef[:, entry.index]
        return self.coef[:, self.classes.tolist().index(entry.label), entry.index]

    def table(self) -> tuple[list[str], FloatArray]:
        """Return all coefficients in one table, the intercepts first, with their names.

        Returns
        -------
        names : list of str
            With more than two classes, ``name [class]``.
        values : ndarray of shape (n_lambdas, n_names)

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import logistic_path
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(100, 3))
        >>> path = logistic_path(X, X[:, 1] + rng.logistic(size=100) > 0, n_lambdas=10)
        >>> path.table()[0]
        ['intercept', 'column 0', 'column 1', 'column 2']
        """
        names = ["intercept", *self.coef_names]
        if self.coef.ndim == 2:
            return names, np.column_stack([self.intercept, self.coef])
        labels = self.classes.tolist()
        both = np.concatenate([self.intercept[:, :, None], self.coef], axis=2)
        named = [_of_class(name, label) for label in labels for name in names]
        return named, both.reshape(len(self), -1)

    def mixed(self, gamma: float) -> tuple[FloatArray, FloatArray]:
        """Return gamma times the penalised coefficients, and 1 - gamma times the relaxed ones.

        Parameters
        ----------
        gamma : float
            From 0, the refits without penalty, to 1, the penalised fits; as in glmnet.

        Returns
        -------
        coef, intercept : ndarray
            NaN where the refit is not finite and counts.

        Raises
        ------
        DataError
            Where the path was fitted without ``relax=True``.
        ValueError
            For a gamma that is not a number from 0 to 1.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import logistic_path
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(100, 3))
        >>> y = X[:, 1] + rng.logistic(size=100) > 0
        >>> coef, intercept = logistic_path(X, y, n_lambdas=10, relax=True).mixed(0.5)
        >>> coef.shape, intercept.shape
        ((10, 3), (10,))
        """
        if isinstance(gamma, bool) or not isinstance(gamma, Real) or not 0 <= float(gamma) <= 1:
            raise ValueError(f"gamma must be a number from 0 to 1, not {gamma!r}")
        if gamma == 1:
            return self.coef, self.intercept
        if self.relaxed is None:
            raise DataError("the path holds no refits; fit it with relax=True")
        part = float(gamma)
        return (
            part * self.coef + (1 - part) * self.relaxed.coef,
            part * self.intercept + (1 - part) * self.relaxed.intercept,
        )

    def to_frame(self) -> Any:  # noqa: ANN401
        """Return the path as a data frame of pandas, coefficients in columns by name.

        Returns
        -------
        DataFrame
            One row per point, the strongest penalty first.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import logistic_path
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(100, 3))
        >>> path = logistic_path(X, X[:, 1] + rng.logistic(size=100) > 0, n_lambdas=10)
        >>> path.to_frame().columns[:3].tolist()
        ['lambda', 'C', 'nonzero']
        """
        pd: Any = import_module("pandas")

        columns = {
            "lambda": self.lambdas,
            "C": self.Cs,
            "nonzero": self.nonzero,
            "deviance_ratio": self.deviance_ratio,
            "objective": self.objective,
            "gap": self.gap,
            "relative_gap": self.relative_gap,
            "proven": self.proven,
        }
        names, values = self.table()
        coef = pd.DataFrame(values, columns=names)
        return pd.concat([pd.DataFrame(columns), coef], axis=1)

    def plot(self, ax: Any = None, *, labelled: int = 10) -> Any:  # noqa: ANN401
        """Draw the coefficients against lambda, and name the first that entered.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw on; by default those of a new figure.
        labelled : int, default=10
            How many coefficients are named.

        Returns
        -------
        matplotlib Axes
            With the strongest penalty at the left, on a logarithmic scale.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import logistic_path
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(100, 3))
        >>> path = logistic_path(X, X[:, 1] + rng.logistic(size=100) > 0, n_lambdas=10)
        >>> from matplotlib.figure import Figure
        >>> path.plot(Figure().add_subplot()).get_xlabel()
        'lambda'
        """
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots()
        entries = self.entered()
        for place, entry in enumerate(entries):
            curve = self.curve(entry)
            line = ax.plot(self.lambdas, curve, linewidth=1)[0]
            if place < labelled:
                ax.annotate(
                    entry.full_name.replace("$", r"\$"),
                    (float(self.lambdas[-1]), float(curve[-1])),
                    xytext=(4, 0),
                    textcoords="offset points",
                    color=line.get_color(),
                    fontsize="small",
                    verticalalignment="center",
                )
        ax.axhline(0, color="0.7", linewidth=0.8, zorder=0)
        ax.set_xscale("log")
        ax.invert_xaxis()
        ax.set_xlabel("lambda")
        ax.set_ylabel("coefficient")
        return ax

    def save_plot(self, file: str) -> None:
        """Write the plot to a file, by its ending.

        Parameters
        ----------
        file : str
            A path that ends in ``.png``, ``.svg``, ``.pdf``, or as matplotlib has it.

        Raises
        ------
        ValueError
            For another ending.

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import logistic_path
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(100, 3))
        >>> path = logistic_path(X, X[:, 1] + rng.logistic(size=100) > 0, n_lambdas=10)
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path.save_plot(f"{folder}/path.svg")
        """
        from matplotlib.figure import Figure

        figure = Figure(figsize=(8, 5), layout="constrained")
        self.plot(figure.add_subplot())
        figure.savefig(file)

    def renamed(self, names: Sequence[str], classes: Sequence[Any] | None = None) -> Path:
        """Return the same path with other names of the coefficients, and of the classes.

        Parameters
        ----------
        names : sequence of str
            One name per coefficient.
        classes : sequence, optional
            Labels, in the order of the path's own.

        Returns
        -------
        Path

        Examples
        --------
        >>> import numpy as np
        >>> from chainrule import logistic_path
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(100, 3))
        >>> path = logistic_path(X, X[:, 1] + rng.logistic(size=100) > 0, n_lambdas=10)
        >>> path.renamed(["age", "dose", "weight"]).entered()[0].name
        'dose'
        """
        labels = self.classes if classes is None else np.asarray(classes)
        return replace(self, coef_names=list(names), classes=labels)

    def __str__(self) -> str:
        worst = float(self.relative_gap.max())
        lines = [
            f"{len(self)} points, {int(self.proven.sum())} proven; the largest relative gap is "
            f"{worst:.2g}",
            f"{'lambda':>10} {'C':>10} {'nonzero':>8} {'deviance':>9} {'gap':>9}",
        ]
        shown = np.unique(np.linspace(0, len(self) - 1, min(len(self), 12)).astype(int))
        lines += [
            f"{self.lambdas[k]:>10.4g} {self.Cs[k]:>10.4g} {self.nonzero[k]:>8d} "
            f"{self.deviance_ratio[k]:>9.4f} {self.relative_gap[k]:>9.1e}"
            for k in shown.tolist()
        ]
        return "\n".join(lines)


def _of_class(name: str, label: Any) -> str:  # noqa: ANN401
    return f"{name} [{label}]"
