"""``chainrule grade``: one answer, and the submissions of a class."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chainrule.cli.main import cli
from chainrule.teaching.exercises.answer_readers import AnswerKey, Judgement, judge
from chainrule.teaching.exercises.submission_files import read_submission, submissions
from chainrule.teaching.exercises.submissions import load_set

FORWARD = """
X : (n, m)
Y : (1, m)
w : (1, n)
b : (1, 1)
Z = w X + b
A = sigmoid(Z)
J = -sum(Y .* log(A) + (1 - Y) .* log(1 - A))
"""
DERIVATION = """dJ/dA = -Y/A + (1 - Y)/(1 - A)
dA/dZ = A .* (1 - A)
dJ/dZ = {middle}
dJ/dw = {last}"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["grade", *arguments])


def problem(
    number: int, points: int, reader: str, answer: str, **more: object
) -> dict[str, object]:
    key = {"reader": reader, "answer": answer, "forward": "", "wrt": "", "choices": []} | more
    return {"number": number, "points": points, "key": key}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    problems = [
        problem(1, 4, "formula", "(A - Y) X^T", forward=FORWARD, wrt="w"),
        problem(2, 1, "shape", "(1, n)"),
    ]
    (tmp_path / "set").mkdir()
    key = {"schema": 1, "title": "t", "seed": 0, "problems": problems}
    (tmp_path / "set" / "key.json").write_text(json.dumps(key))
    (tmp_path / "in").mkdir()
    return tmp_path


def write(folder: Path, name: str, text: str | bytes) -> Path:
    file = folder / "in" / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


@pytest.mark.parametrize(
    ("answer", "status", "verdict"),
    [
        ("np.dot(A - Y, X.T)", 0, "correct"),
        ("X (A - Y)^T", 0, "correct_other_form"),
        ("(Y - A) X^T", 1, "wrong"),
        ("A - Y", 1, "wrong_shape"),
        ("(A - Y X^T", 2, "unreadable"),
    ],
)
def test_one_answer_about_an_exercise_of_the_bank(answer: str, status: int, verdict: str) -> None:
    found = run("--exercise", "logistic-batch", "--wrt", "w", "--answer", answer, "--json")
    data = json.loads(found.output)
    assert (found.exit_code, data["verdict"]) == (status, verdict)
    assert set(data) >= {"verdict", "understood", "shape", "rung", "mistakes", "short_form"}


def test_what_is_said_of_a_wrong_answer_does_not_give_the_right_one_away() -> None:
    asked = ("--exercise", "logistic-batch", "--wrt", "w", "--answer", "(Y - A) X^T")
    assert "(A - Y) X^T" not in run(*asked).output
    assert "(A - Y) X^T" in run(*asked, "--solution").output


@pytest.mark.parametrize("arguments", [(), ("--answer", "x"), ("in",), ("--set", "s")])
def test_what_is_missing_is_asked_for(arguments: tuple[str, ...]) -> None:
    found = run(*arguments)
    assert found.exit_code == 2
    assert "--" in found.output


def test_a_bad_file_stops_nothing(folder: Path) -> None:
    write(folder, "a.json", '{"1": "(A - Y) X^T", "2": "(1, n)"}')
    write(folder, "b.txt", "1: (Y - A) X^T\n2) (n, 1)\n")
    write(folder, "c.json", '{"1": ')
    write(folder, "d.txt", b"\xff\xfe\x00")
    write(folder, "e.txt", "1: " + "(" * 10_000 + "\n2: (1, n)")
    found = run(str(folder / "in"), "--set", str(folder / "set"), "--format", "json", "--jobs", "2")
    assert found.exit_code == 2
    data = {each["file"]: each for each in json.loads(found.output)}
    assert [each["score"] for each in data.values()] == [5, 0, 0, 0, 1]
    assert "sign" in data["b.txt"]["results"][0]["message"]
    assert [name for name, each in data.items() if each["error"]] == ["c.json", "d.txt"]


def test_gradescope_reads_the_results(folder: Path) -> None:
    file = write(folder, "a.txt", "1: (A - Y) X^T / m\n2: (1, n)")
    data = json.loads(run(str(file), "--set", str(folder / "set"), "--format", "gradescope").output)
    assert data["score"] == sum(test["score"] for test in data["tests"]) == 1
    assert [test["status"] for test in data["tests"]] == ["failed", "passed"]
    assert "1/m" in data["tests"][0]["output"]


