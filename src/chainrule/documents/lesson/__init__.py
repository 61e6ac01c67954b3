"""Derivations as documents: the builders of their blocks, and a derivation as data."""
