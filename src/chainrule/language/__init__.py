"""How people write mathematics: read, typeset, turned into code."""
