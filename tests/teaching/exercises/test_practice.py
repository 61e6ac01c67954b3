"""Practice sessions: what is kept, what comes next and why, and what a kill leaves behind."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from chainrule.errors import DataError, ExerciseError
from chainrule.teaching.exercises.answer_readers import judge
from chainrule.teaching.exercises.content import Equation
from chainrule.teaching.exercises.fading import faded
from chainrule.teaching.exercises.history import Answer
from chainrule.teaching.exercises.kinds import KINDS
from chainrule.teaching.exercises.loading import exercises, find
from chainrule.teaching.exercises.mastery import SPACING, masteries
from chainrule.teaching.exercises.practice import PracticeSession
from chainrule.teaching.exercises.practice_log import PracticeLog
from chainrule.teaching.exercises.scheduler import Scheduler

POOL = exercises("batches")
KIND_NAMES = [kind.name for kind in KINDS]
CHOOSING = ("rule", "next", "verify", "wrong-line", "shape", "order")


def answered(exercise: str, rule: str, right: bool, hints: int = 0) -> Answer:
    return Answer(exercise, "rule", 0, (rule,), right, hints)


# ---- the file ----------------------------------------------------------------------------------


def test_answers_come_back_in_order(tmp_path: Path) -> None:
    given = [answered("a", "log rule", True), answered("b", "sum rule", False, 2)]
    progress = PracticeLog(tmp_path / "deep" / "p.sqlite")
    for answer in given:
        progress.record(answer)
    assert PracticeLog(progress.path).history() == given
    assert [a["exercise"] for a in progress.export()["answers"]] == ["a", "b"]


def test_the_file_is_deleted(tmp_path: Path) -> None:
    progress = PracticeLog(tmp_path / "p.sqlite")
    progress.record(answered("a", "log rule", True))
    assert progress.delete() == 1
    assert list(tmp_path.iterdir()) == []


_WRITER = """
import sys
from chainrule.teaching.exercises.history import Answer
from chainrule.teaching.exercises.practice_log import PracticeLog
progress = PracticeLog(sys.argv[1])
for number in range(100000):
    progress.record(Answer(f"e{number}", "k", number, ("log rule",), True))
    print(number, flush=True)
