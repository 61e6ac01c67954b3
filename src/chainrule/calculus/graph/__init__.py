"""Expressions: dimensions, interned nodes, the type of an operation, the forward pass."""
