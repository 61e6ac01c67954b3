"""``chainrule check``: verify every step, and compare gradients with finite differences."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from chainrule.cli.shared import forward_pass, names_in, text_console, wrt_option

if TYPE_CHECKING:
    from chainrule.calculus.derivation.steps import StepCertificate
    from chainrule.calculus.proof.checking import CheckReport
    from chainrule.calculus.proof.evidence import Disagreement


_HELP = """Verify every step of the derivation of FILE, and compare the gradients.

FILE is a path, the name of a shipped example, or '-' for the standard input.

Every gradient is compared with finite differences of the objective, at several sizes: entry by
entry, or, beyond 64 entries, at 64 of them and along 16 random directions in which all entries
count. The exit status is 1 if anything fails.

\b
chainrule check examples/logistic_batch
chainrule check my.cr --wrt W1,b1 --sizes 5
"""


@click.command(
    "check", help=_HELP, short_help="Verify every step; compare with finite differences."
)
@click.argument("file")
@wrt_option
@click.option(
    "--sizes",
    type=click.IntRange(1, 20),
    default=3,
    show_default=True,
    help="Number of random size assignments to test.",
)
@click.option("--json", "as_json", is_flag=True, help="Print a machine-readable report.")
def command(file: str, wrt: str | None, sizes: int, as_json: bool) -> None:
    """Verify every step of the derivation of FILE, and compare the gradients."""
    from chainrule.calculus.proof.checking import check_model

    names = names_in(wrt) or None
    report = check_model(forward_pass(file), names, sizes)
    if as_json:
        click.echo(json.dumps(_data(report), indent=2, ensure_ascii=False))
    else:
        _print(report)
    if not report.passed:
        sys.exit(1)


def _data(report: CheckReport) -> dict[str, Any]:
    return {
        "passed": report.passed,
        "reading": list(report.derivation.reading),
        "steps": [
            {"id": s.step.id, "rule": s.step.rule, "passed": s.passed, "evidence": str(s.evidence)}
            for s in report.steps
        ],
        "gradients": [
            {
                "variable": g.variable,
                "sizes": dict(g.sizes),
                "shape": list(g.shape),
                "error": g.error,
                "passed": g.passed,
            }
            for g in report.gradients
        ],
    }


def _print(report: CheckReport) -> None:
    from rich import box
    from rich.table import Table

    from chainrule.language.typeset import unicode

    console = text_console()
    for note in report.derivation.reading:
        console.print(note, markup=False)
    steps = Table(
        "",
        "",
        "line",
        "rule",
        "evidence",
        title="Every step",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        pad_edge=False,
    )
    for s in report.steps:
        line = f"{unicode(s.step.left)} = {unicode(s.step.after)}"
        steps.add_row(
            "✓" if s.passed else "✗",
            str(s.step.id),
            line,
            s.step.rule,
            s.complaint or _brief(s.evidence),
        )
    console.print(steps)
    table = Table(
        "",
        "gradient",
        "sizes",
        "shape",
        "largest relative difference",
        title="Against finite differences, entry by entry",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for g in report.gradients:
        sizes = ", ".join(f"{name} = {size}" for name, size in g.sizes.items()) or "scalars"
        table.add_row("✓" if g.passed else "✗", g.variable, sizes, str(g.shape), f"{g.error:.1e}")
    console.print(table)
    verdict = "everything holds" if report.passed else "something does not hold"
    console.print(
        f"{len(report.steps)} steps and {len(report.gradients)} comparisons: {verdict}"
        + (f" ({report.failures} failed)" if report.failures else "")
    )


def _brief(evidence: StepCertificate | Disagreement) -> str:
    from chainrule.calculus.derivation.steps import StepCertificate, VerificationMethod

    if not isinstance(evidence, StepCertificate):
        return str(evidence)
    return (
        "exact"
        if evidence.method is VerificationMethod.EXACT
        else f"{evidence.method.value} {evidence.error:.0e}"
    )
