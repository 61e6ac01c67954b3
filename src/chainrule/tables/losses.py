"""The loss of a fit: a shipped one by its name, or one's own by its text, with its constants.

All that a model file needs to derive the loss again is kept: text, constants, link and targets.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from chainrule.emission.deriving import derive_loss
from chainrule.emission.links import LINKS
from chainrule.emission.shipped import SHIPPED, shipped_loss
from chainrule.engine.losses.facts import Targets
from chainrule.engine.losses.table import find_loss
from chainrule.errors import DataError, ModelError
from chainrule.estimators.losses import loss_text
from chainrule.tables.chosen_loss import ChosenLoss

_CONSTANT_HINT = "A named constant gets its value by --constant NAME=VALUE."


def choose_loss(
    wanted: str,
    constants: Mapping[str, float] | None = None,
    link: str | None = None,
    targets: Targets | None = None,
) -> ChosenLoss:
    """Return a loss by its name, the path of its forward pass, or its formula.

    Parameters
    ----------
    wanted : str
        A shipped name, a path that ends in ``.cr``, or a formula in z and y.
    constants : mapping of str to float, optional
        Values of named constants; shipped losses have defaults.
    link : str, optional
        The link of one's own loss; by default the identity.
    targets : Targets, optional
        The targets of one's own loss; by default all numbers.

    Raises
    ------
    ModelError
        When the text is not a loss of one score, or a constant is unknown or out of range.
    DataError
        When there is no such name or file.

    Examples
    --------
    >>> choose_loss("huber").constants
    {'delta': 1.35}
    """
    text = loss_text(wanted)
    name = wanted if text is None else shipped_name(text)
    if text is not None and not name:
        return own_loss(text, constants or {}, link, targets)
    if link is not None or targets is not None:
        raise DataError(
            f"the loss {name} has a link and targets of its own. Omit --link and --targets, which "
            "are for a loss that you write."
        )
    return named_loss(name, constants or {})


def loss_of_text(text: str, constants: Mapping[str, float]) -> ChosenLoss:
    """Return the shipped loss that is written so, or derive it as one's own."""
    name = shipped_name(text)
    return named_loss(name, constants) if name else own_loss(text, constants)


def named_loss(name: str, constants: Mapping[str, float]) -> ChosenLoss:
    """Return a shipped loss for values of its constants."""
    shipped = SHIPPED[name]
    values = shipped.values(constants)
    row = find_loss(name) if values == shipped.values({}) else shipped_loss(name, values)
    return ChosenLoss(name, shipped.text.strip(), row, values)


def own_loss(
    text: str,
    constants: Mapping[str, float],
    link: str | None = None,
    targets: Targets | None = None,
) -> ChosenLoss:
    """Derive a loss from its text."""
    for name, value in constants.items():
        if not name.isidentifier() or not math.isfinite(value):
            raise ModelError(f"the constant {name!r} = {value}: give a name and a finite number")
    if link is not None and link not in LINKS:
        raise ModelError(f"unknown link {link}; known are {', '.join(LINKS)}")
    try:
        row = derive_loss(text, constants=constants, targets=targets, link=link or "identity")
    except ModelError as error:
        said = str(error)
        if "unknown name" not in said and "besides the score" not in said:
            raise
        raise ModelError(f"{said.rstrip('.')}.\n{_CONSTANT_HINT}") from None
    return ChosenLoss("", text.strip(), row, dict(constants))


def shipped_name(text: str) -> str:
    """Return the name of the shipped loss that is written so, or nothing."""
    found = (name for name, row in SHIPPED.items() if row.text.strip() == text.strip())
    return next(found, "")
