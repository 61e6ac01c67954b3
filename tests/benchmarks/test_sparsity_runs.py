"""The benchmark of L1 penalties runs on a small set, and its tables say what was measured."""

from __future__ import annotations

from pathlib import Path

import pytest
from benchmarks.sparsity import report
from benchmarks.sparsity.__main__ import main
from benchmarks.sparsity.problems import PROBLEMS, sparse_survey, survey
from benchmarks.sparsity.report import Record
from click.testing import CliRunner

RECORDS = [
    Record("a", "chainrule", {"0.1: 1e-06": 0.002, "0.5: 1e-06": 0.004, "path": 2.0}),
    Record("a", "slow", {"0.1: 1e-06": 0.008, "0.5: 1e-06": 0.003}),
    Record("a", "none", {}),
    Record("b", "chainrule", {"0.01: 1e-10": 1.5}),
    Record("b", "slow", {"0.01: 1e-10": 3.0, "path": 1.0}),
]


def test_the_tables_compare_with_the_fastest_peer() -> None:
    text = report.tables(RECORDS)
    assert "| a | **0.8** (4 ms, slow 3 ms) | 4.0 (2 ms, slow 8 ms) |  |  | 2 s, none |" in text
    assert "| b |  |  |  |  | not reached, slow 1 s |" in text
    assert "| b |  |  |  | 2.0 (1.5 s, slow 3 s) |" in text
    # (3/4 * 4 * 2)^(1/3)
    assert "Geometric mean over 3 fits: the fastest peer takes 1.8 times as long; it is" in text


def test_records_come_back(tmp_path: Path) -> None:
    assert report.load(tmp_path / "none.json") == ([], {})
    report.save(RECORDS, {"cores": 2}, tmp_path / "records.json")
    assert report.load(tmp_path / "records.json") == (RECORDS, {"cores": 2})


def test_the_page_is_that_of_the_kept_run() -> None:
    for path, text in report.written().items():
        assert path.read_text(encoding="utf-8") == text, "run `make docs`"


@pytest.mark.slow
def test_it_runs_on_a_small_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PROBLEMS, "digits, 1797 x 64", lambda: survey(200, 2))
    choices = ["--problem", "digits, 1797 x 64", "--solver", "chainrule", "--limit", "0.5"]
    done = CliRunner().invoke(main, choices, catch_exceptions=False)
    assert done.exit_code == 0
    assert "digits, 1797 x 64: chainrule: 0.5: 1e-06 " in done.stdout


def test_a_sparse_survey_has_one_answer_per_question() -> None:
    X, y = sparse_survey(50, 4)
    assert (X.sum(axis=1) == 4).all()
    assert set(y) <= {0, 1}
