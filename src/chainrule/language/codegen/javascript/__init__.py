"""JavaScript: the NumPy of the ops' entries, translated to calls of a small runtime."""
