"""The cost model of streams and clusters: its page, and how it depends on the sizes."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from benchmarks.network import PAGE, RESULTS, table

from chainrule.engine.solvers.stream_costs import READS, Rates, stream_cost


def test_the_page_shows_the_records() -> None:
    record = json.loads(RESULTS.read_text(encoding="utf-8"))
    assert table(record) in PAGE.read_text(encoding="utf-8")


def test_predictions_are_near_the_records() -> None:
    record = json.loads(RESULTS.read_text(encoding="utf-8"))
    for found in record["workers"].values():
        rates = Rates(**found["rates"])
        for run in found["runs"]:
            cost = stream_cost(run["rows"], run["columns"], 2, rates)
            assert cost.seconds == pytest.approx(run["predicted seconds"])
            assert cost.bytes_per_pass * 1e-3 == pytest.approx(run["kB per pass"], rel=1e-6)
            assert run["reads"] <= READS + 1
        largest = max(found["runs"], key=lambda run: run["rows"] * run["columns"])
        assert 0.5 < largest["predicted seconds"] / largest["seconds"] < 2


def test_workers_share_the_reads_and_the_driver_the_rest() -> None:
    one, many = (stream_cost(1e9, 100, n) for n in (1, 100))
    assert one.seconds_of_reads == pytest.approx(100 * many.seconds_of_reads)
    assert many.bytes_per_pass > 40 * one.bytes_per_pass
    assert (one.driver_bytes, one.sample_bytes) == (many.driver_bytes, many.sample_bytes)
    slower = stream_cost(1e9, 100, 100, replace(Rates(), latency=2e-3))
    assert slower.seconds_of_network > many.seconds_of_network
    assert stream_cost(1e9, 100).seconds_of_network == 0