"""


def test_a_kill_loses_no_answer_that_was_kept(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    said = [int(writer.stdout.readline()) for _ in range(20)]
    time.sleep(0.01)
    writer.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    said += [int(line) for line in writer.stdout.read().split()]
    writer.stdout.close()
    writer.wait()
    kept = [answer.seed for answer in PracticeLog(path).history()]
    assert kept[: len(said)] == said
    assert kept == list(range(len(kept)))
    PracticeLog(path).record(answered("after", "log rule", True))


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    path.write_text("not a database at all, but long enough to look like one" * 20)
    with pytest.raises(DataError, match=r"p.sqlite: cannot be used.*--progress"):
        PracticeLog(path)


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(DataError, match="schema 99"):
        PracticeLog(path)


# ---- what comes next ---------------------------------------------------------------------------


def test_a_file_of_the_first_schema_is_read_on(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE answers (id INTEGER PRIMARY KEY, at TEXT NOT NULL, exercise TEXT NOT "
            "NULL, kind TEXT NOT NULL, seed INTEGER NOT NULL, rules TEXT NOT NULL, right INTEGER "
            "NOT NULL, hints INTEGER NOT NULL)"
        )
        connection.execute(
            "INSERT INTO answers (at, exercise, kind, seed, rules, right, hints) "
            "VALUES ('2026', 'norm', 'gradient', 0, '[\"root rule\"]', 1, 0)"
        )
        connection.execute("PRAGMA user_version = 1")
    connection.close()
    progress = PracticeLog(path)
    progress.record(tagged("gradient", False, ("signs",), ("signs",)))
    first, second = PracticeLog(path).history()
    assert (first.rules, first.skills) == (("root rule",), ())
    assert second.blamed == ("signs",)


def tagged(
    kind: str, right: bool, skills: tuple[str, ...], blamed: tuple[str, ...] = (), hints: int = 0
) -> Answer:
    return Answer("x", kind, 0, (), right, hints, skills=skills, blamed=blamed)


def test_a_right_answer_with_hints_leaves_mastery_as_it_is() -> None:
    history = [tagged("gradient", True, ("signs",)), tagged("gradient", True, ("signs",), hints=1)]
    one, both = masteries(history[:1])["signs"], masteries(history)["signs"]
    assert (both.box, both.probability) == (one.box, one.probability)
    assert both.seen == 2


def test_mastery_follows_bayes_by_hand() -> None:
    """Corbett and Anderson (1995): condition on the answer, then a chance to learn."""
    known = 0.3 * 0.9 / (0.3 * 0.9 + 0.7 * 0.05)
    after = known + (1 - known) * 0.15
    found = masteries([tagged("gradient", True, ("signs",))])["signs"]
    assert found.probability == pytest.approx(after)
    missed = after * 0.1 / (after * 0.1 + (1 - after) * 0.95)
    wrong = tagged("gradient", False, ("signs",), ("signs",))
    found = masteries([tagged("gradient", True, ("signs",)), wrong])["signs"]
    assert found.probability == pytest.approx(missed + (1 - missed) * 0.15)


def test_a_mistake_says_nothing_of_the_other_skills() -> None:
    wrong = tagged("gradient", False, ("signs", "transposes and shapes"), ("signs",))
    found = masteries([wrong])
    assert found["signs"].missed == 1
    assert "transposes and shapes" not in found


def choose(history: list[Answer]) -> tuple[str, str, str]:
    found = Scheduler(POOL, KIND_NAMES, Random(0)).choose(history)
    return found.exercise.id, found.skill, found.why


def test_what_was_missed_comes_again_after_a_pause() -> None:
    skill = "transposes and shapes"
    missed = tagged("gradient", False, (skill,), (skill,))
    assert choose([missed])[1] == ""
    exercise, found, why = choose([missed, tagged("gradient", True, ())])
    assert found == skill
    assert "you misplaced a transpose or got a shape wrong last time" in why
    assert skill in Scheduler(POOL, KIND_NAMES, Random(0)).skills(find(exercise))


def test_what_was_put_right_comes_again_later_and_later() -> None:
    skill = "transposes and shapes"
    history = [tagged("gradient", False, (skill,), (skill,)), tagged("gradient", True, (skill,))]
    waits = []
    for _ in range(2):
        wait = 0
        while choose(history)[1] != skill:
            history.append(tagged("gradient", True, (), hints=1))
            wait += 1
        waits.append(wait)
        history.append(tagged("gradient", True, (skill,)))
    assert waits == [2 * SPACING, 4 * SPACING]


def test_an_exercise_that_went_wrong_without_a_name_comes_again_in_part() -> None:
    history = [
        Answer("logistic-batch", "gradient", 0, (), False),
        *(tagged("gradient", True, (), hints=1) for _ in range(2)),
    ]
    found = Scheduler(POOL, KIND_NAMES, Random(0)).choose(history)
    assert found.exercise.id == "logistic-batch"
    assert found.kinds[0] == "factor"
    assert "one line of it" in found.why


def test_kinds_take_turns() -> None:
    practice = PracticeSession(POOL, seed=2)
    kinds = []
    for _ in range(10):
        kinds.append(practice.ask().question.kind)
        practice.history.append(tagged(kinds[-1], True, ()))
    assert len(set(kinds)) >= 8


def test_the_same_exercise_does_not_come_twice_in_a_row() -> None:
    practice = PracticeSession(POOL, seed=1, kinds=CHOOSING)
    seen = []
    for _ in range(12):
        question = practice.ask().question
        seen.append(question.exercise.base or question.exercise.id)
        assert practice.reply(question.key.answer).right
    assert all(one != two for one, two in pairwise(seen))


# ---- a sitting ---------------------------------------------------------------------------------


def test_the_first_answer_is_kept_and_an_unread_one_is_not(tmp_path: Path) -> None:
    progress = PracticeLog(tmp_path / "p.sqlite")
    practice = PracticeSession(POOL, progress, kinds=["verify"])
    question = practice.ask().question
    assert not practice.reply("perhaps").read
    assert progress.history() == []
    wrong = {"yes": "no", "no": "yes"}[question.key.answer]
    assert not practice.reply(wrong).right
    assert practice.spent
    assert practice.reply(question.key.answer).right
    assert [answer.right for answer in progress.history()] == [False]


def test_hints_are_counted_and_run_out(tmp_path: Path) -> None:
    practice = PracticeSession(POOL, kinds=["rule"])
    question = practice.ask().question
    assert [practice.hint() is not None for _ in range(4)] == [True, True, True, False]
    practice.reply(question.key.answer)
    assert practice.history[-1].hints == 3


def test_what_is_shown_counts_as_missed_and_what_is_skipped_as_nothing() -> None:
    practice = PracticeSession(POOL, kinds=["rule"])
    first = practice.ask().question.exercise.id
    practice.skip()
    assert practice.ask().question.exercise.id != first
    practice.show()
    assert practice.answered == (0, 1)


def test_an_exercise_that_comes_again_is_a_variant() -> None:
    practice = PracticeSession(POOL[:1], kinds=["shape"])
    for _ in range(2):
        practice.reply(practice.ask().question.key.answer)
        assert practice.question.exercise.id == POOL[0].id
    assert practice.ask().question.exercise.base == POOL[0].id


def test_a_sitting_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    path = tmp_path / "p.sqlite"
    first = PracticeSession(POOL, PracticeLog(path), kinds=["shape"])
    first.reply(first.ask().question.key.answer)
    second = PracticeSession(POOL, PracticeLog(path), kinds=["shape"])
    assert second.ask().question.exercise.id != first.question.exercise.id
    assert second.answered == (0, 0)


def test_kinds_that_an_exercise_has_not_are_refused_in_words() -> None:
    scalars = [find("sigmoid-slope")]
    with pytest.raises(ExerciseError, match="question of the kind shape"):
        PracticeSession(scalars, kinds=["shape"]).ask()


# ---- fading ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["logistic-batch", "board-b3", "two-layers", "tied-weights"])
def test_more_blanks_ask_more(name: str) -> None:
    counts = [len(faded(find(name), blanks)) for blanks in (1, 2, 3)]
    assert counts[0] >= 1
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


@pytest.mark.parametrize("exercise", POOL, ids=lambda each: each.id)
def test_a_blank_is_blank_until_it_was_asked(exercise: object) -> None:
    questions = faded(exercise, 3)  # type: ignore[arg-type]
    for question in questions:
        assert judge(question.key, question.key.answer).right
        sheet = [p for p in question.prompt if isinstance(p, Equation) and p.label]
        marked = [k for k, line in enumerate(sheet) if line.label.startswith(">")]
        assert len(marked) == 1
        assert all(line.right is None for line in sheet[marked[0] :])
        assert all(line.right is not None for line in sheet[: marked[0]])
