"""The board as a folder of files: any web server, a course page's frame, or a double click."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from chainrule import __version__
from chainrule.board.coding import encoded
from chainrule.board.compact import Verbatim, script_expression
from chainrule.board.gallery import bank_groups, examples
from chainrule.board.lessons import lesson, practice, training_data
from chainrule.board.schema import Gallery, GalleryGroup, GalleryItem
from chainrule.board.scorm import SCRIPT, packaged
from chainrule.board.site import INDEX, files
from chainrule.board.training import data_info
from chainrule.errors import ChainruleError
from chainrule.teaching.exercises.loading import exercises, find

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'{wasm}",
        "connect-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
"""The policy of the exported page; a frame of a course page may hold it."""

OWN = "start.js"
"""The file by which a folder is known as an exported board."""

Progress = Callable[[str], None]


def site(
    groups: Sequence[GalleryGroup] | None = None,
    *,
    pairs: int | None = None,
    live: bool = False,
    said: Progress | None = None,
) -> dict[str, bytes]:
    """Return the files of a static board by their names.

    Parameters
    ----------
    groups : sequence of GalleryGroup, optional
        What the gallery offers; by default the examples and the bank.
    pairs : int, optional
        For how many pairs of features training has an optimum; by default for all.
    live : bool, optional
        Whether a worker runs Python in the page.
    said : callable, optional
        Receives the title of each forward pass before it is derived.
    """
    full = {item.id for group in examples() for item in group.items}
    chosen = (*examples(), *bank_groups()) if groups is None else tuple(groups)
    found = dict(files())
    kept: list[GalleryGroup] = []
    for group in chosen:
        items = []
        for item in group.items:
            if said is not None:
                said(item.title)
            item = replace(item, id=_file_name(item.id))
            made = _lesson(item, every_node=item.id in full)
            if made is not None:
                found[f"data/lesson-{item.id}.js"] = made
                items.append(item)
        kept.append(replace(group, items=tuple(items)))
    if said is not None:
        said("questions and training")
    pool = _exercises(kept)
    found["data/practice.js"] = _assigned("practice", practice(pool))
    found["data/train.js"] = _assigned("train", training_data(pairs))
    found[OWN] = _start(Gallery(tuple(kept), data_info()), live=live, scorm=False)
    found[INDEX] = _page(found[INDEX], live=live)
    return dict(sorted(found.items()))


def check_folder(folder: Path) -> None:
    """Raise `ChainruleError` where a folder holds anything but an earlier export."""
    if folder.exists() and (not folder.is_dir() or _is_foreign(folder)):
        raise ChainruleError(
            f"{folder} is not empty and is not an exported board; name a new folder"
        )


def write(folder: Path, found: Mapping[str, bytes]) -> None:
    """Write an exported board into a new folder, or over an earlier export.

    Raises
    ------
    ChainruleError
        When the folder holds something else, or cannot be written.
    """
    check_folder(folder)
    try:
        for name, content in found.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    except OSError as error:
        raise ChainruleError(f"{folder} cannot be written: {error.strerror}") from None


def scorm_package(found: Mapping[str, bytes]) -> bytes:
    """Return an exported board as a SCORM 1.2 package, a zip file for a course system."""
    start = found[OWN].replace(b'"scorm":false', b'"scorm":true') + SCRIPT.encode()
    return packaged({**found, OWN: start}, "chainrule board")


def _is_foreign(folder: Path) -> bool:
    return any(folder.iterdir()) and not (folder / OWN).is_file()


def _lesson(item: GalleryItem, *, every_node: bool) -> bytes | None:
    try:
        made = lesson(item, every_node=every_node)
    except ChainruleError:
        return None  # an exercise about derivations that has none of its own
    text = f"CHAINRULE.lessons[{json.dumps(item.id)}]={script_expression(made)};\n"
    return text.encode()


def _exercises(groups: Sequence[GalleryGroup]) -> Any:  # noqa: ANN401
    known = {_file_name(each.id): each.id for each in exercises()}
    ids = [known[item.id] for group in groups for item in group.items if item.id in known]
    return tuple(find(each) for each in ids)


def _assigned(name: str, value: Any) -> bytes:  # noqa: ANN401
    return f"CHAINRULE.{name}={script_expression(value)};\n".encode()


def _start(gallery: Gallery, *, live: bool, scorm: bool) -> bytes:
    state: dict[str, Any] = {
        "tier": "pyodide" if live else "static",
        "version": __version__,
        "scorm": scorm,
        "lessons": Verbatim("{}"),
        "gallery": encoded(gallery),
    }
    if live:
        state["worker"] = "worker.js"
    return f"window.CHAINRULE={script_expression(state)};\n".encode()


def _page(index: bytes, *, live: bool) -> bytes:
    policy = POLICY.format(wasm=" 'wasm-unsafe-eval'" if live else "")
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    head = b'<meta charset="utf-8">'
    if head not in index:
        raise ChainruleError("the built index.html has no charset; run `make board`")
    return index.replace(head, head + b"\n" + meta.encode(), 1)


def _file_name(identifier: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in identifier)
