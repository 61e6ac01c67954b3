# Records what glmnet finds for tests/estimators/test_paths.py:  Rscript paths.R > paths.json
library(glmnet)
n <- 60; p <- 6
i <- 1:n
X <- sapply(1:p, function(j) sin(i * j * 0.7) * j + cos(i * (j + 1)) + i / n)
y <- as.integer(sin(i * 0.9) + X[, 2] / 3 - X[, 4] / 6 > 0.1)
w <- 1 + (i %% 3)
o <- 0.2 * cos(i)
show <- function(name, fit) {
  b <- as.matrix(coef(fit))
  cat(sprintf('"%s": {"lambda": [%s], "deviance_ratio": [%s], "coef": [%s]}', name,
    paste(sprintf("%.17g", fit$lambda), collapse = ", "),
    paste(sprintf("%.17g", fit$dev.ratio), collapse = ", "),
    paste(apply(b, 2, function(v) paste0("[", paste(sprintf("%.17g", v), collapse = ", "), "]")),
      collapse = ", ")))
}
cat("{")
cases <- list(
  lasso = list(alpha = 1, standardize = FALSE),
  standardized = list(alpha = 1, standardize = TRUE),
  elastic = list(alpha = 0.4, standardize = TRUE, weights = w, offset = o),
  bounded = list(alpha = 1, standardize = FALSE, lower.limits = 0, upper.limits = 0.3)
)
for (k in seq_along(cases)) {
  if (k > 1) cat(", ")
  args <- c(list(x = X, y = y, family = "binomial", nlambda = 6, lambda.min.ratio = 0.01,
    thresh = 1e-20, maxit = 1e6), cases[[k]])
  show(names(cases)[k], do.call(glmnet, args))
}
cat("}\n")
