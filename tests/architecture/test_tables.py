"""Every row of every table agrees with an oracle from outside, and a row without one fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, get_args

import click
import numpy as np
import pytest
from tests.architecture import (
    oracles_of_commands,
    oracles_of_ops,
    oracles_of_pages,
    oracles_of_questions,
)
from tests.architecture.oracles_of_commands import COMMAND_TABLE, command_oracle
from tests.architecture.oracles_of_fits import LOSS_TABLE, SOLVERS, loss_oracle, solver_oracle
from tests.architecture.oracles_of_ops import OPS, TARGETS
from tests.architecture.oracles_of_pages import MEDIA, RENDERERS
from tests.architecture.oracles_of_questions import QUESTIONS
from tests.architecture.oracles_of_rules import RULES, Firing
from tests.architecture.tables import Table, complaints
from tests.language.codegen.library_names import RECORDED

from chainrule.calculus.graph.node import Symbol
from chainrule.calculus.ops import TABLE, cosh
from chainrule.calculus.ops.hyperbolic import SINH
from chainrule.cli.main import cli
from chainrule.documents.blocks import Block, Bullets, Document
from chainrule.engine import fitting
from chainrule.engine.losses.facts import Facts, Kernels, LossRow, Targets
from chainrule.teaching.exercises.kinds import KINDS

TABLES = (OPS, RULES, TARGETS, MEDIA, RENDERERS, QUESTIONS, COMMAND_TABLE, SOLVERS, LOSS_TABLE)


def cases() -> Iterator[Any]:
    for table in TABLES:
        for name in table.rows():
            yield pytest.param(table, name, id=f"{table.kind}: {name}")


@pytest.mark.parametrize(("table", "name"), list(cases()))
def test_a_row_agrees_with_its_oracle(table: Table, name: str) -> None:
    assert table.complaint(name, table.rows()[name]) == ""


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.kind)
def test_no_table_is_empty(table: Table) -> None:
    assert table.rows()


# ---- rows that are wrong, put into the tables ---------------------------------------------------

A_THIRD = replace(
    SINH,
    value=lambda xp, x, *, out_shape, attrs: xp.sinh(x) / 3,
    vjp=lambda g, out, args, attrs: (g * cosh(args[0]) / 3,),
    code=lambda x, *, attrs: f"np.sinh({x}) / 3",
    laws=(),
)
"""A hyperbolic sine whose value, slope and code agree with each other and with nothing else."""


def test_an_op_that_is_a_third_of_the_truth_everywhere_is_reported() -> None:
    (wrong,) = complaints(OPS, {"cosh": TABLE["cosh"], "sinh": A_THIRD, "tanh": TABLE["tanh"]})
    assert wrong.startswith("op sinh: its value is")


@pytest.mark.parametrize("change", ["value", "vjp", "code"])
def test_an_op_that_is_wrong_in_one_place_is_reported(change: str) -> None:
    changed = replace(SINH, **{change: getattr(A_THIRD, change)})
    assert list(complaints(OPS, {"sinh": SINH})) == []
    assert len(list(complaints(OPS, {"sinh": changed}))) == 1


def test_an_op_without_javascript_is_reported() -> None:
    changed = replace(SINH, code=lambda x, *, attrs: f"np.sinh(np.real({x}))")
    (wrong,) = complaints(OPS, {"sinh": changed})
    assert wrong.startswith("op sinh: sinh has no JavaScript: np.real has no counterpart")


@pytest.mark.parametrize(
    ("table", "row"),
    [
        (OPS, replace(SINH, name="third")),
        (RULES, "a.py"),
        (TARGETS, "third"),
        (MEDIA, str),
        (RENDERERS, oracles_of_pages),
        (QUESTIONS, replace(KINDS[0], name="third")),
        (COMMAND_TABLE, "Do something."),
        (SOLVERS, "third.third"),
        (LOSS_TABLE, None),
    ],
    ids=lambda part: part.kind if isinstance(part, Table) else "",
)
def test_a_row_without_an_oracle_is_reported(table: Table, row: Any) -> None:
    wanted = f"{table.kind} third: no outside oracle is registered"
    assert list(complaints(table, {"third": row})) == [wanted]


def test_a_rule_that_changes_a_value_is_reported() -> None:
    a = Symbol("a")
    firing = Firing("double", a, 2 * a, {}, {}, {})
    assert "became" in firing.difference()
    assert replace(firing, after=a + a - a).difference() == ""


def test_a_target_without_the_names_that_are_used_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    names = {**RECORDED, "numpy": frozenset({"numpy.vectorise"})}
    monkeypatch.setattr(oracles_of_ops, "RECORDED", names)
    assert list(complaints(TARGETS, {"numpy": "numpy"})) == [
        "target numpy: numpy has no numpy.vectorise"
    ]


def test_a_renderer_that_writes_something_else_is_reported() -> None:
    assert len(list(complaints(MEDIA, {"latex": lambda expr: "x"}))) == 1
    assert len(list(complaints(MEDIA, {"mathml": lambda expr: "<mi>x</mi>"}))) == 1

    class Page:
        @staticmethod
        def render(document: object) -> str:
            return "<div><p>(A - Y)</div>"

    (wrong,) = complaints(RENDERERS, {"html": Page})
    assert wrong.startswith("renderer of documents html: </div> closes nothing")


def test_a_renderer_that_leaves_a_block_out_is_reported() -> None:
    class Prose:
        @staticmethod
        def render(document: Document) -> str:
            found = [b for section in document.sections for b in section.blocks]
            return " ".join(str(b) for b in found if not isinstance(b, Bullets))

    assert "wbullets" in oracles_of_pages.unshown("prose", Prose)
    kinds = {type(block) for block in oracles_of_pages.EVERY.values()}
    assert kinds == set(get_args(Block))


def test_a_kind_whose_key_is_wrong_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = next(kind for kind in KINDS if kind.name == "verify")
    asked = oracles_of_questions._asked

    def turned(kind: Any, seed: int) -> Any:
        question = asked(kind, seed)
        return question and replace(question, key=replace(question.key, answer="no"))

    monkeypatch.setattr(oracles_of_questions, "_asked", turned)
    (wrong,) = complaints(QUESTIONS, {"verify": kind})
    assert "'yes' is right and was refused" in wrong


def command(raises: bool = False, **options: Any) -> click.Group:
    """Return the command line with another `check`."""

    @click.command("check", **options)
    @click.argument("name", required=False)
    def check(name: str | None) -> None:
        if raises:
            raise RuntimeError("broken")
        click.echo("finite differences")

    group = click.Group("chainrule")
    group.add_command(check)
    return group


HELP = "Check a forward pass of yours, all of it, at once and with care."


@pytest.mark.parametrize(
    ("group", "said"),
    [
        (command(), "it has no help"),
        (command(help="", short_help=HELP), "it has no help"),
        (command(raises=True, help=HELP), "check board_b2 ends with 1"),
    ],
)
def test_a_broken_command_is_reported(group: click.Group, said: str) -> None:
    assert said in command_oracle("check", group)
    assert command_oracle("check", command(help=HELP)) == ""


def test_a_command_that_no_test_calls_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = oracles_of_commands.called() - {"check"}
    monkeypatch.setattr(oracles_of_commands, "called", lambda: calls)
    assert command_oracle("check", cli) == "no test calls it"


def test_a_solver_that_stops_elsewhere_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    solve: Callable[..., Any] = fitting.fit_linear_model

    def weaker(*args: Any, **options: Any) -> Any:
        return solve(*args, **options | {"C": options["C"] / 2})

    assert solver_oracle("newton-cholesky") == ""
    monkeypatch.setattr(fitting, "fit_linear_model", weaker)
    assert "its coefficients are" in solver_oracle("newton-cholesky")


def poisson(scale: float) -> LossRow:
    def terms(z: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        mean = np.exp(z)
        return scale * (mean - y * z), scale * (mean - y), scale * mean

    kernels = Kernels(terms, terms, lambda low, high, y: (low, high), np.exp)
    targets = Targets(low=0.0, has_low=True, whole=True)
    return LossRow("poisson", "e^z - y z", targets, Facts(convex=True), kernels)


def test_a_loss_that_is_a_third_of_the_truth_is_reported() -> None:
    assert loss_oracle(poisson(1.0)) == ""
    assert loss_oracle(poisson(1 / 3)).startswith("its value is")
