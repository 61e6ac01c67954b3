"""``chainrule practice``: exercises in the terminal, one after the other."""

from __future__ import annotations

import re
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from chainrule.cli.shared import names_in, text_console

if TYPE_CHECKING:
    from rich.console import Console

    from chainrule.teaching.exercises.answer_readers import AnswerKey, Judgement
    from chainrule.teaching.exercises.content import Content
    from chainrule.teaching.exercises.practice import PracticeSession, ScheduledQuestion

WORDS = ("hint", "show", "skip", "quit", "help")
ALSO = {"?": "help", "exit": "quit"}
"""What is typed for a word where it cannot be an answer."""

_HELP = """Practise backpropagation: one question after the other.

Answer as you would write it: mathematics, LaTeX or NumPy. What cannot be read costs nothing. The
next question is chosen from what was missed, and you are told why. The practice log is a file on
this machine; `chainrule progress` shows, exports or deletes it.

\b
While a question is open, type an answer, or one of these words:
  hint   a hint: first which rule, then the rule with a blank, then the step
  show   the solution; the question counts as missed
  skip   another exercise; nothing is kept
  quit   leave; so do Ctrl-D and Ctrl-C
  help   these words; so does ?

A problem in parts asks for one part per line; Enter leaves a part out, or keeps what it was.

The kinds of question: gradient, factor, shape, next, rule, order, wrong-line, verify, number,
code-to-maths, maths-to-code, cache, debug, concept, circuit, step, gradient-check, broadcast,
kinks, stability, saturation, gradient-flow, counting, initialization, parts, and fading, a solved
derivation with blanks. The topics and the exercises are listed by `chainrule exercise list`.

\b
chainrule practice
chainrule practice --topic scalars,vectors --seed 3
chainrule practice --level C --kind verify --count 5
chainrule practice --kind fading --topic batches
"""


@click.command("practice", help=_HELP, short_help="Practise: one question after the other.")
@click.option("--topic", metavar="NAMES", help="Topics, comma-separated. Default: all.")
@click.option("--level", metavar="LETTERS", help="Levels, such as A or B-D. Default: all.")
@click.option("--kind", metavar="NAMES", help="Kinds of question, comma-separated, or fading.")
@click.option("--seed", type=int, default=0, show_default=True, help="Random seed.")
@click.option(
    "--count", type=click.IntRange(1), help="Number of questions, after which practice stops."
)
@click.option(
    "--progress", "file", type=click.Path(dir_okay=False), help="File of the practice log."
)
@click.option("--no-progress", is_flag=True, help="Record nothing.")
def command(
    topic: str | None,
    level: str | None,
    kind: str | None,
    seed: int,
    count: int | None,
    file: str | None,
    no_progress: bool,
) -> None:
    """Practise backpropagation: one question after the other."""
    from chainrule.cli.progress import progress_file
    from chainrule.teaching.exercises.fading import KIND as FADING
    from chainrule.teaching.exercises.kinds import kind_named
    from chainrule.teaching.exercises.pool import course_exercises
    from chainrule.teaching.exercises.practice import PracticeSession
    from chainrule.teaching.exercises.practice_log import PracticeLog

    kinds = names_in(kind)
    for name in kinds:
        if name != FADING:
            kind_named(name)
    kept = None if no_progress else PracticeLog(progress_file(file))
    practice = PracticeSession(course_exercises(topic, level), kept, seed, kinds)
    console = text_console(soft_wrap=True)
    try:
        _sitting(practice, console, count)
    except (KeyboardInterrupt, EOFError, click.Abort):
        console.print()
    right, answered = practice.answered
    console.print(
        f"{right} of {answered} right." + ("" if kept is None else f" Kept in {kept.path}")
    )


def _sitting(practice: PracticeSession, console: Console, count: int | None) -> None:
    console.print(f"[dim]Answer, or type {', '.join(WORDS)}.[/dim]")
    number = 0
    while count is None or number < count:
        number += 1
        _show_question(practice.ask(), console, number)
        if not _answered(practice, console):
            return


def _show_question(asked: ScheduledQuestion, console: Console, number: int) -> None:
    from rich.markup import escape
    from rich.rule import Rule

    from chainrule.documents.exercises.building import question_blocks
    from chainrule.documents.renderers.terminal import text_of

    exercise = asked.question.exercise
    console.print()
    console.print(
        Rule(f"[bold]{number}[/bold]  {escape(exercise.title)}", align="left", style="dim")
    )
    console.print(f"[dim]{exercise.id} · level {exercise.level} · {escape(asked.why)}[/dim]")
    console.print(escape(text_of(question_blocks(asked.question))))


