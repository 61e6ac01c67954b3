"""Seeded cases of every kind of input, for as long as asked: `python -m tests.torture -h`."""
