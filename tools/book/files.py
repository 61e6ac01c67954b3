"""The reference of the JSON that commands write, from what they write."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from tools.book.markdown import code, table

from chainrule.cli.main import cli

MODEL = "{folder}/model.json"

FILES = (
    (
        "Model file of classes",
        "`chainrule fit --out model.json` writes it; `predict` and `export` read it. Numbers read "
        "back to the same bits. A key that is unknown or missing is an error with its place.",
        ("fit", "@breast_cancer", "--target", "diagnosis", "--out", MODEL),
        MODEL,
    ),
    (
        "Model file of a regression",
        "The same with a loss; the facts of the loss are stored with their proofs.",
        (
            *("fit", "@breast_cancer", "--target", "mean_texture", "--ignore", "diagnosis"),
            *("--loss", "huber", "--out", MODEL),
        ),
        MODEL,
    ),
    (
        "Result of a fit",
        "`chainrule fit --json` prints it.",
        ("fit", "@breast_cancer", "--target", "diagnosis", "--json"),
        "",
    ),
    (
        "Derivation",
        "`chainrule derive --format json` prints it: every step with its rule, reason and proof.",
        ("derive", "examples/logistic_batch", "--format", "json"),
        "",
    ),
    (
        "Grade",
        "`chainrule grade --json` prints it. [Verdicts](../grading.md) explains its values.",
        ("grade", "--exercise", "logistic-batch", "--wrt", "w", "--answer", "(A - Y) X", "--json"),
        "",
    ),
)
"""Title, explanation, command, and the file that it writes; without one, what it prints."""


def pages() -> dict[str, str]:
    """Return the page of files."""
    blocks = [
        "# Files and JSON",
        "The keys of every JSON document that commands write, taken from the documents themselves. "
        "`[]` stands for the items of a list, `*` for keys that are names of yours.",
    ]
    for title, about, command, file in FILES:
        rows = [
            (code(path), kind, code(example)) for path, kind, example in keys(_run(command, file))
        ]
        blocks += [f"## {title}", about, table(("key", "type", "example"), rows)]
    return {"reference/files.md": "\n\n".join(blocks) + "\n"}


def _run(command: tuple[str, ...], file: str) -> Any:  # noqa: ANN401
    with tempfile.TemporaryDirectory() as folder:
        words = [word.replace("{folder}", folder) for word in command]
        done = CliRunner().invoke(cli, words)
        if done.exit_code not in (0, 1) or (done.exception and done.exit_code != 1):
            raise RuntimeError(f"chainrule {' '.join(words)}: {done.output}")
        text = Path(file.replace("{folder}", folder)).read_text() if file else done.stdout
    return json.loads(text)


def keys(document: Any, path: str = "") -> Iterator[tuple[str, str, str]]:  # noqa: ANN401
    """Yield path, type and example of every key of a document; items of a list are joined."""
    found: dict[str, tuple[set[str], str]] = {}
    _walk(document, path, found)
    for name, (kinds, example) in found.items():
        yield name, " or ".join(sorted(kinds)), example


NAMES = {dict: "object", list: "list", str: "string", bool: "boolean", int: "integer"}
_MOST_KEYS = 24
"""An object with more keys than this is a mapping of names."""


def _walk(value: Any, path: str, found: dict[str, tuple[set[str], str]]) -> None:  # noqa: ANN401
    if path:
        kind = "null" if value is None else NAMES.get(type(value), "number")
        kinds, example = found.setdefault(path, (set(), ""))
        kinds.add(kind)
        if not example and not isinstance(value, dict | list) and value is not None:
            text = json.dumps(value, ensure_ascii=False)
            found[path] = kinds, text if len(text) <= 48 else f"{text[:45]}..."
    if isinstance(value, dict):
        many = len(value) > _MOST_KEYS
        for key, inner in value.items():
            _walk(inner, f"{path}.{'*' if many else key}".lstrip("."), found)
    elif isinstance(value, list):
        for inner in value:
            if not isinstance(inner, int | float) or len(value) <= _MOST_KEYS:
                _walk(inner, f"{path}[]", found)
