"""Solvers: they minimise an objective and say where they stopped; they prove nothing."""
