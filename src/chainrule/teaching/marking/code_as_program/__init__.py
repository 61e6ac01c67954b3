"""Whole programs of NumPy, interpreted with random data so that their gradients can be measured."""