@pytest.mark.parametrize(
    ("middle", "last", "credit"),
    [
        ("A - Y", "(A - Y) X^T", 1.0),
        ("Y - A", "(Y - A) X^T", 0.75),  # the error is carried forward
        ("A - Y", "(A - Y) X^T / m", 0.75),
        ("Y - A", "(A - Y) X^T", 0.75),  # errors that cancel
    ],
)
def test_a_derivation_is_credited_line_by_line(
    folder: Path, middle: str, last: str, credit: float
) -> None:
    text = DERIVATION.format(middle=middle, last=last)
    file = write(folder, "a.json", json.dumps({"1": text}))
    (result, _) = load_set(folder / "set").mark(file).results
    assert result.judgement is not None
    assert result.judgement.credit == credit
    assert result.score == 4 * credit


def test_a_derivation_of_another_gradient_does_not_end_right(folder: Path) -> None:
    text = "dJ/dA = -Y/A + (1 - Y)/(1 - A)\ndA/dZ = A .* (1 - A)\ndJ/dZ = Y - A\ndJ/dZ = Y - A"
    file = write(folder, "a.json", json.dumps({"1": text}))
    (result, _) = load_set(folder / "set").mark(file).results
    assert result.judgement is not None
    assert result.judgement.credit == 0.5  # two lines of four: the last is not what was asked


def test_answers_are_read_from_text_and_from_json(folder: Path) -> None:
    text = write(folder, "a.md", "My answers\n\nProblem 1: a\n  b\n2. c\n1: not again\n")
    assert read_submission(text).answers == {1: "a\nb", 2: "c\n1: not again"}
    listed = write(folder, "b.json", '{"name": "x", "answers": ["a", "c"]}')
    assert read_submission(listed).answers == {1: "a", 2: "c"}
    assert [file.name for file in submissions(folder / "in")] == ["a.md", "b.json"]


@pytest.mark.parametrize(
    ("name", "content", "note"),
    [
        ("a.json", '{"1": "b", "1": "a"}', "1 is written twice; the last counts"),
        ("a.json", '{"1": "a", "x": "b"}', "x is not the number of a problem, and not read"),
        ("a.json", '{"1": "a", "2": ["b"]}', "2 is a list, not a text, and not read"),
        ("a.txt", "\x1b[2J\n1: a", r"what stands before the first number is not read: \u001b[2J"),
        ("a.txt", "1: a\n3: b\n2: c", "line 3 begins with 2 and is read as a line of 3"),
        ("a.txt", "1: a\n77: b", "77: no such problem in this set"),
    ],
)
def test_what_a_submission_holds_beside_its_answers_is_said(
    folder: Path, name: str, content: str, note: str
) -> None:
    file = write(folder, name, content)
    assert note in load_set(folder / "set").mark(file).notes
    assert note in run(str(file), "--set", str(folder / "set")).output


def test_answers_that_are_no_texts_are_named(folder: Path) -> None:
    file = write(folder, "a.json", '{"1": null}')
    assert "1 is null, not a text" in load_set(folder / "set").mark(file).error


def test_files_that_are_no_submissions_are_named(folder: Path) -> None:
    write(folder, "a.json", '{"1": "a"}')
    write(folder, "b.pdf", "x")
    found = run(str(folder / "in"), "--set", str(folder / "set"))
    assert "not marked: b.pdf; submissions end in .json" in found.output
    missing = run(str(folder / "nowhere.txt"), "--set", str(folder / "set"))
    assert missing.exit_code == 1
    assert "nowhere.txt cannot be opened: No such file" in missing.output


def test_a_defect_met_in_one_answer_costs_no_other_its_marks(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(folder, "a.json", '{"1": "an answer that breaks", "2": "(1, n)"}')

    def broken(key: AnswerKey, text: str) -> Judgement:
        if "breaks" in text:
            raise IndexError("tuple index out of range")
        return judge(key, text)

    monkeypatch.setattr("chainrule.teaching.exercises.submissions.judge", broken)
    found = run(str(folder / "in"), "--set", str(folder / "set"), "--format", "json", "--jobs", "1")
    first, second = json.loads(found.output)["results"]
    assert "a defect of chainrule (IndexError" in first["message"]
    assert second["right"]
