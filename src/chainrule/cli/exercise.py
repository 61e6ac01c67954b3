"""``chainrule exercise``: list the bank, make problem sets, check an exercise."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chainrule.cli.shared import names_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from chainrule.teaching.exercises.authoring import Preview
    from chainrule.teaching.exercises.exercise import Exercise
    from chainrule.teaching.exercises.sets import ProblemSet

_HELP = """Look at the bank of exercises, make problem sets, check an exercise of your own.

\b
chainrule exercise list --topic vectors
chainrule exercise show board-b1 --answer
chainrule exercise new --topic batches,networks --count 12 --out set/
chainrule exercise syllabus --weeks 4 --out course/
chainrule exercise check my.cr
"""

_SHOW = """Show an exercise: its forward pass, what is asked, how hard it is.

ID is one of `chainrule exercise list`; ID:7 is its variant of seed 7.

\b
chainrule exercise show logistic-batch
chainrule exercise show logistic-batch:7 --answer
chainrule exercise show two-layers --kind wrong-line --seed 3
"""

_NEW = """Make a problem set: a handout, its solutions, and the key that grades it.

The folder gets handout.html, handout.tex, solutions.html, solutions.tex and key.json. Where the
topics have fewer exercises than are asked for, variants follow. The same seed gives the same set.
The kinds of question are those of `chainrule practice --help`.

\b
chainrule exercise new --topic vectors --count 8 --out set/
chainrule exercise new --level C-D --count 30 --difficulty 10-18 --seed 4 --out set/
chainrule exercise new --topic batches --kind verify,wrong-line,rule --count 20 --out quiz/
chainrule exercise new --kind all --count 40 --out mixed/
"""

_SYLLABUS = """Show a course on backpropagation of one week or four, or write its handouts.

Each unit begins with derivations of the lecture. With --out every unit gets a folder with
handout.html, handout.tex, solutions.html, solutions.tex and key.json.

\b
chainrule exercise syllabus
chainrule exercise syllabus --weeks 4
chainrule exercise syllabus --weeks 4 --seed 7 --out course/
"""

_CHECK = """Check an exercise of your own: FILE is a forward pass, nothing more is needed.

Prints how hard it is, what can be asked of it, the verified key, and which mistakes give the same
wrong answer, so that the grader names all of them.

