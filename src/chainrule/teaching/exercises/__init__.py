"""Exercises on backpropagation, made from the derivations of a bank of forward passes."""
