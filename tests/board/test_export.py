"""The static board: its files, its JavaScript against NumPy, its packages."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from tests.board.samples import ONE, result
from tests.language.codegen.node import node

from chainrule.board.compact import script_expression
from chainrule.board.derivations import derivation_of
from chainrule.board.export import OWN, scorm_package, site, write
from chainrule.board.gallery import bank_groups, examples
from chainrule.board.picture import remaining_gradients
from chainrule.board.pyodide import live_files
from chainrule.board.schema import GalleryGroup, GalleryItem
from chainrule.board.scripts import numbers_script
from chainrule.board.site import INDEX
from chainrule.cli.main import cli
from chainrule.errors import ChainruleError

ITEMS = {item.id: item for group in examples() for item in group.items}
FONT = "stix-two-math.woff2"
CHOSEN = ("logistic_batch", "softmax_batch", "board_b1", "board_b3", "lora")
BANK = {item.id: item for group in bank_groups() for item in group.items}
SMALL = [GalleryGroup("one", (GalleryItem("own", "own", ONE, ""), BANK["score"]))]


@pytest.fixture(scope="module")
def small() -> dict[str, bytes]:
    return site(SMALL, pairs=1)


@pytest.mark.parametrize("name", CHOSEN)
def test_emitted_numbers_are_those_of_numpy(name: str) -> None:
    text = ITEMS[name].text
    script = numbers_script(derivation_of(text), remaining_gradients(text, (), 1))
    source = (
        f"const evaluate = {script};\n"
        "export const run = (text) => {"
        " const p = JSON.parse(text);"
        " return JSON.stringify(evaluate(p.inputs, p.sizes, p.chosen)); };"
    )
    for seed in (0, 1):
        wanted = result("numbers", text=text, seed=seed)
        chosen = {name: size - 1 for name, size in wanted["sizes"].items()}
        wanted = result("numbers", text=text, seed=seed, chosen=chosen)
        found = json.loads(node().call(source, "run", json.dumps(wanted)))
        for group in ("values", "gradients"):
            for key, value in wanted[group].items():
                np.testing.assert_allclose(found[group][key], value, rtol=1e-9, atol=1e-12)
        for mine, theirs in zip(found["steps"], wanted["steps"], strict=True):
            assert mine["dims"] == theirs["dims"]
            for part in ("value", "term"):
                assert (mine[part] is None) == (theirs[part] is None)
                if mine[part] is not None:
                    assert mine[part] == pytest.approx(theirs[part], rel=1e-9, abs=1e-12)
        graph = result("graph", text=text, seed=seed, chosen=chosen)
        for edge in graph["edges"]:
            if edge["number"] is not None:
                key = f"{edge['source']}>{edge['target']}"
                assert found["factors"][key] == pytest.approx(edge["number"], rel=1e-9, abs=1e-12)


def test_data_come_back_from_their_script() -> None:
    long = {"a": ["the same long text </script> \u2028", {"b": 1.5}], "none": None}
    data = [long, {"again": long}, [long["a"]], "the same long text </script> \u2028"]
    text = script_expression(data)
    assert "</script" not in text
    assert text.count("the same long text") == 1
    source = f"export const value = () => JSON.stringify({text});"
    assert json.loads(node().call(source, "value")) == data


def test_the_files_of_a_site(small: dict[str, bytes]) -> None:
    assert {"index.html", "start.js", "data/lesson-own.js", "data/practice.js"} <= small.keys()
    page = small["index.html"].decode()
    assert "Content-Security-Policy" in page
    for name, content in small.items():
        if name.endswith((".js", ".html", ".css")) and not name.startswith("static/licences"):
            assert b"http-equiv" not in content or name == "index.html"
            assert b"import(" not in content or name.startswith("static/")
    assert len(small["data/lesson-own.js"]) < 400_000


def test_the_files_before_the_first_line_are_few_and_small() -> None:
    found = site([replace(examples()[0], items=examples()[0].items[:1])], pairs=1)
    (lesson,) = (name for name in found if name.startswith("data/lesson-"))
    first = [INDEX, OWN, lesson]
    first += [f"static/{name}" for name in ("board.js", "board.css", "icon.svg", FONT)]
    assert sum(len(gzip.compress(found[name])) for name in first) <= 200_000
    text = found[INDEX].decode() + found["static/board.css"].decode()
    assert "editor.js" not in text, "the editor is loaded after the first line"
    assert FONT in text


def test_a_lesson_of_tensors_has_its_numbers_and_no_script() -> None:
    tensor = GalleryItem("tensor", "a tensor", "Q : (b, h, t)\nJ = sum(Q .* Q)", "")
    found = site([GalleryGroup("one", (tensor,))], pairs=1)["data/lesson-tensor.js"]
    assert b'"gradients":{"Q":' in found
    assert b'"evaluate":null' in found


@pytest.mark.slow
def test_an_export_is_the_same_byte_for_byte(small: dict[str, bytes]) -> None:
    code = (
        "import hashlib, json, sys\n"
        "from tests.board.test_export import SMALL, site\n"
        "found = site(SMALL, pairs=1).items()\n"
        "print(json.dumps({k: hashlib.sha256(v).hexdigest() for k, v in found}))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root
    )
    again = json.loads(done.stdout)
    assert again == {name: hashlib.sha256(content).hexdigest() for name, content in small.items()}


def test_a_site_is_written_over_an_earlier_one_and_nothing_else(
    small: dict[str, bytes], tmp_path: Path
) -> None:
    write(tmp_path / "site", small)
    write(tmp_path / "site", small)
    assert (tmp_path / "site" / "index.html").read_bytes() == small["index.html"]
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ChainruleError, match="not an exported board"):
        write(tmp_path, small)


def test_a_scorm_package_lists_its_files(small: dict[str, bytes]) -> None:
    package = zipfile.ZipFile(io.BytesIO(scorm_package(small)))
    manifest = ElementTree.fromstring(package.read("imsmanifest.xml"))
    listed = {e.attrib["href"] for e in manifest.iter() if e.tag.endswith("}file")}
    assert listed == set(package.namelist()) - {"imsmanifest.xml"} == set(small)
    start = package.read("start.js").decode()
    assert '"scorm":true' in start
    source = (
        "const log = []; globalThis.window = globalThis; globalThis.addEventListener = () => {};\n"
        "window.opener = null; window.parent = window;\n"
        "window.API = new Proxy({}, { get: (_, name) => (...a) => log.push([name, ...a]) });\n"
        f"{start}\n"
        "export const run = () => {"
        " window.chainruleScorm.score(3, 4); return JSON.stringify(log); };"
    )
    calls = json.loads(node().call(source, "run"))
    assert ["LMSInitialize", ""] in calls
    assert ["LMSSetValue", "cmi.core.score.raw", "75"] in calls
    assert scorm_package(small) == scorm_package(small)


def distribution(folder: Path, **packages: bytes) -> Path:
    folder.mkdir()
    for name in ("pyodide.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide.asm.js"):
        (folder / name).write_bytes(name.encode())
    lock: dict[str, Any] = {"packages": {}}
    for name, content in packages.items():
        (folder / f"{name}.whl").write_bytes(content)
        lock["packages"][name] = {
            "file_name": f"{name}.whl",
            "sha256": hashlib.sha256(content).hexdigest(),
            "depends": [],
        }
    (folder / "pyodide-lock.json").write_text(json.dumps(lock))
    return folder


def test_the_live_tier_takes_packages_by_their_hash(tmp_path: Path) -> None:
    folder = distribution(tmp_path / "d", numpy=b"numpy", mpmath=b"mpmath")
    found = live_files(folder)
    assert found["pyodide/numpy.whl"] == b"numpy"
    names = zipfile.ZipFile(io.BytesIO(found["pyodide/chainrule.zip"])).namelist()
    assert "chainrule/board/calls.py" in names
    assert "chainrule/teaching/exercises/bank/vectors.toml" in names
    assert not any(name.startswith("chainrule/engine") for name in names)
    (folder / "numpy.whl").write_bytes(b"other")
    with pytest.raises(ChainruleError, match="SHA-256"):
        live_files(folder)
    with pytest.raises(ChainruleError, match="--pyodide"):
        live_files(tmp_path)


@pytest.mark.slow
def test_the_packed_sources_answer_calls(tmp_path: Path) -> None:
    folder = distribution(tmp_path / "d", numpy=b"", mpmath=b"")
    archive = tmp_path / "chainrule.zip"
    archive.write_bytes(live_files(folder)["pyodide/chainrule.zip"])
    zipfile.ZipFile(archive).extractall(tmp_path / "packed")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path / 'packed')!r})\n"
        "import chainrule; from chainrule.board.calls import answer\n"
        f"assert {str(tmp_path)!r} in chainrule.__file__\n"
        f"print(answer('derive', {{'text': {ONE!r}}})['result']['proven'])\n"
        "print('result' in answer('gallery', {}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.split() == ["True", "True"]


def test_options_that_do_not_belong_together() -> None:
    runner = CliRunner()
    assert runner.invoke(cli, ["board", "--examples-only"]).exit_code == 2
    assert runner.invoke(cli, ["board", "x.cr", "--export", "site"]).exit_code == 2
