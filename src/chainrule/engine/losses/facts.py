"""Facts and kernels of a loss, one record per loss; the engine assumes nothing else.

A loss here is a function of one score z and one target y. Solvers and certificates ask for facts;
what is not proven of a loss is absent (None), and the certificate that needs it is not offered.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chainrule.engine.arrays import BoolArray, FloatArray

Terms = Callable[[FloatArray, FloatArray], tuple[FloatArray, FloatArray, FloatArray]]
"""(z, y) -> of each example the loss and its derivatives, or errors of these: three arrays."""


@dataclass(frozen=True)
class Targets:
    """The targets that a loss takes: an interval, the whole numbers in it, or a few values.

    Attributes
    ----------
    low, high : float
        Ends of the interval; infinite where there is none.
    has_low, has_high : bool
        Whether the ends themselves are targets.
    whole : bool
        Whether only whole numbers are.
    values : tuple of float
        The targets one by one, in ascending order; empty where they are not so few.
    """

    low: float = -np.inf
    high: float = np.inf
    has_low: bool = False
    has_high: bool = False
    whole: bool = False
    values: tuple[float, ...] = ()

    @classmethod
    def of(cls, *values: float) -> Targets:
        """Return these values as the only targets.

        >>> str(Targets.of(-1, 1))
        '-1 or 1'
        """
        found = tuple(sorted(map(float, values)))
        return cls(found[0], found[-1], has_low=True, has_high=True, values=found)

    def __str__(self) -> str:
        """Say it in words: "numbers > 0"."""
        if self.values:
            return " or ".join(f"{value:g}" for value in self.values)
        kind = "whole numbers" if self.whole else "numbers"
        low = f">{'=' * self.has_low} {self.low:g}" if np.isfinite(self.low) else ""
        high = f"<{'=' * self.has_high} {self.high:g}" if np.isfinite(self.high) else ""
        return " ".join(filter(None, [kind, " and ".join(filter(None, [low, high]))]))

    def holds(self, y: FloatArray) -> BoolArray:
        """Return which numbers are targets, in the shape of y."""
        if self.values:
            return np.asarray(np.isin(y, self.values))
        inside = (y >= self.low if self.has_low else y > self.low) & (
            y <= self.high if self.has_high else y < self.high
        )
        return np.asarray(inside & (y == np.rint(y)) if self.whole else inside)


@dataclass(frozen=True)
class Facts:
    """Proven facts of l(z, y), for every score z and every target y of `Targets`.

    Attributes
    ----------
    convex : bool
        l'' >= 0. If not proven, nothing is claimed about a global optimum.
    self_concordance : float or None
        The least known M with |l'''| <= M l'' (Bach 2010); 0 where l'' is constant, None where no
        such constant is proven.
    curvature : tuple of float
        Bounds of l'': (0, inf) if nothing more is proven.
    has_least : bool
        Whether `least` of the kernels bounds l from below.
    optimum_may_be_missing : bool
        Whether l may decrease for ever in z for some target, so that an unpenalised fit may have no
        optimum.
    of_classes : bool
        Whether l is a cross-entropy, so that its gradient is a difference of distributions.
    falls_down, falls_up : tuple of float
        Targets for which l falls for ever as z decreases, or increases: the rows that do not hold
        coefficients back, so that an optimum may be missing.
    because : tuple of (str, str)
        The name of each fact and the proof of it, for a reader.
    """

    convex: bool
    self_concordance: float | None = None
    curvature: tuple[float, float] = (0.0, np.inf)
    has_least: bool = False
    optimum_may_be_missing: bool = True
    of_classes: bool = False
    falls_down: tuple[float, ...] = ()
    falls_up: tuple[float, ...] = ()
    because: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        """Return one line per fact with its proof, and one that lists the facts not proven."""
        titles = {
            "convex": "convexity",
            "curvature": "bound of the curvature",
            "self_concordance": f"self-concordance, M = {self.self_concordance or 0:g}",
            "least": "least value",
            "no minimum": "targets without a minimum",
            "optimum": "existence of an optimum",
        }
        lines = [f"{titles.get(name, name)}: {proof}" for name, proof in self.because]
        known = {name for name, _ in self.because}
        known.add("optimum" if "no minimum" in known else "no minimum")
        missing = [title.partition(",")[0] for name, title in titles.items() if name not in known]
        if missing:
            lines.append(f"not proven: {', '.join(missing)}")
        return "\n".join(lines)

    @property
    def can_separate(self) -> bool:
        """Whether directions can be searched along which the loss falls for ever."""
        return self.of_classes or self.has_targets_without_minimum

    @property
    def has_targets_without_minimum(self) -> bool:
        """Whether the loss is proven to fall without end at some target."""
        return bool(self.falls_down or self.falls_up)


@dataclass(frozen=True)
class Kernels:
    """The generated functions of a loss; all take and return arrays of one shape.

    Attributes
    ----------
    terms : callable
        (z, y) -> loss, dl/dz and d2l/dz2.
    errors : callable
        (z, y) -> bounds on |computed - true| of these three, for exact z and y: rounding alone.
    curvature_range : callable
        (low, high, y) -> the least and the largest l'' for scores between low and high; enclosures,
        rounding included.
    mean : callable
        z -> the prediction: the inverse link.
    link : callable or None
        The score of a prediction, where there is one.
    least : callable or None
        y -> a lower bound of l(., y), attained or not.
    """

    terms: Terms
    errors: Terms
    curvature_range: Callable[[FloatArray, FloatArray, FloatArray], tuple[FloatArray, FloatArray]]
    mean: Callable[[FloatArray], FloatArray]
    link: Callable[[FloatArray], FloatArray] | None = None
    least: Callable[[FloatArray], FloatArray] | None = None


@dataclass(frozen=True)
class LossRow:
    """A loss of one score as the engine uses it.

    Attributes
    ----------
    name : str
        As in ``loss="poisson"``.
    formula : str
        l(z, y), as its forward pass writes it.
    targets : Targets
    facts : Facts
    kernels : Kernels
    link_name : str
        "log", "identity", "logit", ...: for reports.
    source : str
        The text of the generated module, from whose `terms` a compiled kernel is built; empty where
        it calls what cannot be compiled.
    """

    name: str
    formula: str
    targets: Targets
    facts: Facts
    kernels: Kernels
    link_name: str = "identity"
    source: str = ""
