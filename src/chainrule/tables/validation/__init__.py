"""Validation of fitted tables: intervals of metrics, thresholds, comparison of models."""
