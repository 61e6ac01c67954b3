"""The calls that need more than numpy: the engine's certificate, and a page to download."""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.board import downloads
from chainrule.board.calls import CALLS, Call
from chainrule.board.coding import typescript
from chainrule.board.derivations import derivation_of
from chainrule.board.schema import (
    CertificateInfo,
    CertifyArgs,
    Download,
    ExportArgs,
    NoArgs,
    Opened,
)
from chainrule.board.training import problem_of


def certify(args: CertifyArgs) -> CertificateInfo:
    """Fit with the engine, and return its certificate."""
    from chainrule.estimators.classifier import LogisticRegression

    problem = problem_of(args)
    fit = LogisticRegression(C=args.C).fit(problem.X.T, problem.Y[0].astype(int))
    found = fit.certificate_
    said = str(found)
    return CertificateInfo(
        said,
        tuple(part.strip() for part in said.split(". ") if part.strip()),
        tuple(float(value) for value in fit.coef_[0]),
        float(fit.intercept_[0]),
        float(fit.objective_),
        float(found.suboptimality_bound),
    )


def export(args: ExportArgs) -> Download:
    """Return a derivation as a file, pages included."""
    if args.to != "html":
        return downloads.export(args)
    from chainrule.documents.lesson.building import lesson
    from chainrule.documents.renderers import html

    derivation = derivation_of(args.text, args.wrt, args.order)
    name = f"{downloads.file_stem(derivation)}.html"
    return Download(name, "text/html", html.render(lesson(derivation)))


NATIVE: Mapping[str, Call] = {
    **CALLS,
    "certify": Call(certify, CertifyArgs, CertificateInfo),
    "export": Call(export, ExportArgs, Download),
}
"""The calls of the loopback server."""


def declarations() -> str:
    """Return the TypeScript of every dataclass of `schema` and of every call."""
    pairs = {name: (call.args, call.result) for name, call in NATIVE.items()}
    return typescript(pairs | {"opened": (NoArgs, Opened)})
