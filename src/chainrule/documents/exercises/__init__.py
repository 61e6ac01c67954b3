"""Questions and problem sets as documents: the builders of their blocks."""
