"""Any text and any arguments give a result or a typed error, and nothing else."""

from __future__ import annotations

import json
import os
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.board.samples import LECTURE, ONE

from chainrule.board.calls import CALLS, answer
from chainrule.board.failures import KINDS

COUNT = int(os.environ.get("CHAINRULE_FUZZED_CALLS", "300"))
"""The number of fuzzed calls; 10000 before a release."""

SEED = int(os.environ.get("CHAINRULE_FUZZ_SEED", "0"))
"""The first of the four seeds: a long run is done in pieces with seeds 0, 4, 8 ..."""

KNOWN = {kind for _, kind in KINDS}
PIECES = (
    *"xwbyzaLJXYWAZ0123456789()[]{}^_.,:;=+-*/'|~# \n\t",
    "sigmoid(",
    "log ",
    "sum_i ",
    "^[1]",
    " : (n, m)\n",
    "onehot: Y\n",
    "wrt: w\n",
    "for l = 1..3\n",
    "\\frac{1}{2}",
    "𝒳",
    "\x00",
    "‮",
    "ﬁ",
    "1e999",
    "</script>",
    "  end\n",
    "softmax(",
)


def checked(call: str, args: Any) -> None:
    found = answer(call, args)
    assert found.keys() in ({"result"}, {"error"})
    if "error" in found:
        assert found["error"]["kind"] in KNOWN
        assert found["error"]["message"]
    json.dumps(found, allow_nan=False)


@given(text=st.text(max_size=200))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_text_is_read_or_refused(text: str) -> None:
    checked("read", {"text": text})
    checked("understood", {"text": ONE, "typed": text, "wrt": "w"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


@given(call=st.sampled_from(sorted(CALLS)), args=JSON)
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_json_is_answered(call: str, args: object) -> None:
    checked(call, args)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(SEED, SEED + 4))
def test_fuzzed_calls(seed: int) -> None:
    random = Random(seed)
    for _ in range(COUNT // 4):
        call = random.choice(sorted(CALLS))
        checked(call, _args(random, call))


def _args(random: Random, call: str) -> dict[str, object]:
    text = random.choice((LECTURE, ONE, _mangled(random, ONE), _soup(random)))
    made: dict[str, dict[str, object]] = {
        "why": {"text": text, "step": random.randrange(-1, 30), "path": _path(random)},
        "understood": {"text": ONE, "typed": _soup(random)},
        "grade": {"text": ONE, "wrt": random.choice("wbz?"), "answer": _soup(random)},
        "audit": {"text": ONE, "transcript": _soup(random)},
        "question": {"seed": random.randrange(9), "topic": random.choice(("", "vectors", "?"))},
        "reply": {"ticket": _ticket(random), "answer": _soup(random)},
        "hint": {"ticket": _ticket(random), "number": random.randrange(-1, 5)},
        "show": {"ticket": _ticket(random)},
        "train": {"columns": [random.randrange(-1, 31), 1], "steps": random.randrange(9)},
        "export": {"text": text, "to": random.choice(("json", "text", "nothing"))},
        "numbers": {"text": text, "sizes": {random.choice("mnq"): random.randrange(-1, 9)}},
        "graph": {"text": text, "inputs": {random.choice("wxb"): [[random.uniform(-9, 9)]]}},
    }
    if call in ("gallery", "topics"):
        return {}
    other: dict[str, object] = {"history": []} if call == "progress" else {"text": text}
    return made.get(call, other)


def _soup(random: Random) -> str:
    return "".join(str(random.choice(PIECES)) for _ in range(random.randrange(40)))


def _mangled(random: Random, text: str) -> str:
    at = random.randrange(len(text))
    return text[:at] + str(random.choice(PIECES)) + text[at + random.randrange(3) :]


def _path(random: Random) -> str | None:
    return random.choice((None, "", "0", "0.1", "1.0.1", "x", "-1", "0..1"))


def _ticket(random: Random) -> str:
    exercise = random.choice(("logistic-batch", "score", "nothing"))
    return f"{exercise}/{random.choice(('shape', 'rule', '?'))}/{random.randrange(3)}/0"
