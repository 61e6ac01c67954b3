# Records what cv.glmnet finds for tests/estimators/test_relaxed_folds.py:
#   Rscript relaxed_folds.R > relaxed_folds.json
library(glmnet)
n <- 120; p <- 6
i <- 1:n
X <- sapply(1:p, function(j) sin(i * j * 0.7) * j + cos(i * (j + 1)) + i / n)
z <- sin(i * 0.9) * 2 + X[, 2] / 2 - X[, 4] / 6 + X[, 5] / 9
y <- as.integer(z > 0.3)
counts <- floor(exp(0.4 * sin(i * 0.9) + X[, 2] / 5) * (1 + cos(i * 3.1)^2))
lambdas <- c(0.3, 0.15, 0.07, 0.03, 0.01)
list_of <- function(v) paste0("[", paste(sprintf("%.17g", v), collapse = ", "), "]")
cat("{")
for (family in c("binomial", "poisson")) {
  if (family == "poisson") cat(", ")
  fit <- cv.glmnet(X, if (family == "binomial") y else counts, family = family, lambda = lambdas,
    foldid = 1 + (i %% 4), standardize = FALSE, relax = TRUE, gamma = c(0, 0.25, 0.5, 0.75, 1),
    type.measure = "deviance", thresh = 1e-18, maxit = 1e6)
  r <- fit$relaxed
  rows <- sapply(r$statlist, function(s) list_of(s$cvm))
  sds <- sapply(r$statlist, function(s) list_of(s$cvsd))
  cat(sprintf('"%s": {"cvm": [%s], "cvsd": [%s], "min": %s, "1se": %s, "coef_1se": %s}', family,
    paste(rows, collapse = ", "), paste(sds, collapse = ", "),
    list_of(c(r$lambda.min, r$gamma.min)), list_of(c(r$lambda.1se, r$gamma.1se)),
    list_of(as.vector(predict(fit, type = "coefficients", s = r$lambda.1se,
      gamma = r$gamma.1se)))))
}
cat("}\n")
