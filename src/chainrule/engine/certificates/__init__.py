"""Bounds on the distance from the optimum, and proofs that there is none."""
