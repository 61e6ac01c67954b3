"""Reading: a forward pass as a lecture writes it, into a model.

The text becomes tokens, the tokens a tree, and the shapes decide what the tree means. Nothing is
ever evaluated as Python, and every limit is checked before the work that it bounds.
"""

from __future__ import annotations

from chainrule.language.reading.expressions import read_expression
from chainrule.language.reading.library import example_names, load_model, load_text, loss_names
from chainrule.language.reading.models import read_model
from chainrule.language.reading.names import canonical

__all__ = [
    "canonical",
    "example_names",
    "load_model",
    "load_text",
    "loss_names",
    "read_expression",
    "read_model",
]
