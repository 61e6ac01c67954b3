"""Problem sets: as many questions as asked, the same for a seed, and graded by their key alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from chainrule.documents.exercises.building import problem_set
from chainrule.documents.renderers import html, latex
from chainrule.errors import ExerciseError
from chainrule.teaching.exercises.answer_readers import judge
from chainrule.teaching.exercises.difficulty import difficulty
from chainrule.teaching.exercises.kinds import KINDS
from chainrule.teaching.exercises.loading import exercises, find
from chainrule.teaching.exercises.sets import ProblemSet, new_set, read_key

POOL = exercises("batches,normalisation")
EVERY = [kind.name for kind in KINDS]


@pytest.fixture(scope="module")
def mixed() -> ProblemSet:
    return new_set(POOL, 36, seed=5, kinds=EVERY)


def written(problems: ProblemSet) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(problems.data()))
    return found


@pytest.mark.slow
def test_a_set_has_as_many_questions_as_asked_in_order_of_level(mixed: ProblemSet) -> None:
    assert [problem.number for problem in mixed.problems] == list(range(1, 37))
    levels = [problem.question.exercise.level for problem in mixed.problems]
    assert levels == sorted(levels)
    assert len({problem.question.kind for problem in mixed.problems}) > 6


def test_more_than_there_are_exercises_brings_variants(mixed: ProblemSet) -> None:
    assert len(POOL) < 36
    bases = [problem.question.exercise.base for problem in mixed.problems]
    assert sum(base != "" for base in bases) == 36 - len(POOL)


@pytest.mark.slow
def test_a_seed_gives_the_same_set_and_another_seed_another() -> None:
    few = written(new_set(POOL, 9, seed=5, kinds=EVERY))
    assert written(new_set(POOL, 9, seed=5, kinds=EVERY)) == few
    assert written(new_set(POOL, 9, seed=6, kinds=EVERY)) != few


def test_a_key_grades_what_was_handed_out(mixed: ProblemSet) -> None:
    keys = read_key(written(mixed))
    for problem in mixed.problems:
        key, points = keys[problem.number]
        assert key == problem.question.key
        assert points == problem.points > 0
        assert judge(key, key.example).right


def test_a_difficulty_is_kept_to() -> None:
    made = new_set(POOL, 10, seed=1, hardness=(12, 15))
    found = {difficulty(p.question.exercise.derivation).score for p in made.problems}
    assert min(found) >= 12
    assert max(found) <= 15


@pytest.mark.parametrize(
    ("count", "hardness", "words"),
    [(0, None, "1 to 500 questions"), (3, (70, 90), "only 0 such questions were found")],
)
def test_what_cannot_be_made_is_refused(count: int, hardness: Any, words: str) -> None:
    with pytest.raises(ExerciseError, match=words):
        new_set(exercises("scalars")[:1], count, hardness=hardness)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: data.pop("schema"), "field schema"),
        (lambda data: data.update(schema=99), "field schema"),
        (lambda data: data.update(problems=3), "field problems"),
        (lambda data: data["problems"][0].pop("key"), "problem 1"),
        (lambda data: data["problems"][1]["key"].update(reader="eval"), "unknown 'eval'"),
        (lambda data: data["problems"][1]["key"].update(more=1), "problem 2"),
    ],
)
def test_a_spoilt_key_is_refused(mixed: ProblemSet, spoil: Any, words: str) -> None:
    data = written(mixed)
    spoil(data)
    with pytest.raises(ExerciseError, match=words):
        read_key(data)


class Reader(HTMLParser):
    """Collects what a page says and refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.references: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "href"):
                self.references.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.mark.parametrize("solved", [False, True])
def test_the_page_holds_every_question_and_asks_no_network(mixed: ProblemSet, solved: bool) -> None:
    reader = Reader()
    reader.feed(html.render(problem_set(mixed, solved=solved)))
    assert all(reference.startswith("#") for reference in reader.references)
    assert {f"p{problem.number}" for problem in mixed.problems} <= set(reader.ids)
    assert len(reader.ids) == len(set(reader.ids))
    assert (sum(words.startswith("Answer") for words in reader.words) == 36) is solved


def test_a_handout_gives_no_answer_away(mixed: ProblemSet) -> None:
    blank = latex.render(problem_set(mixed, solved=False))
    solved = latex.render(problem_set(mixed, solved=True))
    assert r"\subsubsection*{Answer" not in blank
    assert solved.count(r"\subsubsection*{Answer") == 36
    assert "A gradient has the shape of its variable" not in blank  # shapes are asked for


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no LaTeX here")
def test_the_document_compiles(mixed: ProblemSet, tmp_path: Path) -> None:
    (tmp_path / "set.tex").write_text(
        latex.render(problem_set(mixed, solved=True)), encoding="utf-8"
    )
    run = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "set.tex"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.slow
def test_letters_and_yes_and_no_are_spread_evenly() -> None:
    made = new_set(POOL, 24, seed=1, kinds=["rule", "next", "verify"])
    by_reader: dict[str, Counter[str]] = {}
    for problem in made.problems:
        key = problem.question.key
        by_reader.setdefault(f"{key.reader} {len(key.choices)}", Counter())[key.answer] += 1
    for answers in by_reader.values():
        assert max(answers.values()) - min(answers.values()) <= 1
    assert set(by_reader["choice 4"]) == set("abcd")
    assert set(by_reader["yes or no 0"]) == {"yes", "no"}


def test_a_set_of_gradients_asks_for_weights_first() -> None:
    made = new_set(exercises("batches"), 8)
    asked = {p.question.exercise.id: p.question.key.wrt for p in made.problems}
    assert all(find(name).variables[0] == variable for name, variable in asked.items())
