"""The calls of practice: the history comes in with every call, and nothing is kept here."""

from __future__ import annotations

from chainrule.board.coding import RequestError
from chainrule.board.formulas import formula, line
from chainrule.board.forwards import forward_of
from chainrule.board.schema import (
    AnswerRecord,
    Block,
    CircuitInfo,
    CircuitValue,
    HintArgs,
    HintInfo,
    NamedTitle,
    NoArgs,
    PartInfo,
    Progress,
    ProgressArgs,
    QuestionArgs,
    QuestionInfo,
    ReplyArgs,
    ReplyInfo,
    RuleProgress,
    ShowArgs,
    Solution,
    TopicInfo,
    Topics,
)
from chainrule.errors import ChainruleError, ExerciseError
from chainrule.language.typeset import model_text
from chainrule.teaching.exercises.answer_readers import Judgement, judge
from chainrule.teaching.exercises.circuit_text import circuit_text
from chainrule.teaching.exercises.content import Block as ContentBlock
from chainrule.teaching.exercises.content import Circuit, Code, Content, Equation, Prose
from chainrule.teaching.exercises.evidence import blamed_by, named_by, skills_shown
from chainrule.teaching.exercises.exercise import Exercise
from chainrule.teaching.exercises.grading import grader_of
from chainrule.teaching.exercises.history import Answer
from chainrule.teaching.exercises.kinds import KINDS, kind_named
from chainrule.teaching.exercises.mastery import masteries
from chainrule.teaching.exercises.pool import course_exercise, course_exercises
from chainrule.teaching.exercises.pool import topics as course_topics
from chainrule.teaching.exercises.practice import PracticeSession
from chainrule.teaching.exercises.questions import Question
from chainrule.teaching.exercises.tickets import LARGEST, Ticket

MOST_RECORDS = 5000
"""The most records of a history that are read."""


FIELDS = ("parts", "values")
"""The forms of answer that have one field for each of their choices."""


def question(args: QuestionArgs) -> QuestionInfo:
    """Choose the next question by the history."""
    kinds = [kind_named(name).name for name in args.kinds]
    if args.exercise:
        pool: tuple[Exercise, ...] = (course_exercise(args.exercise),)
    else:
        pool = course_exercises(args.topic or None, args.level or None)
    if not 0 <= args.seed <= LARGEST:
        raise RequestError(f"args.seed is {args.seed}; seeds go from 0 to {LARGEST}")
    history = _answers(args.history)
    session = PracticeSession(pool, None, args.seed, kinds, history)
    session.skipped |= set(args.skip)
    asked = session.ask()
    return asked_question(asked.question, session.ticket, asked.why)


def asked_question(made: Question, ticket: Ticket, why: str) -> QuestionInfo:
    """Return a question with every block typeset."""
    exercise, key = made.exercise, made.key
    return QuestionInfo(
        str(ticket),
        ticket.exercise,
        exercise.title,
        made.kind,
        kind_named(made.kind).title,
        why,
        Block("forward", forward=forward_of(made.model) if made.model.definitions else None),
        blocks(made, _asked_content(made)),
        blocks(made, made.options),
        key.reader,
        tuple(key.choices),
        _labels(made),
        len(made.hints),
        made.rules,
        key.forward or model_text(made.model),
        key.wrt,
    )


def _asked_content(made: Question) -> Content:
    """Return the prompt; where each value has a field, without the words that stand beside it."""
    if made.key.reader not in FIELDS:
        return made.prompt
    return tuple(e for e in made.prompt if not (isinstance(e, Prose) and (e.of_form or e.part)))


def _labels(made: Question) -> tuple[str, ...]:
    """Return the words beside each field: the statement of its part, or the name of its value."""
    if made.key.reader not in FIELDS:
        return ()
    stated = {e.part: e.text for e in made.prompt if isinstance(e, Prose) and e.part}
    return tuple(stated.get(name, name) for name in made.key.choices)


