"""``chainrule demo``: derive, verify, fit and train, on data that ships with the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from chainrule.calculus.derivation.steps import Derivation
    from chainrule.descent.result import DescentResult
    from chainrule.tables.fitting import FittedTable

DATA, TARGET = "@breast_cancer", "diagnosis"
RATE, STEPS = 0.5, 2000


@click.command("demo", short_help="Derive, verify, fit and train on real data; write one page.")
@click.option(
    "--out",
    type=click.Path(file_okay=False),
    default="chainrule-demo",
    show_default=True,
    metavar="FOLDER",
    help="Output folder for the page and the model.",
)
@click.option("--brief", is_flag=True, help="Print the results without the steps.")
def command(out: str, brief: bool) -> None:
    """Derive logistic regression, verify it, fit real data with it, and write one page.

    The page opens from the file system, with no network.
    """
    from chainrule.cli.data_files import data_path
    from chainrule.cli.fit_printing import print_text
    from chainrule.deriving import derive
    from chainrule.language.reading import load_model
    from chainrule.tables.fitting import FitOptions, fit_file

    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    lessons = []
    for number, name in enumerate(("logistic_single", "logistic_batch"), start=1):
        derivation = derive(load_model(name))
        lessons.append(derivation)
        _heading(f"{number}. Derive: {derivation.model.title}")
        _print_derivation(derivation, brief)
    _heading("3. Check: every gradient against finite differences")
    _print_check(lessons)
    _heading("4. Train: real data, with kernels emitted from the derivation")
    fitted = fit_file(data_path(DATA), FitOptions(TARGET))
    model_file = folder / "model.json"
    fitted.model.save(model_file)
    print_text(fitted, DATA, [])
    _heading("5. Gradient descent with the derived gradient, beside the fit")
    descent = _descend(fitted)
    _print_descent(descent, fitted)
    page = folder / "report.html"
    _write_page(page, lessons, fitted, descent)
    click.echo(f"\nwrote {model_file} and {page}")
    click.echo("Open the page in a browser: space reveals the derivation step by step.")


def _heading(text: str) -> None:
    click.echo(f"\n{click.style(text, bold=True)}\n{'─' * min(len(text), 79)}")


def _print_derivation(derivation: Derivation, brief: bool) -> None:
    from chainrule.documents.lesson.building import closing_sentence, lesson, results_of
    from chainrule.documents.lesson.outline import GradientForm
    from chainrule.documents.renderers import terminal

    if not brief:
        click.echo(terminal.render(lesson(derivation)))
        return
    for line in terminal.results_lines(results_of(derivation)):
        click.echo(line)
    click.echo(closing_sentence(derivation, GradientForm.BOTH))


def _print_check(lessons: list[Derivation]) -> None:
    from chainrule.calculus.proof.checking import check_derivation

    for derivation in lessons:
        report = check_derivation(derivation)
        worst = max(comparison.error for comparison in report.gradients)
        verdict = "all hold" if report.passed else f"{report.failures} FAILED"
        click.echo(
            f"  {derivation.model.title}: {len(report.steps)} steps, {len(report.gradients)} "
            f"comparisons, {verdict}; largest relative difference {worst:.1e}"
        )


def _descend(fitted: FittedTable) -> DescentResult:
    import numpy as np

    from chainrule.descent.descend import descend
    from chainrule.language.reading import load_model

    data = {"X": fitted.X, "Y": fitted.y.astype(float)}
    start = {"w": np.zeros_like(fitted.model.coef), "b": np.zeros((1, 1))}
    return descend(load_model("logistic_l2"), data, rate=RATE, steps=STEPS, start=start)


def _print_descent(descent: DescentResult, fitted: FittedTable) -> None:
    from chainrule.descent.curve import curve

    optimum = fitted.model.training.objective
    path = [(point.iteration, point.objective - optimum) for point in fitted.path]
    click.echo("  Cost above the optimum: gradient descent")
    for line in curve([(step, cost - optimum) for step, cost in descent.costs]):
        click.echo(f"  {line}")
    click.echo("  The same for the fit, Newton's method with the derived curvature")
    for line in curve([(step, above) for step, above in path if above > 0]):
        click.echo(f"  {line}")
    click.echo(f"  {descent.report}")
    click.echo(
        f"  cost {descent.cost:.8g}, against {optimum:.8g} of the fit: "
        f"{(descent.cost - optimum) / optimum:.1e} above it, relatively"
    )


def _write_page(
    page: Path, lessons: list[Derivation], fitted: FittedTable, descent: DescentResult
) -> None:
    from chainrule.documents.descent_section import descent_section
    from chainrule.documents.lesson.building import board_of
    from chainrule.documents.page import Section, render_page
    from chainrule.documents.renderers.html import blocks_html, section_html
    from chainrule.documents.report.building import fit_sections
    from chainrule.documents.report.derivation import gradient_section
    from chainrule.storage import atomic_text

    board = board_of(lessons[0], prefix="single")
    single = Section("single", "One example", blocks_html((board,), lessons[0].model))
    sections = [
        single,
        section_html(gradient_section(fitted)),
        *map(section_html, fit_sections(fitted)),
        descent_section(descent, fitted),
    ]
    lead = (
        "Derived step by step, verified, then fitted to real data with kernels emitted from that "
        "very derivation. The gradient of J has the shape of its variable."
    )
    with atomic_text(page) as file:
        file.write(render_page("Logistic regression you can see through", lead, sections))
