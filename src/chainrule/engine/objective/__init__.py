"""The objective: sums of losses over rows, the intercept, the penalty."""
