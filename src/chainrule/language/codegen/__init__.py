"""A derivation as a module to keep: forward pass, gradients, and a check against differences."""

from chainrule.language.codegen.dialects import DIALECTS
from chainrule.language.codegen.module import module_text

TARGETS = tuple(DIALECTS)
"""The libraries that a module can be written for."""

__all__ = ["TARGETS", "module_text"]
