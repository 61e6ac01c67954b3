"""A full check of a model: every step, and every gradient at several sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import Derivation, Step, StepCertificate
from chainrule.calculus.evaluation.differences import along
from chainrule.calculus.evaluation.forward import assignments, downstream, sample
from chainrule.calculus.evaluation.replay import Replay
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Symbol
from chainrule.calculus.proof.certify import try_step
from chainrule.calculus.proof.continuity import Continuity
from chainrule.calculus.proof.evidence import DIFFERENCE_TOLERANCE, SEED, Disagreement
from chainrule.calculus.proof.gradients import gradient_values
from chainrule.calculus.proof.verifier import Verifier

Array = npt.NDArray[np.float64]

MOST_ENTRIES = 64
"""A gradient of more entries is compared at as many places, and along random directions."""
_N_DIRECTIONS = 16


@dataclass(frozen=True)
class StepCheck:
    """A step, the evidence for or against it, and why it does not follow, if it does not."""

    step: Step
    evidence: StepCertificate | Disagreement
    complaint: str = ""

    @property
    def passed(self) -> bool:
        """Whether the step is verified, and follows from those before it."""
        return isinstance(self.evidence, StepCertificate) and not self.complaint


@dataclass(frozen=True)
class GradientComparison:
    """One gradient at one assignment of sizes, against finite differences."""

    variable: str
    sizes: Mapping[str, int]
    shape: tuple[int, ...]
    error: float

    @property
    def passed(self) -> bool:
        """Whether all that was compared agrees."""
        return self.error <= DIFFERENCE_TOLERANCE


@dataclass(frozen=True)
class CheckReport:
    """The results of a full check."""

    derivation: Derivation
    steps: tuple[StepCheck, ...]
    gradients: tuple[GradientComparison, ...]

    @property
    def passed(self) -> bool:
        """Whether everything holds."""
        return self.failures == 0

    @property
    def failures(self) -> int:
        """The number of steps and comparisons that fail."""
        return sum(not s.passed for s in self.steps) + sum(not g.passed for g in self.gradients)


def check_model(model: Model, wrt: Sequence[str] | None = None, sizes: int = 3) -> CheckReport:
    """Verify every step, and compare every gradient with finite differences.

    Gradients of up to 64 entries are compared entry by entry; larger ones at 64 places drawn at
    random, and along 16 random directions in which all entries count.

    Parameters
    ----------
    model : Model
        The forward pass.
    wrt : sequence of str, optional
        The variables.
    sizes : int, optional
        Number of random size assignments to test.
    """
    return check_derivation(derivation_of(model, wrt), sizes)


def check_derivation(derivation: Derivation, sizes: int = 3) -> CheckReport:
    """Verify a given derivation, and compare its gradients."""
    verifier, thread = Verifier(derivation), Continuity(derivation)
    steps = tuple(
        StepCheck(step, try_step(verifier, step), thread.follows(step)) for step in derivation.steps
    )
    rng = np.random.default_rng(SEED + 1)
    gradients = tuple(
        _compared(derivation, gradient.variable, {**dims, **derivation.model.lengths}, rng)
        for dims in assignments(derivation.model, sizes)
        for gradient in derivation.gradients.values()
    )
    return CheckReport(derivation, steps, gradients)


def _compared(
    derivation: Derivation, variable: Symbol, sizes: Mapping[str, int], rng: np.random.Generator
) -> GradientComparison:
    model = derivation.model
    values = sample(model, sizes, rng)
    derived = gradient_values(derivation, values, sizes)[variable]
    moved = set(downstream(model, variable))
    route = [definition for definition in model.definitions if definition.target in moved]
    run = Replay(route, values, sizes, variable)

    def objective(x: Array) -> Array:
        found = run(x).get(model.objective, values[model.objective])
        return np.asarray(float(found.item()))

    at, ways = values[variable], list(_directions(values[variable].shape, rng))
    with np.errstate(all="ignore"):
        measured = np.array([along(objective, at, way) for way in ways])
    expected = np.array([np.sum(way * derived) for way in ways])
    # Differences of float64 know nothing below about 1e-11 of the objective.
    floor = 1e-3 * max(abs(float(values[model.objective].item())), 1e-300)
    scale = max(float(np.abs(measured).max()), float(np.abs(expected).max()), floor)
    error = float(np.abs(measured - expected).max()) / scale
    return GradientComparison(
        variable.name, dict(sizes), derived.shape, error if np.isfinite(error) else np.inf
    )


def _directions(shape: tuple[int, ...], rng: np.random.Generator) -> Iterator[Array]:
    """Yield the directions along which a gradient is compared, of length 1."""
    size = int(np.prod(shape))
    few = size <= MOST_ENTRIES
    for place in range(size) if few else rng.choice(size, MOST_ENTRIES, replace=False):
        unit = np.zeros(size)
        unit[place] = 1.0
        yield unit.reshape(shape)
    for _ in range(0 if few else _N_DIRECTIONS):
        signs = rng.choice([-1.0, 1.0], size)
        yield signs.reshape(shape) / np.sqrt(size)
