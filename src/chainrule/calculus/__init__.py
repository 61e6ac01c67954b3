"""Expressions, their derivatives, and the verification of both."""
