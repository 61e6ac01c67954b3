"""The timings that the project promises: ``make bench``."""
