"""The bank: one TOML file per topic, validated as it is read.

A file names its topic, a title and a level, and holds ``[[exercise]]`` tables with the fields of
`FIELDS`. The forward pass is text in the language of forward passes, the name of a shipped example,
or another exercise of the bank about which something is asked. Answers have no field.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from chainrule.calculus.graph.model import Model
from chainrule.errors import ChainruleError, ExerciseError
from chainrule.language.reading import load_model, read_model
from chainrule.teaching.exercises.domains import domain
from chainrule.teaching.exercises.exercise import LEVELS, Exercise, Topic
from chainrule.teaching.exercises.variants import variant
from chainrule.text_files import TextError, read_text

BANK = Path(__file__).parent / "bank"

FIELDS: dict[str, type[str | list[Any] | dict[str, Any]]] = {
    "id": str,
    "title": str,
    "level": str,
    "forward": str,
    "example": str,
    "of": str,
    "ask": str,
    "source": str,
    "hints": list,
    "kinds": list,
    "domains": dict,
    "asks": dict,
    "forms": dict,
    "why": str,
    "because": str,
    "instead": list,
}
"""The fields of an exercise, with the type of each; a dict is a table of names and texts."""

WORDS: Mapping[type, str] = {
    str: "a text",
    list: "a list of texts",
    dict: "a table of names and texts",
}

FORWARDS = ("forward", "example", "of")
"""The three ways to give a forward pass; an exercise uses exactly one."""

NEEDED = ("id", "title", "ask", "source")
HEADER = ("topic", "title", "level")


@cache
def bank() -> tuple[Topic, ...]:
    """Return the topics that come with chainrule, easiest first."""
    return load(sorted(BANK.glob("*.toml")))


def exercises(
    topic: str | None = None,
    level: str | None = None,
    among: Callable[[], tuple[Topic, ...]] = bank,
) -> tuple[Exercise, ...]:
    """Return the exercises of the bank, easiest level first.

    Parameters
    ----------
    topic : str, optional
        Topics, comma-separated; by default all of them.
    level : str, optional
        Letters of levels, such as ``"A"`` or ``"A-C"``.
    among : callable, optional
        Returns the topics to choose from; by default those with forward passes.

    Raises
    ------
    ExerciseError
        When there is no such topic or level; the message lists those there are.

    Examples
    --------
    >>> [each.id for each in exercises("vectors")][:3]
    ['logistic-single', 'board-b3', 'board-b4']
    """
    wanted = _topics(topic, among())
    letters = _levels(level)
    found = [e for t in among() if t.name in wanted for e in t.exercises if e.level in letters]
    if not found:
        raise ExerciseError(
            f"no exercise of topic {topic} is of level {level}; leave one of them out"
        )
    return tuple(found)


def find(identifier: str, among: Callable[[], tuple[Topic, ...]] = bank) -> Exercise:
    """Find an exercise of the bank by its id; ``ID:SEED`` is its variant of that seed.

    Parameters
    ----------
    identifier : str
        The id.
    among : callable, optional
        Returns the topics to search; by default those with forward passes.

    Raises
    ------
    ExerciseError
        When there is none; the message names the nearest ones.
    """
    known = {each.id: each for topic in among() for each in topic.exercises}
    wanted, _, seed = identifier.strip().lower().partition(":")
    if wanted in known and not seed:
        return known[wanted]
    if wanted in known:
        return variant(known[wanted], _seed(identifier, seed))
    raise ExerciseError(
        f"there is no exercise {identifier!r}; {_nearest(wanted, known)}"
        "; `chainrule exercise list` shows them all"
    )


def _seed(identifier: str, seed: str) -> int:
    if not (seed.isascii() and seed.isdigit() and len(seed) <= 9):
        raise ExerciseError(f"{identifier}: behind the colon stands a seed, a whole number")
    return int(seed)


def own_exercise(path: str | Path) -> Exercise:
    """Return an exercise for a forward pass in a file, with default texts."""
    model = load_model(path)
    title = model.title or Path(path).stem
    return Exercise(
        Path(path).stem, title, "F", "own", model, f"Derive the gradients of {title}.", str(path)
    )


def load(paths: Iterable[Path]) -> tuple[Topic, ...]:
    """Read and validate the files of a bank.

    Raises
    ------
    ExerciseError
        At the first thing that is wrong: the file, the exercise, the field, the next action.
    """
    files = [(path, _parsed(path)) for path in paths]
    models: dict[str, Model] = {}
    domains: dict[str, Mapping[str, str]] = {}
    for path, data in files:
        _header(path, data)
        for number, table in enumerate(data["exercise"], start=1):
            where = _where(path, number, table)
            _validate(where, table)
            if table["id"] in models:
                raise ExerciseError(f"{where}, field id: {table['id']} is taken; choose another id")
            if "of" not in table:
                models[table["id"]] = _model(where, table)
                domains[table["id"]] = table.get("domains", {})
            elif table["of"] in (None, table["id"]):
                raise ExerciseError(f"{where}, field of: an exercise cannot be about itself")
    topics = [
        Topic(
            data["topic"], data["title"], data["level"], tuple(_built(path, data, models, domains))
        )
        for path, data in files
    ]
    return tuple(sorted(topics, key=lambda topic: (topic.level, _place(topic))))


def _place(topic: Topic) -> tuple[int, str]:
    """Sort key of a topic in its level: larger topics first."""
    return -len(topic.exercises), topic.name


def _built(
    path: Path,
    data: Mapping[str, Any],
    models: Mapping[str, Model],
    domains: Mapping[str, Mapping[str, str]],
) -> Iterator[Exercise]:
    for number, table in enumerate(data["exercise"], start=1):
        where = _where(path, number, table)
        if "of" in table and table["of"] not in models:
            raise ExerciseError(
                f"{where}, field of: there is no exercise {table['of']!r} with a forward pass; "
                + _nearest(table["of"], models)
            )
        model = models[table.get("of", table["id"])]
        yield Exercise(
            table["id"],
            table["title"],
            table.get("level", data["level"]),
            data["topic"],
            model,
            table["ask"],
            table["source"],
            tuple(table.get("hints", ())),
            tuple(table.get("kinds", ())),
            domains=_domains(where, table, model, domains),
            asks=_of_variables(where, "asks", table, model),
            forms=_of_variables(where, "forms", table, model),
            why=table.get("why", ""),
            because=table.get("because", ""),
            instead=tuple(table.get("instead", ())),
        )


def _domains(
    where: str,
    table: Mapping[str, Any],
    model: Model,
    of_bases: Mapping[str, Mapping[str, str]],
) -> Mapping[str, str]:
    """Return the domains of the inputs; a question about another exercise takes its domains."""
    if "of" in table and "domains" not in table:
        return of_bases.get(table["of"], {})
    names = [symbol.name for symbol in model.inputs]
    for name, chosen in table.get("domains", {}).items():
        if name not in names:
            raise ExerciseError(f"{where}, field domains: there is no input {name!r}")
        try:
            domain(chosen)
        except ExerciseError as error:
            raise ExerciseError(f"{where}, field domains, {name}: {error}") from None
    return dict(table.get("domains", {}))


def _of_variables(
    where: str, field: str, table: Mapping[str, Any], model: Model
) -> Mapping[str, str]:
    asked = [symbol.name for symbol in model.parameters()]
    for name in table.get(field, {}):
        if name not in asked:
            raise ExerciseError(
                f"{where}, field {field}: {name!r} is not asked; asked are {', '.join(asked)}"
            )
    return dict(table.get(field, {}))


# ---- validation --------------------------------------------------------------------------------


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_text(path))
    except TextError as error:
        raise ExerciseError(str(error)) from None
    except tomllib.TOMLDecodeError as error:
        raise ExerciseError(f"{path.name} is not TOML: {error}") from None


def _header(path: Path, data: Mapping[str, Any]) -> None:
    for field in HEADER:
        if not isinstance(data.get(field), str) or not data[field].strip():
            raise ExerciseError(f'{path.name}, field {field}: missing; add {field} = "..." on top')
    _known_level(f"{path.name}, field level", data["level"])
    listed = data.get("exercise")
    if not isinstance(listed, list) or not all(isinstance(t, dict) for t in listed):
        raise ExerciseError(f"{path.name}: holds no exercise; begin one with [[exercise]]")
    for field in data:
        if field not in (*HEADER, "exercise"):
            raise ExerciseError(f"{path.name}, field {field}: unknown; {_nearest(field, HEADER)}")


def _where(path: Path, number: int, table: Mapping[str, Any]) -> str:
    return f"{path.name}, exercise {table.get('id', number)}"


def _validate(where: str, table: Mapping[str, Any]) -> None:
    for field, value in table.items():
        if field not in FIELDS:
            raise ExerciseError(f"{where}, field {field}: unknown; {_nearest(field, FIELDS)}")
        if not isinstance(value, FIELDS[field]):
            raise ExerciseError(f"{where}, field {field}: must be {WORDS[FIELDS[field]]}")
        items = value.values() if isinstance(value, dict) else value
        if not all(isinstance(item, str) for item in items):
            raise ExerciseError(f"{where}, field {field}: must be {WORDS[FIELDS[field]]}")
        if not value:
            raise ExerciseError(f"{where}, field {field}: is empty; fill it or leave it out")
    for field in NEEDED:
        if field not in table:
            raise ExerciseError(f"{where}, field {field}: missing")
    given = [field for field in FORWARDS if field in table]
    if len(given) != 1:
        raise ExerciseError(
            f"{where}: give its forward pass by one of the fields {', '.join(FORWARDS)}; "
            f"it has {' and '.join(given) or 'none'}"
        )
    if "why" in table and ("because" not in table or len(table.get("instead", ())) < 2):
        raise ExerciseError(
            f"{where}, field why: give its answer in because, and two or more wrong ones in instead"
        )
    if "level" in table:
        _known_level(f"{where}, field level", table["level"])


def _model(where: str, table: Mapping[str, Any]) -> Model:
    try:
        if "example" in table:
            return load_model(f"examples/{table['example']}")
        model = read_model(table["forward"], name=table["title"])
    except ChainruleError as error:
        field = "example" if "example" in table else "forward"
        raise ExerciseError(f"{where}, field {field}: {error}") from None
    if not model.asked:
        raise ExerciseError(
            f"{where}, field forward: say what is asked, with a line such as wrt: w"
        )
    return model


def _known_level(where: str, level: str) -> None:
    if level not in LEVELS:
        raise ExerciseError(f"{where}: there is no level {level!r}; levels are {', '.join(LEVELS)}")


def _topics(topic: str | None, among: Iterable[Topic]) -> set[str]:
    names = [each.name for each in among]
    if topic is None:
        return set(names)
    wanted = {name.strip().lower() for name in topic.split(",") if name.strip()}
    for name in wanted - set(names):
        raise ExerciseError(f"there is no topic {name!r}; {_nearest(name, names)}")
    return wanted or set(names)


def _levels(level: str | None) -> Sequence[str]:
    if level is None:
        return tuple(LEVELS)
    low, dash, high = level.strip().upper().partition("-")
    for letter in (low, high) if dash else (low,):
        _known_level("level", letter)
    letters = tuple(LEVELS)
    return letters[letters.index(low) : letters.index(high if dash else low) + 1]


def _nearest(wanted: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # only on the way to an error

    names = list(known)
    near = get_close_matches(wanted, names, 3, 0.5)
    return f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(names)}"
