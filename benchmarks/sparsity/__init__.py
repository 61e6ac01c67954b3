"""L1-penalised logistic regression: time to a relative gap, whole paths, other solvers."""
