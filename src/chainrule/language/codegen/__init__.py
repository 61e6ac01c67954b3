"""Code generation: a module with forward pass, gradients, and a check by finite differences."""

from chainrule.language.codegen.dialects import DIALECTS
from chainrule.language.codegen.module import module_text

TARGETS = tuple(DIALECTS)
"""The target libraries."""

__all__ = ["TARGETS", "module_text"]