def _answered(practice: PracticeSession, console: Console) -> bool:
    """Read answers until the question is done; return whether practice continues."""
    parts: dict[str, str] = {}
    while True:
        typed = _typed_answer(console, practice.question.key, parts)
        if typed is None:
            return False
        word = _word(typed)
        if word == "quit":
            return False
        if word == "skip":
            practice.skip()
            return True
        if word == "show":
            _say(console, practice.show(), "yellow")
            return True
        if not word:
            console.print("  Nothing was typed; hint gives a hint, show the solution.", style="dim")
        elif word in ("hint", "help"):
            _help(practice, console, word)
        elif _judged(practice, console, typed):
            return True
        elif practice.spent:
            _say(console, practice.show(), "yellow")
            return True


def _word(typed: str) -> str:
    """Return what was typed in small letters: a word of practice, or what may be an answer."""
    word = typed.strip().lower()
    return ALSO.get(word, word)


def _typed_answer(console: Console, key: AnswerKey, parts: dict[str, str]) -> str | None:
    """Return an answer, part by part where there are several; None at the end of the input.

    Parameters
    ----------
    console : Console
        Where to print.
    key : AnswerKey
        The form of the answer.
    parts : dict of str to str
        The parts that were typed before; those typed now are put into it.
    """
    if key.reader != "parts":
        return _typed(console)
    before, place = dict(parts), 0
    while place < len(key.choices):
        name = key.choices[place]
        kept = f"[{parts[name]}] " if name in parts else ""
        line = _typed(console, f"({'abcdefgh'[place]}) {name} = {kept}")
        if line is None:
            return _written(parts) if parts != before else None
        if _word(line) in WORDS or ";" in line:
            return line  # a word of practice, or all parts at once
        fault = _put_part(key, parts, name, line)
        if fault:
            _say_unread(console, fault)
        else:
            place += 1
    return _written(parts)


def _put_part(key: AnswerKey, parts: dict[str, str], name: str, line: str) -> str:
    """Put a part into the answer; return why not, where it cannot be read."""
    from chainrule.teaching.exercises.parts import judged_parts, split_parts

    if not line.strip():
        return ""
    found = split_parts(line if "=" in line else f"{name} = {line}", key.choices)
    if isinstance(found, str):
        return found
    before = {n: parts[n] for n in key.choices[: key.choices.index(name)] if n in parts}
    verdicts = judged_parts(key.forward, {**before, **found})
    if isinstance(verdicts, str):
        return re.sub(r"\bline \d+, column \d+: ", "", verdicts)  # of the parts put together
    parts.update(found)
    return ""


def _written(parts: dict[str, str]) -> str:
    return "\n".join(f"{name} = {answer}" for name, answer in parts.items())


def _typed(console: Console, prompt: str = "> ") -> str | None:
    """Return one line of input; None at its end."""
    if sys.stdin.isatty():
        with suppress(ImportError):  # line editing and history for input(), where there is any
            import readline  # noqa: F401

        return input(prompt)
    console.print(prompt, end="", markup=False)
    line = sys.stdin.readline()
    if not line:
        return None
    console.print(line.rstrip("\n"), markup=False)
    return line


def _judged(practice: PracticeSession, console: Console, typed: str) -> bool:
    """Print the judgement of an answer; return whether the question is done."""
    found = practice.reply(typed)
    if found.understood:
        console.print(f"  understood: {found.understood}", markup=False, style="dim")
    if found.right:
        console.print(f"  [green]✓ right[/green]{_also(found)}")
        _say(console, practice.question.solution, "dim")
        return True
    if not found.read:
        _say_unread(console, found.message)
        return False
    first, *others = found.message.splitlines() or [""]
    console.print(f"  ✗ {first}", markup=False, style="red")
    for line in others:
        console.print(f"    {line}", markup=False, style="dim")
    if not practice.spent:
        keeps = " Enter keeps a part as it is." if practice.question.key.reader == "parts" else ""
        console.print(f"  [dim]Try again, or type hint or show.{keeps}[/dim]")
    return False


def _say_unread(console: Console, message: str) -> None:
    first, *others = message.splitlines()
    console.print(f"  ? {first}; this costs nothing", markup=False, style="yellow")
    for line in others:
        console.print(f"  {line}", markup=False, style="yellow")


def _also(found: Judgement) -> str:
    from rich.markup import escape

    said = found.message.removeprefix("right ")
    return f"[dim], {escape(said)}[/dim]" if said else ""


def _help(practice: PracticeSession, console: Console, word: str) -> None:
    if word == "help":
        console.print(f"  Type an answer, or one of: {', '.join(WORDS)}.", style="dim")
        return
    given = practice.hint()
    if given is None:
        console.print("  There are no more hints; show gives the solution.", style="yellow")
    else:
        _say(console, given, "yellow")


def _say(console: Console, pieces: Content, style: str) -> None:
    from chainrule.documents.exercises.building import content_blocks
    from chainrule.documents.renderers.terminal import block_lines

    for block in content_blocks(pieces):
        for line in block_lines(block):
            console.print(line, markup=False, style=style)
