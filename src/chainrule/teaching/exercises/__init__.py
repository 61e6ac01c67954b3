"""Exercises on backpropagation, made from the derivations of a bank of forward passes.

No answer is stored. Questions, hints, distractors and difficulty are computed from the derivation,
whose every step is verified.
"""
