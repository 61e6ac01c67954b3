# Records what glmnet finds for tests/estimators/test_relaxed.py:  Rscript relaxed.R > relaxed.json
library(glmnet)
n <- 90; p <- 6
i <- 1:n
X <- sapply(1:p, function(j) sin(i * j * 0.7) * j + cos(i * (j + 1)) + i / n)
z <- sin(i * 0.9) * 2 + X[, 2] / 2 - X[, 4] / 6 + X[, 5] / 9
y <- as.integer(z > 0.3)
s <- cbind(sin(i * 0.9) + X[, 2] / 2, cos(i * 1.7) - X[, 3] / 4, sin(i * 2.3) + X[, 5] / 6)
kinds <- max.col(s) - 1
w <- 1 + (i %% 3)
o <- 0.2 * cos(i)
list_of <- function(v) paste0("[", paste(sprintf("%.17g", v), collapse = ", "), "]")
table_of <- function(fit, gamma) {
  b <- coef(fit, gamma = gamma)
  if (!is.list(b)) return(paste(apply(as.matrix(b), 2, list_of), collapse = ", "))
  paste(sapply(seq_along(fit$lambda), function(k) {
    paste0("[", paste(sapply(b, function(part) list_of(as.matrix(part)[, k])), collapse = ", "),
      "]")
  }), collapse = ", ")
}
cases <- list(
  plain = list(y = y, family = "binomial"),
  given = list(y = y, family = "binomial", weights = w, offset = o),
  bounded = list(y = y, family = "binomial", lower.limits = 0, upper.limits = 0.4),
  classes = list(y = kinds, family = "multinomial")
)
cat("{")
for (k in seq_along(cases)) {
  if (k > 1) cat(", ")
  args <- c(list(x = X, standardize = FALSE, nlambda = 6, lambda.min.ratio = 0.03, relax = TRUE,
    thresh = 1e-18, maxit = 1e6), cases[[k]])
  fit <- do.call(glmnet, args)
  cat(sprintf('"%s": {"lambda": %s, "gammas": {"0": [%s], "0.25": [%s]}}', names(cases)[k],
    list_of(fit$lambda), table_of(fit$relaxed, 1), table_of(fit, 0.25)))
}
cat("}\n")
