"""Exercises, grading, and the mistake behind a wrong answer."""
