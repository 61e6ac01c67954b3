"""Rules that rewrite expressions, one row each, and the trace of what they did."""
