"""Inference: covariances, intervals and tests of fitted coefficients, and their proven digits."""
