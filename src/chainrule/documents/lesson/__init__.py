"""A derivation as a person reads it: in the terminal, in LaTeX, as JSON, on a page."""
