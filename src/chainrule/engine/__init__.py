"""The training engine: from rows of numbers to coefficients with a proof."""
