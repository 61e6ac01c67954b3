"""Losses: pointwise functions of a score and a target."""
