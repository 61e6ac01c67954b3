"""The loss of a regression in its model file: name or text, constants, link, targets, facts.

Reading derives the loss again: its text is parsed and never evaluated. The facts that are stored
are a record of the fit; those in force are proven anew.
"""

from __future__ import annotations

import math
from typing import Any

from chainrule.engine.losses.facts import Facts, Targets
from chainrule.errors import ModelError
from chainrule.tables.chosen_loss import ChosenLoss
from chainrule.tables.json_reader import Reader
from chainrule.tables.loss_facts import proofs_of

_KEYS = {"name", "formula", "constants", "link", "targets", "facts", "proofs"}
_ENDS = ("low", "high")
_TRUTHS = ("has_low", "has_high", "whole")
_VALUES = "values"


def loss_document(loss: ChosenLoss) -> dict[str, Any]:
    """Return a loss as JSON values."""
    targets = loss.row.targets
    return {
        "name": loss.name,
        "formula": loss.text,
        "constants": dict(loss.constants),
        "link": loss.row.link_name,
        "targets": {
            **{name: _finite(getattr(targets, name)) for name in _ENDS},
            **{name: getattr(targets, name) for name in _TRUTHS},
            **({_VALUES: list(targets.values)} if targets.values else {}),
        },
        "facts": facts_document(loss.row.facts),
        "proofs": proofs_of(loss.row.facts),
    }


def facts_document(facts: Facts) -> dict[str, float | bool | None]:
    """Return the facts of a loss as JSON values; null for infinite and for not proven."""
    low, high = facts.curvature
    return {
        "convex": facts.convex,
        "self_concordance": facts.self_concordance,
        "least_curvature": _finite(low),
        "largest_curvature": _finite(high),
        "has_least": facts.has_least,
        "optimum_may_be_missing": facts.optimum_may_be_missing,
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def read_loss(read: Reader, item: object) -> ChosenLoss:
    """Derive the loss of a model file again."""
    # what derives is loaded for regressions alone
    from chainrule.emission.shipped import SHIPPED
    from chainrule.tables.losses import named_loss, own_loss

    record = read.record(item, "loss")
    read.keys(record, _KEYS, "loss")
    name = read.word(record["name"], "loss: name")
    text = read.word(record["formula"], "loss: formula")
    link = read.word(record["link"], "loss: link")
    constants = {
        key: read.number(value, f"loss: constants: {key}")
        for key, value in read.record(record["constants"], "loss: constants").items()
    }
    targets = _read_targets(read, record["targets"])
    read.facts(record["facts"], "loss: facts")
    for key, proof in read.record(record["proofs"], "loss: proofs").items():
        read.word(proof, f"loss: proofs: {key}")
    if name and name not in SHIPPED:
        raise read.fault("loss: name", f"no loss {name!r} ships with this chainrule")
    try:
        loss = named_loss(name, constants) if name else own_loss(text, constants, link, targets)
    except ModelError as error:
        raise read.fault("loss", str(error)) from None
    if loss.row.link_name != link:
        raise read.fault("loss: link", f"{name} has the link {loss.row.link_name}, not {link!r}")
    return loss


def _read_targets(read: Reader, item: object) -> Targets:
    record = read.record(item, "loss: targets")
    # only targets that are a few values have them
    read.keys({_VALUES: [], **record}, {*_ENDS, *_TRUTHS, _VALUES}, "loss: targets")
    low, high = (
        far if record[name] is None else read.number(record[name], f"loss: targets: {name}")
        for name, far in (("low", -math.inf), ("high", math.inf))
    )
    has_low, has_high, whole = (
        read.truth(record[name], f"loss: targets: {name}") for name in _TRUTHS
    )
    place = f"loss: targets: {_VALUES}"
    listed = read.items(record.get(_VALUES, []), place, least=0)
    values = tuple(read.number(value, place) for value in listed)
    if values:
        return Targets.of(*values)
    return Targets(low, high, has_low, has_high, whole)
