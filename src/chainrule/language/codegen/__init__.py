"""Code generation: a module with forward pass, gradients, and a check by finite differences."""

from chainrule.language.codegen.module import TARGETS, module_text, script_text

__all__ = ["TARGETS", "module_text", "script_text"]
