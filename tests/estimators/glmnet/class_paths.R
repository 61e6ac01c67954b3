# Records what glmnet finds for tests/estimators/test_class_paths.py:
#   Rscript class_paths.R > class_paths.json
library(glmnet)
n <- 90; p <- 5
i <- 1:n
X <- sapply(1:p, function(j) sin(i * j * 0.7) * j + cos(i * (j + 1)) + i / n)
s <- cbind(sin(i * 0.9) + X[, 2] / 2, cos(i * 1.7) - X[, 3] / 4, sin(i * 2.3) + X[, 5] / 6)
y <- max.col(s) - 1
w <- 1 + (i %% 3)
o <- 0.3 * cbind(cos(i), sin(i), cos(2 * i))
list_of <- function(v) paste0("[", paste(sprintf("%.17g", v), collapse = ", "), "]")
show <- function(name, fit) {
  per_lambda <- sapply(seq_along(fit$lambda), function(k) {
    paste0("[", paste(sapply(coef(fit), function(b) list_of(as.matrix(b)[, k])),
      collapse = ", "), "]")
  })
  cat(sprintf('"%s": {"lambda": %s, "deviance_ratio": %s, "coef": [%s]}', name,
    list_of(fit$lambda), list_of(fit$dev.ratio), paste(per_lambda, collapse = ", ")))
}
cases <- list(
  lasso = list(alpha = 1, standardize = FALSE),
  standardized = list(alpha = 1, standardize = TRUE),
  elastic = list(alpha = 0.4, standardize = TRUE, weights = w, offset = o)
)
cat("{")
for (k in seq_along(cases)) {
  if (k > 1) cat(", ")
  args <- c(list(x = X, y = y, family = "multinomial", nlambda = 5, lambda.min.ratio = 0.02,
    thresh = 1e-20, maxit = 1e6), cases[[k]])
  show(names(cases)[k], do.call(glmnet, args))
}
cat("}\n")
