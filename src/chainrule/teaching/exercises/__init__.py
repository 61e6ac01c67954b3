"""Exercises on backpropagation: a bank of forward passes; everything else comes from deriving them.

No answer is stored. What is asked, the hints, the wrong answers among which a student chooses and
the difficulty are read off the derivation, whose every step is proven.
"""
