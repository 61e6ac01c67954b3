"""Languages of mathematics: reading, typesetting, code generation, answers."""
