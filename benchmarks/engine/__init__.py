"""Time to an accuracy, peak memory and reads of X, against the peers: ``make bench-engine``."""