\b
chainrule exercise check my.cr
chainrule exercise check examples/softmax_batch
"""


@click.group("exercise", help=_HELP, short_help="The bank of exercises, problem sets, your own.")
def command() -> None:
    """Look at the bank of exercises, make problem sets, check an exercise of your own."""


@command.command("list", short_help="List the exercises of the bank.")
@click.option("--topic", metavar="NAMES", help="Topics, comma-separated. Default: all.")
@click.option("--level", metavar="LETTERS", help="Levels, such as A or B-D. Default: all.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_command(topic: str | None, level: str | None, as_json: bool) -> None:
    """List the exercises of the bank, easiest level first, with their difficulty.

    Difficulty counts the uses of a derivative rule, forks, broadcasts, collapses, and what has to
    be written out.
    """
    from chainrule.calculus.derivation.derive import derivation_of
    from chainrule.teaching.exercises.difficulty import difficulty
    from chainrule.teaching.exercises.pool import course_exercises, topics

    found = [
        (exercise, difficulty(derivation_of(exercise.model)).score if _derives(exercise) else None)
        for exercise in course_exercises(topic, level)
    ]
    if as_json:
        click.echo(json.dumps([_row(e, score) for e, score in found], indent=2, ensure_ascii=False))
        return
    for topic_ in (t for t in topics() if any(e.topic == t.name for e, _ in found)):
        click.echo(f"\n{topic_.name}: {topic_.title} (level {topic_.level})")
        for exercise, score in found:
            if exercise.topic == topic_.name:
                click.echo(
                    f"  {exercise.id:30} {'' if score is None else score:3}   {exercise.title}"
                )
    click.echo(f"\n{len(found)} exercises, the number is how hard; show one with:")
    click.echo(f"chainrule exercise show {found[0][0].id}")


def _derives(exercise: Exercise) -> bool:
    """Whether an exercise asks about a derivation, whose difficulty can be counted."""
    return bool(exercise.model.definitions)


def _row(exercise: Exercise, score: int | None) -> dict[str, object]:
    return {
        "id": exercise.id,
        "title": exercise.title,
        "level": exercise.level,
        "topic": exercise.topic,
        "difficulty": score,
        "variables": list(exercise.variables) if _derives(exercise) else [],
        "source": exercise.source,
        "kinds": list(exercise.kinds),
    }


@command.command("show", help=_SHOW, short_help="Show an exercise, or one question about it.")
@click.argument("identifier", metavar="ID")
@click.option("--kind", metavar="NAME", help="Kind of question to show.")
@click.option(
    "--seed", type=int, default=0, show_default=True, help="Random seed for the question."
)
@click.option("--answer", is_flag=True, help="Show the answer and its derivation.")
def show_command(identifier: str, kind: str | None, seed: int, answer: bool) -> None:
    """Show an exercise: its forward pass, what is asked, how hard it is."""
    from chainrule.documents.exercises.building import content_blocks, question_blocks
    from chainrule.documents.renderers.terminal import block_lines, text_of
    from chainrule.errors import ExerciseError
    from chainrule.teaching.exercises.difficulty import difficulty
    from chainrule.teaching.exercises.kinds import ask, questions
    from chainrule.teaching.exercises.pool import course_exercise

    exercise = course_exercise(identifier)
    click.echo(f"{exercise.title}")
    click.echo(f"{exercise.id} · level {exercise.level} · {exercise.topic}")
    if _derives(exercise):
        click.echo(f"difficulty {difficulty(exercise.derivation)}")
    click.echo(f"source: {exercise.source}\n")
    chosen = kind or (exercise.kinds[0] if exercise.kinds else "gradient")
    question = ask(exercise, chosen, seed)
    if question is None:
        names = ", ".join(q.kind for q in questions(exercise))
        raise ExerciseError(f"{exercise.id} has no question of the kind {chosen}; it has {names}")
    click.echo(text_of(question_blocks(question)))
    if answer:
        click.echo(f"\nAnswer: {question.key.example}")
        for block in content_blocks(question.solution):
            for line in block_lines(block):
                click.echo(line)
    elif kind is None:
        click.echo(f"\nkinds of question: {', '.join(q.kind for q in questions(exercise))}")


@command.command("new", help=_NEW, short_help="Make a problem set with its key.")
@click.option("--topic", metavar="NAMES", help="Topics, comma-separated. Default: all.")
@click.option("--level", metavar="LETTERS", help="Levels, such as A or B-D. Default: all.")
@click.option(
    "--kind",
    metavar="NAMES",
    default="gradient",
    show_default=True,
    help="Kinds of question, comma-separated, or all.",
)
@click.option(
    "--difficulty",
    "hard",
    metavar="LOW-HIGH",
    help="Range of difficulty, such as 8-16. Default: any.",
)
@click.option("--count", type=int, default=10, show_default=True, help="Number of questions.")
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="Random seed for the choice of questions.",
)
@click.option(
    "--title",
    default="Backpropagation",
    show_default=True,
    help="Title printed at the top of the handout.",
)
@click.option("--out", metavar="FOLDER", required=True, help="Output folder; created if missing.")
@click.option("--replace", is_flag=True, help="Overwrite another set and its key.")
def new_command(
    topic: str | None,
    level: str | None,
    kind: str,
    hard: str | None,
    count: int,
    seed: int,
    title: str,
    out: str,
    replace: bool,
) -> None:
    """Make a problem set: a handout, its solutions, and the key that grades it."""
    from chainrule.teaching.exercises.kinds import KINDS, kind_named
    from chainrule.teaching.exercises.pool import course_exercises
    from chainrule.teaching.exercises.sets import new_set
    from chainrule.teaching.exercises.templates.template import TemplateExercise

    wanted = names_in(kind)
    kinds = [k.name for k in KINDS] if wanted == ["all"] else [kind_named(k).name for k in wanted]
    pool = [
        exercise
        for exercise in course_exercises(topic, level)
        if topic or not isinstance(exercise, TemplateExercise) or set(exercise.kinds) & set(kinds)
    ]
    made = new_set(pool, count, seed, kinds, _range(hard), title)
    _write_set(out, made, replace=replace)
    points = sum(problem.points for problem in made.problems)
    click.echo(f"{count} questions, {points} points, in {out}")


def _write_set(out: str, made: ProblemSet, *, replace: bool) -> None:
    """Write handout, solutions and key of a problem set."""
    from chainrule.documents.exercises.building import problem_set
    from chainrule.documents.renderers import html, latex
    from chainrule.teaching.exercises.submissions import KEY_FILE

    key = json.dumps(made.data(), indent=2, ensure_ascii=False) + "\n"
    if not replace:
        _keep_other_key(out, key)
    _write(
        out,
        {
            "handout.html": html.render(problem_set(made, solved=False)),
            "handout.tex": latex.render(problem_set(made, solved=False)),
            "solutions.html": html.render(problem_set(made, solved=True)),
            "solutions.tex": latex.render(problem_set(made, solved=True)),
            KEY_FILE: key,
        },
    )


def _range(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    low, dash, high = text.partition("-")
    if not (low.strip().isdigit() and (high.strip().isdigit() if dash else True)):
        raise click.UsageError(f"--difficulty takes a range such as 8-16, not {text!r}")
    return int(low), int(high if dash else low)


def _keep_other_key(out: str, key: str) -> None:
    """Refuse to overwrite the key of another set."""
    from chainrule.errors import DataError
    from chainrule.teaching.exercises.submissions import KEY_FILE

    file = Path(out) / KEY_FILE
    if file.is_file() and file.read_bytes() != key.encode():
        raise DataError(
            f"{out} holds another set, and its key would be lost; choose another --out, or say "
            "--replace"
        )


def _write(out: str, files: Mapping[str, str]) -> None:
    from chainrule.errors import DataError
    from chainrule.storage import atomic_text

    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{out}: this folder cannot be made: {error.strerror}") from None
    for name, text in files.items():
        with atomic_text(folder / name) as handle:
            handle.write(text)


@command.command("syllabus", help=_SYLLABUS, short_help="Show a course, or write its handouts.")
@click.option(
    "--weeks",
    type=int,
    default=1,
    show_default=True,
    help="Length of the course: 1 (five days) or 4.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Random seed for numbers.")
@click.option(
    "--out", type=click.Path(file_okay=False), help="Folder for the handouts, one per unit."
)
@click.option("--replace", is_flag=True, help="Replace other handouts that are there.")
def syllabus_command(weeks: int, seed: int, out: str | None, replace: bool) -> None:
    """Show a course, or write its handouts."""
    from chainrule.teaching.exercises.syllabus import course_of, handout

    course = course_of(weeks)
    click.echo(f"{course.title}\n")
    for unit in course.units:
        made = handout(unit, seed)
        points = sum(problem.points for problem in made.problems)
        click.echo(f"{unit.name}: {unit.title} ({len(made.problems)} questions, {points} points)")
        click.echo(f"  {unit.aim}")
        for line in unit.lecture:
            click.echo(f"  lecture: {line}")
        if out is None:
            click.echo(f"  questions: {', '.join(unit.questions)}\n")
        else:
            folder = str(Path(out) / unit.name)
            _write_set(folder, made, replace=replace)
            click.echo(f"  handout: {folder}\n")


@command.command("check", help=_CHECK, short_help="Check an exercise of your own.")
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="Print a machine-readable report.")
def check_command(file: str, as_json: bool) -> None:
    """Check an exercise of your own: FILE is a forward pass, nothing more is needed."""
    from chainrule.teaching.exercises.authoring import preview
    from chainrule.teaching.exercises.loading import own_exercise

    seen = preview(own_exercise(file))
    if as_json:
        click.echo(json.dumps(_data(seen), indent=2, ensure_ascii=False))
        return
    for line in _report(seen):
        click.echo(line)


def _data(seen: Preview) -> dict[str, object]:
    from chainrule.language.typeset import plain

    return {
        "title": seen.exercise.title,
        "difficulty": seen.difficulty.score,
        "kinds": [question.kind for question in seen.questions],
        "key": {section.variable.name: plain(section.answer) for section in seen.gradients},
        "proven_steps": len(seen.exercise.derivation.steps),
        "mistakes": seen.mistakes,
        "ties": [{"variable": tie[0], "mistakes": list(tie[1:])} for tie in seen.ties],
    }


def _report(seen: Preview) -> Iterable[str]:
    from chainrule.calculus.graph.dims import written
    from chainrule.calculus.graph.node import Partial, symbols
    from chainrule.documents.blocks import Equation
    from chainrule.documents.exercises.building import forward_names
    from chainrule.documents.renderers.terminal import block_lines, equation_text

    exercise = seen.exercise
    model = exercise.derivation.model
    yield exercise.title
    yield from block_lines(forward_names(exercise.model))
    yield f"\ndifficulty {seen.difficulty}"
    yield f"kinds of question: {', '.join(question.kind for question in seen.questions)}"
    yield f"\nThe key, {len(exercise.derivation.steps)} steps, every one verified:"
    for name, gradient in exercise.derivation.layers.items():
        form = gradient.index if gradient.matrix is None else gradient.matrix
        yield f"  {equation_text(Equation((name, form)))}   {written(name.shape)}"
    for section in seen.gradients:
        line = Equation((Partial(model.objective, section.variable), section.answer))
        yield f"  {equation_text(line)}   {written(section.variable.shape)}"
    for section in seen.gradients:
        if not symbols(section.answer):
            asked = section.variable.name
            yield f"\nThis is trivial: the gradient with respect to {asked} is constant."
    yield f"\n{seen.mistakes} single mistakes are recognised."
    if not seen.ties:
        yield "Each gives an answer of its own, so each is named alone."
        return
    yield "These give the same wrong answer, so the grader names them together:"
    for variable, *names in seen.ties:
        yield f"  {variable}: " + " = ".join(names)
