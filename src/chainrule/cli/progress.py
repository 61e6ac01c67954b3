"""``chainrule progress``: show, export or delete the practice log."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from chainrule.cli.shared import text_console

FILE = "CHAINRULE_PROGRESS"

_HELP = f"""Show what has been practised, export it, or delete it.

The file is on this machine and goes nowhere. It holds which questions were answered and how, not
what was typed. Its place can be set with --progress or the variable {FILE}.

\b
chainrule progress
chainrule progress --export mine.json
chainrule progress --delete
"""


@click.command("progress", help=_HELP, short_help="Show, export or delete what was practised.")
@click.option(
    "--progress", "file", type=click.Path(dir_okay=False), help="File of the practice log."
)
@click.option(
    "--export",
    "out",
    metavar="FILE",
    help="Write the log to FILE as JSON; - for the standard output.",
)
@click.option("--delete", is_flag=True, help="Delete the practice log.")
def command(file: str | None, out: str | None, delete: bool) -> None:
    """Show what has been practised, export it, or delete it."""
    from chainrule.teaching.exercises.practice_log import PracticeLog

    path = progress_file(file)
    if not path.exists():
        click.echo(f"nothing has been practised yet: there is no {path}")
        return
    progress = PracticeLog(path)
    if out is not None:
        text = json.dumps(progress.export(), indent=2, ensure_ascii=False) + "\n"
        _written(text, out)
    if delete:
        click.echo(f"deleted {path}, which held {progress.delete()} answers", err=True)
    elif out is None:
        _print(progress.path)


def progress_file(file: str | None) -> Path:
    """Return the path of the practice log: as given, from the environment, or the default."""
    named = file or os.environ.get(FILE)
    return Path(named) if named else Path(click.get_app_dir("chainrule")) / "progress.sqlite"


def _written(text: str, out: str) -> None:
    if out == "-":
        sys.stdout.write(text)
        return
    from chainrule.storage import atomic_text

    with atomic_text(out) as handle:
        handle.write(text)
    click.echo(f"wrote {out}", err=True)


def _print(path: Path) -> None:
    from rich import box
    from rich.table import Table

    from chainrule.teaching.exercises.mastery import masteries
    from chainrule.teaching.exercises.practice_log import PracticeLog
    from chainrule.teaching.exercises.scheduler import standing

    history = PracticeLog(path).history()
    console = text_console()
    right = sum(answer.right for answer in history)
    console.print(f"{right} of {len(history)} right; kept in {path}", markup=False)
    console.print(f"level {standing(history).letter}", markup=False)
    table = Table("skill", "mastery", "seen", "missed", "what went wrong", box=box.SIMPLE_HEAD)
    for mastery in sorted(masteries(history).values(), key=lambda each: each.probability):
        most = ", ".join(f"{name} ({n})" for name, n in mastery.mistakes.most_common(2))
        table.add_row(
            mastery.skill,
            f"{mastery.probability:.0%}" + (" ✓" if mastery.mastered else ""),
            str(mastery.seen),
            str(mastery.missed),
            most,
        )
    console.print(table)
    console.print(
        "mastery: the probability that you have the skill, by Bayesian knowledge tracing (Corbett "
        "and Anderson 1995); ✓ from 95%",
        markup=False,
        style="dim",
    )
