"""A loss as a table fit keeps it: text, constants, facts and kernels. Deriving it is elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from chainrule.engine.losses.facts import LossRow, Targets
from chainrule.errors import DataError

CLASSES = "logistic"
"""The loss whose targets are labels: its fits are those of classes."""

TARGETS: Final[Mapping[str, Targets]] = {
    "any": Targets(),
    "nonnegative": Targets(0, has_low=True),
    "positive": Targets(0),
    "shares": Targets(0, 1, has_low=True, has_high=True),
}
"""The targets that one's own loss can be given, by the word for them."""


@dataclass(frozen=True)
class ChosenLoss:
    """A loss of numbers, derived.

    Parameters
    ----------
    name : str
        Of a shipped loss; empty for one's own.
    text : str
        The formula, or the forward pass.
    constants : mapping of str to float
        The values of the named constants.
    row : LossRow
        Facts and kernels.
    """

    name: str
    text: str
    row: LossRow
    constants: Mapping[str, float] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Its title in reports: the name, the formula, or the line of the objective."""
        lines = [line for line in self.text.splitlines() if "=" in line] or [self.text]
        return self.name or _first_words(" ".join(lines[-1].split()))

    @property
    def has_log_link(self) -> bool:
        """Whether the mean is the exponential of the score."""
        return self.row.link_name == "log"

    def refuse_exposure(self, exposure: str | None) -> None:
        """Raise a `DataError` where an exposure is given and the mean is not a multiple of it."""
        if exposure is not None and not self.has_log_link:
            raise DataError(
                f"--exposure multiplies the mean, which takes a log link; the loss {self.title} "
                f"has the {self.row.link_name} link. Use --offset, or a loss with a log link."
            )


def _first_words(text: str, most: int = 60) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
