"""Formulas such as ``y ~ a*b + bs(age, df=4)``: read, fitted to columns, kept as data, applied.

Nothing that stands in a formula is evaluated as code: an expression is a tree of arithmetic and of
the functions that are listed here, or it is rejected.
"""
