"""Gradient descent with a derived gradient, on any forward pass."""
