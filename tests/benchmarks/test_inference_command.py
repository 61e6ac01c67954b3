"""The benchmark of inference runs on a small set, without peers too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.inference import main


@pytest.mark.slow
def test_it_runs_on_a_small_set(tmp_path: Path) -> None:
    out = tmp_path / "record.json"
    main([str(tmp_path / "no-python"), "--shape", "100x2", "--out", str(out)])
    (record,) = json.loads(out.read_text())
    assert (record["rows"], record["columns"]) == (100, 2)
    assert set(record["chainrule"]) == {"table", "ame", "MB"}
    assert record["statsmodels"]["failed"].startswith("there is no ")
