"""Derivations that several tests look at, computed once per process.

A derivation is data that nothing changes, so tests share it. A test of what happens while a
derivation is made, or that changes how it is made, calls `derivation_of` or `derive` itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from chainrule.calculus.derivation.derive import derivation_of
from chainrule.calculus.derivation.steps import Derivation
from chainrule.calculus.graph.model import Model
from chainrule.calculus.proof.certify import certify

KEPT = 512
"""The number of derivations that are kept, of each kind."""


@dataclass(frozen=True)
class _Key:
    """A forward pass as a key: the notes, a dictionary, are compared and not hashed."""

    model: Model

    def __hash__(self) -> int:
        return hash((self.model.inputs, self.model.definitions, self.model.objective))


def derived(model: Model) -> Derivation:
    """Derive the gradients of the parameters, without verification."""
    return _derived(_Key(model))


def verified(model: Model) -> Derivation:
    """Derive the gradients of the parameters, and verify every step."""
    return _verified(_Key(model))


@lru_cache(KEPT)
def _derived(key: _Key) -> Derivation:
    return derivation_of(key.model)


@lru_cache(KEPT)
def _verified(key: _Key) -> Derivation:
    return certify(_derived(key))
