"""Poisson, Gamma and self-written losses against the peers: ``make bench-losses``."""
