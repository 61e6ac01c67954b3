"""Evaluation of graphs: float64, modular and fifty-digit values, forward passes, differences."""
