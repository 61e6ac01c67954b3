"""The losses that come with chainrule: one entry per loss, and one forward pass per entry.

Two losses of regression are left out, because they are not functions of one score per example:
proportional odds (ordinal targets) has a second score per example through its thresholds, and
Cox's partial likelihood joins the examples of a risk set.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Final

from chainrule.emission.deriving import loss_module
from chainrule.engine.losses.facts import LossRow, Targets
from chainrule.engine.losses.modules import row_of_source
from chainrule.errors import ModelError

FORWARD_PASSES = Path(__file__).parents[1] / "examples/losses"
MODULES = Path(__file__).parents[1] / "engine/losses/emitted"

_ALL = Targets()
_COUNTS = Targets(0, has_low=True)
_POSITIVE = Targets(0)
_SHARES = Targets(0, 1, has_low=True, has_high=True)
_SIGNS = Targets.of(-1, 1)


@dataclass(frozen=True)
class Constant:
    """A named constant of a loss.

    Attributes
    ----------
    default : float
    range : str
        In words, for a message.
    allowed : callable
    """

    default: float
    range: str
    allowed: Callable[[float], bool]


_ABOVE_0 = "a number > 0", lambda value: value > 0


@dataclass(frozen=True)
class Shipped:
    """One entry.

    Attributes
    ----------
    name : str
        Also the name of its forward pass and of its module.
    targets : Targets
    link : str
    constants : mapping of str to Constant
    optimum : str
        The score of least loss, in y and the constants, where it is not the link of y.
    """

    name: str
    targets: Targets = _ALL
    link: str = "identity"
    constants: Mapping[str, Constant] = field(default_factory=dict)
    optimum: str = ""

    @property
    def text(self) -> str:
        """The forward pass."""
        return (FORWARD_PASSES / f"{self.name}.cr").read_text(encoding="utf-8")

    def values(self, constants: Mapping[str, float]) -> dict[str, float]:
        """Return the values of all constants.

        Raises
        ------
        ModelError
            When one is unknown, or out of its range.
        """
        for name, value in constants.items():
            if name not in self.constants:
                known = ", ".join(self.constants) or "none"
                raise ModelError(f"{self.name} has no constant {name}; its constants: {known}")
            if not self.constants[name].allowed(value):
                raise ModelError(
                    f"{name} = {value:g} is out of range for {self.name}: "
                    f"choose {self.constants[name].range}"
                )
        return {name: float(constants.get(name, c.default)) for name, c in self.constants.items()}


_ROWS = (
    Shipped("squared"),
    Shipped("logistic", _SHARES, "logit"),
    Shipped("cloglog", _SHARES, "cloglog"),
    Shipped("probit", _SHARES, "probit"),
    Shipped("poisson", _COUNTS, "log"),
    Shipped("gamma", _POSITIVE, "log"),
    Shipped(
        "tweedie",
        _COUNTS,
        "log",
        {"p": Constant(1.5, "1 < p < 2", lambda value: 1 < value < 2)},
    ),
    Shipped("negative_binomial", _COUNTS, "log", {"alpha": Constant(1.0, *_ABOVE_0)}),
    Shipped("inverse_gaussian", _POSITIVE, "log"),
    Shipped("log_cosh"),
    Shipped("huber", constants={"delta": Constant(1.35, *_ABOVE_0)}),
    Shipped(
        "quantile",
        constants={
            "tau": Constant(0.5, "0 < tau < 1", lambda value: 0 < value < 1),
            "width": Constant(0.1, *_ABOVE_0),
        },
        optimum="y + width log(tau/(1 - tau))",
    ),
    Shipped("squared_hinge", _SIGNS),
    Shipped("cauchy", constants={"c": Constant(2.385, *_ABOVE_0)}),
    Shipped("tukey", constants={"c": Constant(4.685, *_ABOVE_0)}),
)

SHIPPED: Final[Mapping[str, Shipped]] = MappingProxyType({row.name: row for row in _ROWS})
"""Every loss by name."""


def shipped_module(name: str, constants: Mapping[str, float] | None = None) -> str:
    """Return the text of the module of a shipped loss.

    Raises
    ------
    ModelError
        When there is no such loss or constant, or a constant is out of its range.
    """
    if name not in SHIPPED:
        raise ModelError(f"unknown loss {name}; known are {', '.join(SHIPPED)}")
    return _derived(name, tuple(SHIPPED[name].values(constants or {}).items()))


@lru_cache(maxsize=256)
def _derived(name: str, values: tuple[tuple[str, float], ...]) -> str:
    """Return the module of a shipped loss, derived once for equal constants."""
    row = SHIPPED[name]
    return loss_module(row.text, name, dict(values), row.targets, row.link, row.optimum)


def shipped_loss(name: str, constants: Mapping[str, float] | None = None) -> LossRow:
    """Return the row of a shipped loss for other values of its constants.

    Examples
    --------
    >>> shipped_loss("tweedie", {"p": 1.25}).facts.self_concordance
    0.75
    """
    return row_of_source(shipped_module(name, constants))
