"""The measurements, one a function; each adds to figures that are plain numbers and lists."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

from benchmarks.grading.judge import ACCEPTED, ASSERTED, outcome
from benchmarks.grading.mutants import Mutator
from benchmarks.grading.noise import HARMFUL, noise
from benchmarks.grading.questions import Question
from benchmarks.grading.rewritings import Rewriter
from chainrule.teaching.exercises.loading import exercises
from chainrule.teaching.exercises.sets import new_set
from chainrule.teaching.exercises.submission_files import submissions
from chainrule.teaching.exercises.submissions import load_set
from chainrule.teaching.marking.verdicts import Grade

Figures: TypeAlias = dict[str, Any]

SEED = 11
RIGHT = 18
MUTANTS = {"one mistake": 14, "two mistakes": 6}
NOISE, QUESTIONS_FOR_NOISE = 100_000, 20
STUDENTS, ANSWERS, WRONG = 1_000, 10, 0.4


def right(asked: Sequence[Question], share: float) -> Figures:
    """Grade right answers in other forms."""
    times: list[float] = []
    tally: Counter[str] = Counter()
    for question in asked:
        question.grader.grade(question.wrt, "0")  # what is derived once is measured in `first`
        rewriter = Rewriter(question)
        drawn = rewriter.rewritings(Random(f"{question} {SEED}"))
        for found in islice(drawn, max(1, round(RIGHT * share))):
            grade = _timed(question, found.text, times)
            tally["tried"] += 1
            if not grade.correct:
                tally["rejected"] += 1
                print(f"  rejected: {question}: {found.text}  [{', '.join(found.how)}]")
    return {"right": {"rejected": 0, **tally}, "again": times}


def wrong(asked: Sequence[Question], share: float) -> Figures:
    """Grade wrong answers, with one mistake and with two."""
    times: list[float] = []
    found: Figures = {"again": times}
    for kind, each in MUTANTS.items():
        tally: Counter[str] = Counter()
        for question in asked:
            question.grader.grade(question.wrt, "0")
            mutants = Mutator(question).mutants(Random(f"{question} {SEED}"), kind != "one mistake")
            for mutant in islice(mutants, max(1, round(each * share))):
                grade = _timed(question, mutant.text, times)
                became = outcome(mutant, grade)
                tally[became] += 1
                if became in (ACCEPTED, ASSERTED):
                    print(
                        f"  {became}: {question}: {mutant.text}  made: {mutant.labels}  "
                        f"said: {'; or '.join(grade.diagnosis.lines)}"
                    )
        found[kind] = dict(tally)
    return found


def first(asked: Sequence[Question], share: float) -> Figures:
    """Grade a wrong answer with two mistakes as the first to its question, in a fresh process."""
    answers = []
    for question in asked:
        mutants = Mutator(question).mutants(Random(f"{question} first"), True)
        for mutant in islice(mutants, 1):
            answers.append((question.exercise, question.wrt, mutant.text))
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.grading.first"],
        input=json.dumps(answers),
        check=True,
        capture_output=True,
        text=True,
    )
    return {"first": json.loads(done.stdout)}


def hostile(asked: Sequence[Question], share: float, seed: int = SEED) -> Figures:
    """Grade noise, and what is sent to do harm."""
    rng, times = Random(seed), list[float]()
    some = rng.sample(asked, min(QUESTIONS_FOR_NOISE, len(asked)))
    texts = tuple(q.grader.short_form(q.wrt) for q in some)
    verdicts: Counter[str] = Counter()
    for place, text in enumerate(islice(noise(rng, texts), round(NOISE * share))):
        verdicts[_timed(some[place % len(some)], text, times).verdict] += 1
    harmful: list[float] = []
    for text in HARMFUL:
        _timed(some[0], text, harmful)
    return {
        "noise": dict(verdicts),
        "noise slowest": max(times, default=0.0),
        "harmful slowest": max(harmful),
    }


def school_class(asked: Sequence[Question], share: float) -> Figures:
    """Mark a class: most answers right in some form, some wrong, as students hand in.

    Every student's answers are in words of their own, so that few can be looked up.
    """
    students, jobs = round(STUDENTS * share), min(2, os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        made = new_set(exercises("vectors,batches,networks"), count=ANSWERS, seed=SEED)
        (place / "key.json").write_text(json.dumps(made.data()), encoding="utf-8")
        markers = load_set(place)
        rng = Random(SEED)
        (place / "in").mkdir()
        for student in range(students):
            answers = {
                number: _as_handed_in(key.answer, rng) if key.forward else key.answer
                for number, (key, _) in markers.key.items()
            }
            (place / "in" / f"{student:04}.json").write_text(json.dumps(answers))
        begun = time.perf_counter()
        marked = list(markers.mark_all(submissions(place / "in"), jobs))
        took = time.perf_counter() - begun
    unread = sum(bool(each.error) for each in marked)
    return {"class": {"submissions": students, "not read": unread}, "class seconds": took}


def _as_handed_in(answer: str, rng: Random) -> str:
    """Write an answer with a detour that few others take, and often wrongly."""
    if rng.random() < WRONG:
        answer = rng.choice(("-({})", "2 ({})", "({})/m", "{} + 1")).format(answer)
    number = rng.randrange(2, 500)
    return rng.choice(("({0}) {1}/{1}", "{1} ({0})/{1}", "({0} + {0})/2")).format(answer, number)


def _timed(question: Question, text: str, times: list[float]) -> Grade:
    begun = time.perf_counter()
    grade = question.grader.grade(question.wrt, text)
    times.append(time.perf_counter() - begun)
    return grade


MEASURES = {
    "right": right,
    "wrong": wrong,
    "first": first,
    "noise": hostile,
    "class": school_class,
}
