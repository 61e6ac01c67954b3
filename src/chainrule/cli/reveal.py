"""Revealing a derivation in the terminal, one step per key press."""

from __future__ import annotations

import click

from chainrule.calculus.derivation.steps import Derivation, Step
from chainrule.documents.lesson.as_text import (
    answer_lines,
    forward_lines,
    question_lines,
    summary_lines,
)
from chainrule.documents.lesson.outline import GradientForm, derivation_sections

HELP = "space: on   q: leave"


def reveal_steps(derivation: Derivation, form: str) -> None:
    """Show each question, then its answer, on key presses; ``q`` quits."""
    wanted = GradientForm(form)
    for line in forward_lines(derivation):
        click.echo(line)
    click.echo(f"\n{HELP}")
    for part in derivation_sections(derivation, wanted):
        click.echo(f"\n{part.title}")
        for step in part.steps:
            if not _shown(step):
                return
    click.echo()
    for line in summary_lines(derivation, wanted):
        click.echo(line)


def _shown(step: Step) -> bool:
    question = list(question_lines(step))
    if question:
        if _leaves():
            return False
        click.echo("\n".join(question))
    if _leaves():
        return False
    click.echo("\n".join(answer_lines(step)))
    return True


def _leaves() -> bool:
    try:
        return click.getchar() in ("q", "Q", "\x03", "\x04", "")
    except (KeyboardInterrupt, EOFError):
        return True
    except OSError as error:
        raise click.UsageError(
            "--reveal needs a terminal to read keys from; leave it out to see all steps at once"
        ) from error
