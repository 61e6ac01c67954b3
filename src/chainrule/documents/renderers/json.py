"""Documents as JSON: each block is an object with its kind; expressions are in three notations."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Expr
from chainrule.documents.blocks import Document
from chainrule.language.typeset import latex, plain, spoken

SCHEMA = 1


def render(document: Document) -> dict[str, Any]:
    """Return a document as plain data, ready for ``json.dumps``."""
    found = _value(document)
    assert isinstance(found, dict)
    return {"schema": SCHEMA, **found}


def _value(part: object) -> object:
    if isinstance(part, Expr):
        return {"plain": plain(part), "latex": latex(part), "spoken": spoken(part)}
    if isinstance(part, Enum):
        return part.value
    if isinstance(part, tuple):
        return [_value(inner) for inner in part]
    if isinstance(part, frozenset):
        return sorted(part)
    if is_dataclass(part) and not isinstance(part, type):
        own = {f.name: getattr(part, f.name) for f in fields(part)}
        shown = {name: _value(inner) for name, inner in own.items() if not isinstance(inner, Model)}
        return {"kind": type(part).__name__.lower(), **shown}
    return part


__all__ = ["render"]
