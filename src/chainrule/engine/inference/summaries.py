"""`Coefficients` as text and as HTML, in the layout that people know; the proof comes first."""

from __future__ import annotations

from html import escape

import numpy as np

from chainrule.engine.inference.coefficients import Coefficients
from chainrule.engine.inference.hypotheses import shown_p
from chainrule.engine.inference.likelihoods import ScoreLikelihood

_HEADER = ("", "coef", "std err", "z", "P>|z|")


def summary(inference: Coefficients) -> str:
    """Return the table as text."""
    body = _body(inference)
    widths = [max(len(row[k]) for row in body) for k in range(len(body[0]))]
    lines = [str(inference.certificate), *facts(inference), ""]
    for number, row in enumerate(body):
        cells = [
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
        if number == 0:
            lines.append("-" * (sum(widths) + 2 * (len(widths) - 1)))
    for note in notes(inference):
        lines += ["", note]
    return "\n".join(lines)


def html(inference: Coefficients) -> str:
    """Return the table as HTML, for notebooks."""
    body = _body(inference)
    head = "".join(f"<th scope='col'>{escape(cell)}</th>" for cell in body[0])
    rows = "".join(
        "<tr>"
        + f"<th scope='row'>{escape(row[0])}</th>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in body[1:]
    )
    lines = "<br>".join(escape(line) for line in facts(inference))
    note = "".join(f"<p>{escape(text)}</p>" for text in notes(inference))
    return (
        f"<p>{escape(str(inference.certificate))}</p><p>{lines}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{note}"
    )


def notes(inference: Coefficients) -> list[str]:
    """Return what to know about the errors, and about tests that do not depend on them."""
    found = [inference.note] if inference.note else []
    if inference.cov != "model":
        found.append(
            "lr(), score() and profile() are of the model, whatever cov is; wald() is by the "
            "errors above."
        )
    return found


def facts(inference: Coefficients) -> list[str]:
    """Return the sentences on the fit as a whole."""
    glance = inference.glance()
    likelihood = inference.model.likelihood
    is_score = isinstance(likelihood, ScoreLikelihood)
    name = likelihood.row.name if is_score else "multinomial logistic"  # type: ignore[attr-defined]
    kind = {"model": "of the model (inverse information)"}.get(inference.cov, inference.cov)
    rows = f"{glance.nobs:g}"
    if inference.model.has_shares:
        rows += f" ({glance.trials:g} trials)"
    lines = [
        f"Loss: {name}. Rows: {rows}. Degrees of freedom left: {glance.df_residual:g}. "
        f"Errors: {kind}."
    ]
    if np.isfinite(glance.log_likelihood):
        lines.append(
            f"Log-likelihood {glance.log_likelihood:.6g} (null {glance.null_log_likelihood:.6g}), "
            f"AIC {glance.aic:.6g}, BIC {glance.bic:.6g}, "
            f"McFadden's R2 {glance.pseudo_r2.get('mcfadden', float('nan')):.4f}."
        )
    if np.isfinite(glance.deviance):
        lines.append(f"Deviance {glance.deviance:.6g} (null {glance.null_deviance:.6g}).")
    if inference.base:
        lines.append(f"Coefficients are log odds against {inference.base}.")
    lines.append(_digits(inference))
    return [line for line in lines if line]


def _digits(inference: Coefficients) -> str:
    if inference.cov != "model" or inference.limit is not None or inference.prior:
        return ""
    t, _ = inference.model.distance
    if not np.isfinite(t):
        return ""
    return (
        f"Every coefficient is within {t:.1g} standard errors of that of the exact optimum: proven."
    )


def _body(inference: Coefficients) -> list[list[str]]:
    """Return the cells, the header first."""
    letter = "z" if np.isinf(inference.df_residual) else "t"
    percent = 100 * (1 - inference.level) / 2
    header = [
        "",
        "coef",
        "std err",
        letter,
        f"P>|{letter}|",
        f"[{percent:g}%",
        f"{100 - percent:g}%]",
    ]
    found = [header]
    for row in inference.tidy.rows():
        name = f"{row['y.level']}: {row['term']}" if "y.level" in row else str(row["term"])
        found.append(
            [
                name,
                _number(row["estimate"]),
                _number(row["std.error"]),
                f"{row['statistic']:.3f}",
                shown_p(row["p.value"]) if np.isfinite(row["p.value"]) else "-",
                _number(row["conf.low"]),
                _number(row["conf.high"]),
            ]
        )
    return found


def _number(value: float) -> str:
    if not np.isfinite(value):
        return "-" if np.isnan(value) else f"{value:+}"
    return f"{value:.4f}" if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.4g}"
