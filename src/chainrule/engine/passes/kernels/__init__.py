"""Pointwise formulas, emitted from the derivation."""
