"""Exercises without an asked gradient: concepts, counts, shapes, circuits, steps by hand.

Facts are data with a source; numbers are computed, by the engine where there is a forward pass.
"""
