"""Files on disk: whole or as before, never a device replaced, never more than the budget."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from threading import Thread

import pytest

from chainrule.errors import DataError
from chainrule.storage import atomic_text, check_regular, check_writable, read_small_text


def test_a_file_is_whole_or_as_before(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with atomic_text(path) as file:
        file.write("one")
    with pytest.raises(ZeroDivisionError), atomic_text(path) as file:
        file.write(f"two {1 / 0}")
    assert path.read_text() == "one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.txt"]


def test_a_device_is_written_to_and_stays(tmp_path: Path) -> None:
    before = os.stat("/dev/full")
    link = tmp_path / "out.txt"
    link.symlink_to("/dev/full")
    check_writable(link)
    full = "cannot be written: No space left on device"
    with pytest.raises(DataError, match=full), atomic_text(link) as file:
        file.write("a")
    after = os.stat("/dev/full")
    assert stat.S_ISCHR(after.st_mode)
    assert after.st_ino == before.st_ino


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    with atomic_text(pipe) as file:
        file.write("through")
    reader.join(10)
    assert read == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero"):
        with pytest.raises(DataError, match="a pipe or a device"):
            check_regular(path)
    with pytest.raises(IsADirectoryError):
        check_regular(tmp_path)
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbftext")
    assert read_small_text(tmp_path / "a") == "text"
    with (tmp_path / "large").open("wb") as file:
        file.truncate(300 << 20)
    with pytest.raises(DataError, match="too large for this kind of file"):
        read_small_text(tmp_path / "large")
