"""Threads and the machine."""
