"""Damaged model files: refused in a sentence that names the file, or read as a whole model."""

from __future__ import annotations

import copy
import json
from functools import cache
from io import StringIO
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from chainrule.errors import ChainruleError
from chainrule.tables.fitting import FitOptions, fit_file
from chainrule.tables.fitting_regression import fit_regression_file
from chainrule.tables.losses import choose_loss
from chainrule.tables.predicting import load_model, write_predictions

_TABLE = "x,when,c,t,n\n" + "".join(
    f"{k % 7 / 2},2024-01-{k % 28 + 1:02d},{'uvw'[k % 3]},{'ab'[k * k % 5 % 2]},{k % 4}\n"
    for k in range(60)
)
_STRANGE: tuple[Any, ...] = (
    *(None, True, 0, -1, 1e308, -0.0, 2**70, "", "x", "\ud800", [], {}, [[]], "=1+1"),
    *(float("nan"), float("inf"), "\x1b[31m", "a" * 5000, 1e-320),
)


@cache
def _documents() -> tuple[str, ...]:
    """Return the text of a model of classes and of a regression."""
    with TemporaryDirectory() as name:
        data, made = Path(name) / "t.csv", Path(name) / "m.json"
        data.write_text(_TABLE)
        options = FitOptions("t", missing="indicator", ignore=("when", "n"))
        fit_file(data, options).model.save(made)
        texts = [made.read_text()]
        counts = FitOptions("n", ignore=("when", "t"), alpha=0.1)
        fit_regression_file(data, counts, choose_loss("poisson")).model.save(made)
        return (*texts, made.read_text())


def case(rng: Random, folder: Path) -> str:
    """Change some values of a model file, or some characters of its text."""
    text, path = rng.choice(_documents()), folder / "m.json"
    if rng.random() < 0.5:
        document = json.loads(text)
        for _ in range(rng.randint(1, 3)):
            _change(rng, document)
        text = json.dumps(document)
    else:
        for _ in range(rng.randint(1, 3)):
            place = rng.randrange(len(text))
            piece = rng.choice(['"', "{", "]", ",", "1", "e", "-", "\\", "null", "NaN", "\x00"])
            text = text[:place] + piece + text[place + rng.randrange(2) :]
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    try:
        model = load_model(path)
    except ChainruleError as error:
        if "m.json" not in str(error):
            raise AssertionError(f"the file is not named: {error}") from error
        return "refused"
    data, out = folder / "t.csv", StringIO()
    data.write_text(_TABLE)
    try:
        with np.errstate(all="ignore"):
            write_predictions(model, data, out, blank=True)
    except ChainruleError:
        return "read, and another table asked for"
    assert out.getvalue().count("\n") == _TABLE.count("\n"), out.getvalue()[:300]
    assert "nan" not in out.getvalue(), out.getvalue()[:300]
    model.save(path)
    assert load_model(path) is not None
    return "read"


def _change(rng: Random, document: Any) -> None:
    """Change one value somewhere inside."""
    places: list[tuple[Any, Any]] = []

    def walk(node: Any) -> None:
        keys = node if isinstance(node, dict) else range(len(node))
        for key in list(keys):
            places.append((node, key))
            if isinstance(node[key], dict | list):
                walk(node[key])

    walk(document)
    holder, key = rng.choice(places)
    kind = rng.choice(["strange", "strange", "gone", "double", "number"])
    if kind == "strange":
        holder[key] = copy.deepcopy(rng.choice(_STRANGE))
    elif kind == "gone":
        del holder[key]
    elif kind == "double" and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif isinstance(holder[key], int | float):
        holder[key] = holder[key] * 10.0 ** rng.randint(-300, 300)
    elif isinstance(holder, dict):
        holder[f"{key}2"] = holder.pop(key)
