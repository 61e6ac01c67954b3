"""A cache of derivations for forward passes that many transcripts share."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.model import Model

KEPT = 256
"""The number of derivations that are cached."""


@dataclass(frozen=True)
class _ModelKey:
    """A forward pass as a key that ignores line numbers."""

    key: tuple[Any, ...]
    model: Model = field(compare=False)


def derived(model: Model, name: str) -> Derivation:
    """Return the derivation of the objective with respect to one variable, from the cache."""
    lines = tuple((definition.target, definition.value) for definition in model.definitions)
    same = _ModelKey((model.inputs, lines, model.objective, model.onehot), model)
    return _derived(same, name)


@lru_cache(KEPT)
def _derived(same: _ModelKey, name: str) -> Derivation:
    return derivation_of(same.model, [name])
