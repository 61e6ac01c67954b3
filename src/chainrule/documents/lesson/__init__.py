"""A derivation as text, LaTeX, JSON, a page and slides."""
