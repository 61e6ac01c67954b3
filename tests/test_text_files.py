"""Files that people write, and what is taken for one of them by mistake."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from pathlib import Path

import pytest

from chainrule.errors import ModelError
from chainrule.language.reading import load_model, load_text
from chainrule.text_files import TextError, read_text

_TEXT = "x : (n, 1)\nw : (1, n)\nz = w x\nL = z^2\n"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "mark twice", "utf-16-be with a mark"]
)
def test_encodings_that_tell_themselves(encoding: str, tmp_path: Path) -> None:
    path = tmp_path / "pass.cr"
    if encoding == "mark twice":
        path.write_bytes(b"\xef\xbb\xbf" * 2 + _TEXT.encode())
    elif encoding.endswith("mark"):
        path.write_bytes(b"\xfe\xff" + _TEXT.encode("utf-16-be"))
    else:
        path.write_text(_TEXT, encoding=encoding)
    assert read_text(path) == _TEXT
    assert load_model(path).objective.name == "L"


@pytest.mark.parametrize("as_lines", [True, False])
def test_a_notebook_is_its_cells(as_lines: bool, tmp_path: Path) -> None:
    def cell(kind: str, text: str) -> dict[str, object]:
        return {"cell_type": kind, "source": text.splitlines(keepends=True) if as_lines else text}

    path = tmp_path / "homework.ipynb"
    cells = [cell("markdown", "# Homework"), cell("code", _TEXT)]
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))
    assert read_text(path) == f"# Homework\n\n{_TEXT}"
    path.write_text("[" * 100_000)
    with pytest.raises(TextError, match=r"homework\.ipynb is not a notebook of Jupyter"):
        read_text(path)


def test_front_matter_is_blank_and_lines_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "pass.md"
    path.write_text(f"---\ntitle: x : (n)\r\n---\n{_TEXT}q = \n")
    with pytest.raises(ModelError, match="line 8"):
        load_model(path)
    path.write_text(f"---\ntitle: never closed\n{_TEXT}")
    assert load_text(path).startswith("---\ntitle")


_NOT_TEXT = {
    "zip archive": b"",
    "gzip": gzip.compress(_TEXT.encode()),
    "a PDF": b"%PDF-1.7\n\xff",
    "an image": b"\x89PNG\r\n\x1a\n",
    r"UTF-8 \(byte 3\)": b"abc\xff",
    "line 2: a NUL character": b"a\nb\0c",
}


@pytest.mark.parametrize("said", _NOT_TEXT)
def test_what_is_no_text_is_named(said: str, tmp_path: Path) -> None:
    path = tmp_path / "pass.cr"
    path.write_bytes(_NOT_TEXT[said])
    if said == "zip archive":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("pass.cr", _TEXT)
    with pytest.raises(ModelError, match=rf"pass\.cr.*{said}"):
        load_model(path)


@pytest.mark.skipif(os.name != "posix", reason="links and pipes")
def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    folder, link, loop, pipe = (tmp_path / name for name in ("folder", "link", "loop", "pipe"))
    folder.mkdir()
    link.symlink_to("nowhere")
    loop.symlink_to("loop")
    os.mkfifo(pipe)
    said = {
        folder: "a folder",
        link: "nowhere, which does not exist",
        loop: "symbolic",
        pipe: "a pipe",
    }
    for path, words in said.items():
        with pytest.raises(ModelError, match=words):
            load_model(path)
