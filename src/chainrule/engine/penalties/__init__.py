"""Penalties on the coefficients."""
