"""The data of the static board: derivations, graphs, cards, questions and the training problem."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from chainrule.board import native, practising, training
from chainrule.board.answers import audited
from chainrule.board.coding import encoded
from chainrule.board.compact import Verbatim
from chainrule.board.derivations import derivation_of, derived
from chainrule.board.picture import graph, remaining_gradients
from chainrule.board.points import Point, matrix_of, numbers
from chainrule.board.schema import AuditArgs, CertifyArgs, DeriveArgs, GalleryItem, PointArgs
from chainrule.board.scripts import numbers_script
from chainrule.board.why import card
from chainrule.calculus.derivation.program import program
from chainrule.calculus.graph.node import Expr
from chainrule.calculus.graph.paths import path_text, places
from chainrule.deriving import derive, derive_second
from chainrule.errors import ChainruleError, DerivationError
from chainrule.language.codegen import script_text
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.kinds import ask
from chainrule.teaching.exercises.tickets import Ticket

SEEDS = 5
"""The number of drawn examples of a lesson."""

KINDS = ("shape", "rule", "next", "verify", "number", "wrong-line")
"""The kinds of question that a page can judge by itself: no formula is typed."""

READERS = ("choice", "shape", "number", "yes or no", "line")
"""The forms of answer that a page can judge by itself."""


def lesson(item: GalleryItem, *, every_node: bool = True) -> dict[str, Any]:
    """Return everything that the page shows of one forward pass.

    Parameters
    ----------
    item : GalleryItem
        The forward pass.
    every_node : bool, optional
        Whether each symbol, operator and factor has a card; otherwise the lines alone.
    """
    derivation = derivation_of(item.text)
    args = PointArgs(item.text)
    point = Point(derivation, args)
    cards: dict[str, Any] = {}
    for step in derivation.steps:
        nodes: dict[str, Any] = {}
        for side, root in (("left", step.left), ("right", step.after)) if every_node else ():
            for path in _paths(root):
                found = card(derivation, step, point, side, path)
                nodes[f"{side}:{path}"] = encoded(found)
        cards[str(step.id)] = {"line": encoded(card(derivation, step, point)), "nodes": nodes}
    made = derived(DeriveArgs(item.text))
    examples = [Point(derivation, PointArgs(item.text, seed=seed)).inputs for seed in range(SEEDS)]
    return {
        "id": item.id,
        "title": item.title,
        "text": item.text,
        "derive": encoded(made),
        "audit": _audit(made.faulty, item.text),
        "numbers": encoded(numbers(args)),
        "graph": encoded(graph(args)),
        "why": cards,
        "evaluate": _evaluate(item.text),
        "examples": [
            {name: matrix_of(value) for name, value in inputs.items()} for inputs in examples
        ],
    }


def _paths(root: Expr) -> Iterator[str]:
    for path, _ in places(root):
        yield path_text(path)


def _audit(transcript: str, text: str) -> Any:  # noqa: ANN401
    """Return the verdicts on a transcript; None where it cannot be read, as one of tensors."""
    try:
        return encoded(audited(AuditArgs(transcript, text)))
    except ChainruleError:
        return None


def _evaluate(text: str) -> Verbatim | None:
    try:
        return Verbatim(numbers_script(derivation_of(text), remaining_gradients(text, (), 1)))
    except DerivationError:
        return None  # an operation without JavaScript: the page shows the numbers of the export


def practice(exercises: tuple[Exercise, ...]) -> list[dict[str, Any]]:
    """Return the questions that the page judges by itself, each with its key."""
    found = []
    for exercise in exercises:
        for kind in exercise.kinds or KINDS:
            if kind not in KINDS:
                continue
            try:
                made = ask(exercise, kind)
            except ChainruleError:
                continue  # the exercise has no question of this kind
            if made is None or made.key.reader not in READERS:
                continue
            ticket = Ticket(exercise.id, kind, 0, 0)
            shown = encoded(practising.asked_question(made, ticket, ""))
            shown["answer"] = made.key.example
            shown["hints"] = [encoded(practising.blocks(made, hint)) for hint in made.hints]
            shown["solution"] = encoded(practising.blocks(made, made.solution))
            found.append(shown)
    return found


def training_data(pairs: int | None = None) -> Mapping[str, Any]:
    """Return the data set, the emitted cost, and the engine's optimum for pairs of features.

    Parameters
    ----------
    pairs : int, optional
        For how many pairs; by default for all.
    """
    data = training.shipped()
    chosen = list(combinations(range(len(data.names)), 2))[:pairs]
    optimum: dict[str, Any] = {}
    for columns in chosen:
        found = native.certify(CertifyArgs(columns))
        optimum[",".join(map(str, columns))] = encoded(
            {
                "w": found.w,
                "b": found.b,
                "cost": found.cost,
                "bound": found.bound,
                "sentence": found.certificate,
            }
        )
    info = training.data_info()
    second = derive_second(training.FORWARD, hessian=False)
    return {
        "name": info.name,
        "features": list(info.features),
        "classes": list(info.labels),
        "text": training.FORWARD,
        "columns": data.X.tolist(),
        "labels": [int(label) for label in data.labels],
        "m": len(data.labels),
        "optimum": optimum,
        "model": Verbatim(script_text(program(derive(training.FORWARD)))),
        "hvp": Verbatim(script_text(program(second))),
    }
