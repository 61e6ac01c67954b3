# Writes delong.json: areas, intervals and paired tests of R's pROC.
# Run from the repository root: Rscript tests/tables/recorded/delong.R
library(pROC)
library(jsonlite)
case <- function(name, n, digits) {
  i <- seq_len(n)
  y <- as.integer((i * 7919) %% 13 < 5)
  a <- round(sin(i * 1.7) + 0.8 * y, digits)
  b <- round(cos(i * 2.3) + 0.5 * y + 0.3 * sin(i * 1.7), digits)
  first <- roc(y, a, direction = "<", levels = c(0, 1), quiet = TRUE)
  second <- roc(y, b, direction = "<", levels = c(0, 1), quiet = TRUE)
  test <- roc.test(first, second, method = "delong", paired = TRUE)
  list(name = name, n = n, digits = digits, auc = c(auc(first), auc(second)),
       variance = c(var(first), var(second)), covariance = cov(first, second),
       interval = ci.auc(first, method = "delong")[c(1, 3)], p = test$p.value)
}
cases <- list(case("ties", 60, 1), case("few", 11, 3), case("many", 500, 8))
write(toJSON(cases, digits = NA, auto_unbox = TRUE, pretty = TRUE),
      "tests/tables/recorded/delong.json")