def reply(args: ReplyArgs) -> ReplyInfo:
    """Judge an answer to the question of a ticket."""
    ticket = Ticket.parsed(args.ticket)
    made = ticket.question()
    found = judge(made.key, args.answer)
    read = None
    if found.read and made.key.reader == "formula":
        try:
            grader = grader_of(made.key.forward)
            read = formula(grader.read(made.key.wrt, args.answer), grader.model)
        except ChainruleError:
            read = None  # it is an answer in words or in another notation
    record = _record(ticket, made, found, args.hints, args.answer) if found.read else None
    first, *_ = found.message.splitlines() or [""]
    return ReplyInfo(
        found.right,
        found.read,
        first,
        tuple(found.message.splitlines()),
        found.understood,
        read,
        found.credit,
        record,
        tuple(PartInfo(part.name, part.held, part.answered, part.said) for part in found.parts),
    )


def hint(args: HintArgs) -> HintInfo:
    """Return a hint."""
    made = Ticket.parsed(args.ticket).question()
    if not 1 <= args.number <= len(made.hints):
        raise RequestError(f"there is no hint {args.number}; there are {len(made.hints)}")
    return HintInfo(blocks(made, made.hints[args.number - 1]), args.number == len(made.hints))


def show(args: ShowArgs) -> Solution:
    """Return the solution of a question."""
    ticket = Ticket.parsed(args.ticket)
    made = ticket.question()
    return Solution(blocks(made, made.solution), _record(ticket, made, None, args.hints))


def progress(args: ProgressArgs) -> Progress:
    """Return the spaced-repetition box of every skill."""
    history = _answers(args.history)
    return Progress(
        tuple(
            RuleProgress(skill, found.box, found.seen, found.missed)
            for skill, found in sorted(masteries(history).items())
        ),
        len(history),
        sum(answer.right for answer in history),
    )


def topics(args: NoArgs) -> Topics:
    """Return the topics of the bank and the kinds of question."""
    return Topics(
        tuple(
            TopicInfo(
                topic.name,
                topic.title,
                topic.level,
                tuple(NamedTitle(each.id, each.title) for each in topic.exercises),
            )
            for topic in course_topics()
        ),
        tuple(NamedTitle(kind.name, kind.title) for kind in KINDS),
    )


def blocks(made: Question, content: Content) -> tuple[Block, ...]:
    """Return blocks of a question, typeset."""
    return tuple(_block(made, each) for each in content)


def _block(made: Question, each: ContentBlock) -> Block:
    if isinstance(each, Prose):
        return Block("prose", each.text)
    if isinstance(each, Code):
        return Block("code", each.text)
    if isinstance(each, Circuit):
        values = tuple(
            CircuitValue(node.name, node.formula, node.value, node.gradient, node.uses)
            for node in each.nodes
        )
        return Block("circuit", circuit_text(each), circuit=CircuitInfo(values, each.output))
    if isinstance(each, Equation):
        model = made.exercise.derivation.model
        shown = line(each.left, each.right, model)
        return Block("equation", shown.text, shown, each.label, each.note)
    return Block("forward", forward=forward_of(each.model))


def _answers(history: tuple[AnswerRecord, ...]) -> list[Answer]:
    if len(history) > MOST_RECORDS:
        raise ExerciseError(f"the history has {len(history)} records; send the last {MOST_RECORDS}")
    return [
        Answer(
            r.exercise,
            r.kind,
            r.seed,
            r.rules,
            r.right,
            r.hints,
            r.at,
            r.skills,
            r.blamed,
            r.mistakes,
        )
        for r in history
    ]


def _record(
    ticket: Ticket, made: Question, found: Judgement | None, hints: int, answer: str = ""
) -> AnswerRecord:
    return AnswerRecord(
        ticket.exercise,
        ticket.kind,
        ticket.times,
        made.rules,
        found is not None and found.right,
        max(0, hints),
        skills=skills_shown(made, found, answer),
        blamed=blamed_by(made, found),
        mistakes=named_by(found),
    )
