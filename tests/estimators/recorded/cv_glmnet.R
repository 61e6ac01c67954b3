# Writes cv_glmnet.csv: R glmnet's cross-validated curves, and the points that it chooses.
# Gaussian ridge is not compared: glmnet divides its lambda by the deviation of y in each fold.
# Run from the repository root: Rscript tests/estimators/recorded/cv_glmnet.R
library(glmnet)
table <- read.csv("src/chainrule/data/breast_cancer.csv")
columns <- c("mean_texture", "mean_smoothness", "mean_symmetry", "se_texture", "mean_area")
standard <- function(v) (v - mean(v)) / sqrt(mean((v - mean(v))^2))
X <- apply(as.matrix(table[, columns]), 2, standard)
n <- nrow(X)
i <- seq_len(n)
foldid <- 1 + (i * i) %% 7
foldid <- match(foldid, sort(unique(foldid)))
weight <- 1 + i %% 3
malignant <- as.integer(table$diagnosis == "malignant")
count <- floor(table$worst_concavity * 10)
lambda <- 10^seq(1, -4, length.out = 26)
cases <- list(
  list(name = "binomial", y = malignant, family = "binomial", w = rep(1, n), alpha = 0),
  list(name = "binomial weighted", y = malignant, family = "binomial", w = weight, alpha = 0),
  list(name = "binomial lasso", y = malignant, family = "binomial", w = rep(1, n), alpha = 1),
  list(name = "binomial elastic net", y = malignant, family = "binomial", w = weight, alpha = 0.4),
  list(name = "poisson", y = count, family = "poisson", w = rep(1, n), alpha = 0),
  list(name = "multinomial", y = pmin(count, 2), family = "multinomial", w = rep(1, n), alpha = 0)
)
rows <- list()
for (case in cases) {
  fit <- cv.glmnet(X, case$y, weights = case$w, family = case$family, alpha = case$alpha, lambda = lambda,
                   standardize = FALSE, foldid = foldid, thresh = 1e-16, maxit = 1e7)
  rows[[length(rows) + 1]] <- data.frame(
    case = case$name, lambda = fit$lambda, cvm = fit$cvm, cvsd = fit$cvsd,
    lambda_min = fit$lambda.min, lambda_1se = fit$lambda.1se)
}
options(digits = 17)
write.csv(do.call(rbind, rows), "tests/estimators/recorded/cv_glmnet.csv", row.names = FALSE)
