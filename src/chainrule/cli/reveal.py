"""Revealing a derivation in the terminal, one step per key press."""

from __future__ import annotations

import click

from chainrule.calculus.derivation.steps import Derivation
from chainrule.documents.blocks import Step, Steps
from chainrule.documents.lesson.building import board_of, closing_sentence
from chainrule.documents.lesson.outline import GradientForm
from chainrule.documents.renderers.terminal import answer_lines, block_lines, question_lines

HELP = "space: on   q: leave"


def reveal_steps(derivation: Derivation, form: str) -> None:
    """Show each question, then its answer, on key presses; ``q`` quits."""
    wanted = GradientForm(form)
    helped = False
    for block in board_of(derivation, wanted).blocks:
        if not isinstance(block, Steps):
            for line in block_lines(block):
                click.echo(line)
            continue
        if not helped:
            click.echo(f"\n{HELP}")
            helped = True
        click.echo(f"\n{block.title}")
        if not all(_shown(step) for step in block.steps):
            return
    click.echo(closing_sentence(derivation, wanted))


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
