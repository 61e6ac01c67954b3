"""Courses on backpropagation as units: what to read, what to derive, and a handout for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chainrule.errors import ExerciseError
from chainrule.teaching.exercises.kinds import ask
from chainrule.teaching.exercises.pool import course_exercise
from chainrule.teaching.exercises.sets import Problem, ProblemSet, points_of


@dataclass(frozen=True)
class Unit:
    """One unit of a course: a day, or a week.

    Parameters
    ----------
    name : str
        The name of its folder.
    title : str
        The subject.
    aim : str
        What a student can do afterwards.
    lecture : tuple of str
        The commands that show the derivations of the lecture.
    questions : tuple of str
        The questions of the handout, each as ``exercise`` or ``exercise/kind``.
    """

    name: str
    title: str
    aim: str
    lecture: tuple[str, ...]
    questions: tuple[str, ...]


@dataclass(frozen=True)
class Course:
    """A course of several units."""

    title: str
    units: tuple[Unit, ...]


_SCALARS = Unit(
    "day-1",
    "One number at a time",
    "Compute values forward and gradients backward on a circuit, and check them by differences.",
    ("chainrule derive examples/logistic_single --reveal",),
    (
        "circuit-sum-product",
        "circuit-reuse",
        "circuit-loss",
        "concept-upstream",
        "concept-reuse",
        "sigmoid-slope/gradient",
        "cross-entropy-through-sigmoid/gradient",
        "check-central",
    ),
)
_LOGISTIC = Unit(
    "day-2",
    "Logistic regression, one example and many",
    "Derive A - Y and (A - Y) X^T, and say where the sum over examples comes from.",
    ("chainrule derive examples/logistic_single", "chainrule derive examples/logistic_batch"),
    (
        "logistic-single/gradient",
        "logistic-batch/order",
        "logistic-batch/gradient",
        "concept-sum-of-losses",
        "concept-unbroadcast",
        "broadcast-bias",
        "step-logistic",
        "saturated-entropy",
    ),
)
_NETWORKS = Unit(
    "day-3",
    "Networks of layers",
    "Derive all gradients of a network with one hidden layer, in matrix form.",
    ("chainrule derive examples/board_b1", "chainrule derive examples/board_b4"),
    (
        "concept-outer",
        "concept-transpose-back",
        "two-layers/wrong-line",
        "two-layers/cache",
        "kink-mask",
        "parts-tanh",
        "count-dense",
    ),
)
_CODE = Unit(
    "day-4",
    "From formulas to code",
    "Write a backward pass in NumPy, find a mistake in one, and check it by differences.",
    ("chainrule code examples/logistic_batch",),
    (
        "logistic-batch/maths-to-code",
        "two-layers/debug",
        "two-layers-softmax/debug",
        "concept-cache",
        "check-relative",
        "broadcast-bug",
        "concept-check-passes",
        "count-cache",
    ),
)
_TRAINING = Unit(
    "day-5",
    "Training",
    "Explain starts, saturation, vanishing gradients and stable losses, with numbers.",
    ("chainrule train --help",),
    (
        "zeros-tanh",
        "equal-weights",
        "variance-relu",
        "flow-sigmoid",
        "saturated-squared",
        "stable-loss",
        "step-ridge",
        "concept-relu-vanish",
    ),
)

_WEEKS = (
    Unit(
        "week-1",
        "Circuits and scalars",
        "Apply the chain rule on a graph, add paths, and check a derivative by differences.",
        ("chainrule derive examples/logistic_single --reveal",),
        (
            "circuit-difference",
            "circuit-max",
            "circuit-diamond",
            "circuit-two-units",
            "concept-upstream",
            "concept-local-linear",
            "concept-zero-gradient",
            "tanh-slope/gradient",
            "square-through-sigmoid/gradient",
            "log-odds/gradient",
            "check-forward",
            "step-squared",
            "kink-sides",
        ),
    ),
    Unit(
        "week-2",
        "Vectors, batches and shapes",
        "Derive gradients in matrix form, place transposes by shapes, and sum over examples.",
        ("chainrule derive examples/logistic_batch", "chainrule derive examples/softmax_batch"),
        (
            "logistic-single/gradient",
            "logistic-batch/gradient",
            "softmax-regression/gradient",
            "logistic-batch/verify",
            "concept-shape",
            "concept-elementwise",
            "concept-mean-lr",
            "concept-softmax-shift",
            "broadcast-outer",
            "broadcast-bias-rows",
            "step-logistic",
            "parts-logistic",
        ),
    ),
    Unit(
        "week-3",
        "Networks and code",
        "Derive, program, debug and check the backward pass of a network.",
        ("chainrule derive examples/board_b1", "chainrule code examples/logistic_batch"),
        (
            "parts-relu",
            "parts-skip",
            "two-layers/cache",
            "two-layers/debug",
            "two-layers-softmax/debug",
            "concept-order",
            "concept-cost",
            "concept-embedding",
            "count-dense",
            "count-backward",
            "check-relative",
            "kink-check",
            "broadcast-bug",
        ),
    ),
    Unit(
        "week-4",
        "Training and deeper models",
        "Explain with numbers what goes wrong in training, and derive normalization and attention.",
        ("chainrule derive examples/multi_head_attention",),
        (
            "zeros-sigmoid",
            "variance-linear",
            "flow-tanh",
            "flow-clipping",
            "saturated-squared",
            "stable-softplus",
            "concept-batch-norm-paths",
            "concept-skip-path",
            "concept-attention-scale",
            "rnn-step/gradient",
            "attention/gradient",
            "count-attention",
            "parts-rows",
        ),
    ),
)

COURSES: Mapping[int, Course] = {
    1: Course("Backpropagation in one week", (_SCALARS, _LOGISTIC, _NETWORKS, _CODE, _TRAINING)),
    4: Course("Backpropagation in four weeks", _WEEKS),
}
"""The courses, by their number of weeks."""


def course_of(weeks: int) -> Course:
    """Return the course of some weeks.

    Raises
    ------
    ExerciseError
        When there is none; the message says which there are.
    """
    if weeks not in COURSES:
        there = " and ".join(str(number) for number in COURSES)
        raise ExerciseError(f"there is no course of {weeks} weeks; there are courses of {there}")
    return COURSES[weeks]


def handout(unit: Unit, seed: int = 0) -> ProblemSet:
    """Return the handout of a unit; another seed draws other numbers.

    Raises
    ------
    ExerciseError
        When an exercise has no question of its kind.
    """
    problems = []
    for number, name in enumerate(unit.questions, start=1):
        identifier, _, kind = name.partition("/")
        exercise = course_exercise(identifier)
        question = ask(exercise, kind or exercise.kinds[0], seed)
        if question is None:
            raise ExerciseError(f"{unit.name}: {identifier} has no question of the kind {kind}")
        problems.append(Problem(number, question, points_of(question)))
    return ProblemSet(unit.title, seed, tuple(problems))
