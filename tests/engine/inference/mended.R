# Writes mended.json: glm of cbind(), predictions with offsets, emmeans of interactions.
# Run from the repository root: Rscript tests/engine/inference/mended.R
library(emmeans)
library(jsonlite)
i <- seq_len(30)
x <- round(sin(i * 1.3), 3)
trials <- 5 + (i * 7) %% 27
dead <- round(trials * plogis(-0.3 + 0.8 * x + 0.9 * cos(i * 2.1)))
grouped <- glm(cbind(dead, trials - dead) ~ x, family = binomial, control = list(epsilon = 1e-14))
rows <- data.frame(x = rep(x, 2), y = rep(1:0, each = 30), w = c(dead, trials - dead))
rows <- rows[rep(seq_len(60), rows$w), ]
single <- glm(y ~ x, family = binomial, data = rows)
null <- glm(y ~ 1, family = binomial, data = rows)
n <- nrow(rows)
snell <- 1 - exp(2 * as.numeric(logLik(null) - logLik(single)) / n)
j <- seq_len(40)
counts <- data.frame(u = round(cos(j * 0.9), 3), e = 1 + (j * 5) %% 9)
counts$y <- round(counts$e * exp(0.2 + 0.5 * counts$u + 0.6 * sin(j * 3.1)))
poisson <- glm(y ~ u + offset(log(e)), family = poisson, data = counts)
new <- data.frame(u = c(-0.5, 0.4), e = c(3, 20))
scores <- predict(poisson, new, se.fit = TRUE)
k <- seq_len(240)
cross <- data.frame(sex = c("f", "m")[1 + (k * 5) %% 7 %% 2],
                    race = c("a", "b", "c")[1 + (k * 11) %% 13 %% 3], age = 30 + (k * 17) %% 41)
eta <- -0.4 + 0.9 * (cross$sex == "m") * (cross$race == "b") - 0.5 * (cross$race == "c") +
  0.02 * (cross$age - 50) * (cross$race == "b")
cross$y <- as.integer(plogis(eta) + 0.45 * sin(k * 2.7) > 0.5)
pairs_of <- function(formula) {
  fit <- glm(formula, family = binomial, data = cross, control = list(epsilon = 1e-14))
  found <- as.data.frame(summary(contrast(emmeans(fit, "race"), "pairwise")))
  list(contrast = found$contrast, estimate = found$estimate, se = found$SE, p = found$p.value)
}
clean <- function(fit) list(logLik = as.numeric(logLik(fit)), AIC = AIC(fit), BIC = BIC(fit),
  deviance = deviance(fit), null.deviance = fit$null.deviance, df.residual = fit$df.residual,
  df.null = fit$df.null, nobs = nobs(fit))
p <- fitted(single)
write(toJSON(list(
  x = x, trials = trials, dead = dead, grouped = clean(grouped),
  r2 = list(mcfadden = 1 - as.numeric(logLik(single) / logLik(null)), cox.snell = snell,
    nagelkerke = snell / (1 - exp(2 * as.numeric(logLik(null)) / n)),
    efron = 1 - sum((rows$y - p)^2) / sum((rows$y - mean(rows$y))^2)),
  brier = mean((rows$y - p)^2),
  counts = counts, predicted = list(fit = exp(scores$fit), se = scores$se.fit),
  cross = cross, product = pairs_of(y ~ sex * race), slopes = pairs_of(y ~ race * age + sex)),
  digits = NA, auto_unbox = TRUE, dataframe = "columns"),
  "tests/engine/inference/mended.json")
