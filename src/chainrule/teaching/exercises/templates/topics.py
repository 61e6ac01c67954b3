"""The topics whose exercises are made by templates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from chainrule.teaching.exercises.exercise import Topic
from chainrule.teaching.exercises.skills import (
    BROADCASTING,
    CHECKING,
    COUNTING,
    DESCENT,
    FLOW,
    FORWARD,
    INITIALISATION,
    MASKS,
    ORDER,
    SATURATION,
    STABILITY,
    Skill,
    skills_of_model,
)
from chainrule.teaching.exercises.templates.broadcasts import BROADCASTS
from chainrule.teaching.exercises.templates.by_hand import CHECKS, STEPS
from chainrule.teaching.exercises.templates.circuits import CIRCUIT_ROWS, CIRCUITS, text_of_circuit
from chainrule.teaching.exercises.templates.concepts import FOLDER, load_concepts
from chainrule.teaching.exercises.templates.counting import COUNTS
from chainrule.teaching.exercises.templates.evaluation import model_of
from chainrule.teaching.exercises.templates.floating import STABILITIES
from chainrule.teaching.exercises.templates.kinks import KINKS
from chainrule.teaching.exercises.templates.problems import PROBLEM_ROWS, PROBLEMS
from chainrule.teaching.exercises.templates.template import (
    NO_FORWARD_PASS,
    Template,
    TemplateExercise,
)
from chainrule.teaching.exercises.templates.training import FLOWS, INITIALISATIONS, SATURATIONS

COMPUTED = "computed; the rule is in the solution"
"""The source of an exercise whose answer is computed and not looked up."""

FLOAT64 = "computed in float64; Higham (2002), Accuracy and Stability of Numerical Algorithms"
NUMPY = "NumPy's rules of broadcasting: numpy.org/doc/stable/user/basics.broadcasting.html"


SKILLS_OF: Mapping[str, tuple[str, ...]] = {
    **{
        identifier: (FORWARD.name, ORDER.name, *skills_of_model(model_of(text_of_circuit(lines))))
        for identifier, _, _, lines in CIRCUITS
    },
    **{identifier: skills_of_model(model_of(text)) for identifier, _, _, text, _ in PROBLEMS},
}
"""The skills of exercises about a forward pass."""


@dataclass(frozen=True)
class _Kind:
    """The exercises of one kind of question, in a topic of their own."""

    topic: str
    title: str
    level: str
    kind: str
    skill: Skill | None
    rows: Sequence[tuple[str, str, str, Template]]
    source: str = COMPUTED


_TOPICS = (
    _Kind("circuits", "Circuits with numbers", "A", "circuit", None, CIRCUIT_ROWS),
    _Kind("steps", "Steps of gradient descent", "A", "step", DESCENT, STEPS),
    _Kind("checks", "Checking a gradient", "B", "gradient-check", CHECKING, CHECKS),
    _Kind("shapes", "Shapes of arrays", "B", "broadcast", BROADCASTING, BROADCASTS, NUMPY),
    _Kind("kinks", "Kinks and ties", "B", "kinks", MASKS, KINKS),
    _Kind("stability", "Numerical stability", "C", "stability", STABILITY, STABILITIES, FLOAT64),
    _Kind("saturation", "Saturation", "B", "saturation", SATURATION, SATURATIONS),
    _Kind("flow", "Vanishing and exploding gradients", "C", "gradient-flow", FLOW, FLOWS),
    _Kind("counting", "Parameters, operations, memory", "C", "counting", COUNTING, COUNTS),
    _Kind(
        "initialization",
        "Initialization and symmetry",
        "D",
        "initialization",
        INITIALISATION,
        INITIALISATIONS,
    ),
    _Kind("midterms", "Problems in parts", "C", "parts", None, PROBLEM_ROWS),
)


@cache
def template_topics() -> tuple[Topic, ...]:
    """Return the topics of concepts, circuits, counts and steps by hand, easiest first."""
    made = (*load_concepts(sorted(FOLDER.glob("*.toml"))), *map(_topic, _TOPICS))
    return tuple(sorted(made, key=lambda topic: topic.level))


def _topic(each: _Kind) -> Topic:
    return Topic(
        each.topic,
        each.title,
        each.level,
        tuple(
            TemplateExercise(
                identifier,
                title,
                level,
                each.topic,
                NO_FORWARD_PASS,
                "",
                each.source,
                kinds=(each.kind,),
                template=template,
                skills=SKILLS_OF.get(identifier, () if each.skill is None else (each.skill.name,)),
            )
            for identifier, title, level, template in each.rows
        ),
    )
