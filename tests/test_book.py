"""The site: every name, option and table entry has its place, and no link is broken."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from tools.book import api, commands, files, gallery, links, navigation, notebooks, tables
from tools.book.on_board import linked
from tools.book.written import written

import chainrule
from chainrule import errors
from chainrule.calculus.ops import TABLE
from chainrule.documents.board_link import board_link
from chainrule.emission.shipped import SHIPPED
from chainrule.language.reading import example_names, load_text

DOCS = Path(__file__).parents[1] / "docs"


def test_every_public_name_is_documented() -> None:
    paths = {path.rpartition(".")[2] for path, _ in api.documented()}
    assert set(chainrule.__all__) <= paths
    for path, found in api.documented():
        assert found.__doc__, path


@pytest.mark.parametrize("name", [name for name, _ in commands.commands()])
def test_every_option_of_a_command_is_on_its_page(name: str) -> None:
    command = dict(commands.commands())[name]
    page = commands.page(name, command)
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            for written_as in parameter.opts:
                assert written_as in page
    assert "No description." not in page


def test_every_entry_of_a_table_is_on_its_page() -> None:
    pages = tables.pages()
    for name in TABLE:
        assert f"| `{name}` |" in pages["reference/operations.md"], name
    for name in SHIPPED:
        assert f"## {name}\n" in pages["reference/losses.md"], name
    for name, found in vars(errors).items():
        if isinstance(found, type) and issubclass(found, errors.ChainruleError):
            assert name == "ChainruleError" or f"| `{name}` |" in pages["reference/errors.md"]
    assert pages["reference/rules.md"].count("\n| ") > 60


def test_every_shipped_forward_pass_is_in_the_gallery() -> None:
    page = gallery.page()
    for each in (*gallery.derivations(), *gallery.losses(), *gallery.FITS):
        assert f'href="{each.file}"' in page


def test_keys_of_a_document() -> None:
    document = {"a": [{"b": 1}, {"b": None, "c": "x"}], "d": {str(n): 0.5 for n in range(30)}}
    assert list(files.keys(document)) == [
        ("a", "list", ""),
        ("a[]", "object", ""),
        ("a[].b", "integer or null", "1"),
        ("a[].c", "string", '"x"'),
        ("d", "object", ""),
        ("d.*", "number", "0.5"),
    ]


@pytest.mark.parametrize("name", notebooks.names())
def test_a_notebook_runs(name: str) -> None:
    ran = notebooks.run(notebooks.FOLDER / f"{name}.ipynb")
    assert ran.pictures
    assert any('<div class="output">' in block for block in ran.blocks)
    cells = json.loads((notebooks.FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    assert not any(cell.get("outputs") for cell in cells), "commit notebooks without their output"


def test_a_cell_that_fails_is_named(tmp_path: Path) -> None:
    cell = {"cell_type": "code", "source": ["1 / 0"]}
    path = tmp_path / "wrong.ipynb"
    path.write_text(json.dumps({"cells": [cell]}), encoding="utf-8")
    with pytest.raises(RuntimeError, match=r"wrong\.ipynb, cell 1: ZeroDivisionError"):
        notebooks.run(path)


def test_every_page_has_its_place_once() -> None:
    pages = [name.removesuffix(".md") for name in written() if name.endswith(".md")]
    placed = [page for _, found in navigation.contents([*pages, "new_page"]) for page in found]
    assert sorted(placed) == sorted({*pages, "new_page"} - {"index"})


def test_links_of_a_page_are_those_of_the_site(tmp_path: Path) -> None:
    (tmp_path / "docs/inner").mkdir(parents=True)
    (tmp_path / "src").mkdir()
    (tmp_path / "CHANGELOG.md").write_text("[x](docs/inner/page.md#part)", encoding="utf-8")
    (tmp_path / "docs/inner/page.md").write_text(
        "[changes](../../CHANGELOG.md), [`src`](../../src), [code](../../src)", encoding="utf-8"
    )
    found = written(tmp_path)
    assert found["changelog.md"] == b"[x](inner/page.md#part)"
    assert found["inner/page.md"] == b"[changes](../changelog.md), `src`, code (`src`)"
    (tmp_path / "docs/wrong.md").write_text("[x](../nothing.md)", encoding="utf-8")
    with pytest.raises(ValueError, match=r"docs/wrong\.md: the link \.\./nothing\.md"):
        written(tmp_path)


def test_sections_of_shipped_forward_passes_link_to_the_board() -> None:
    page = linked("# vae\n\n## vae\n\nA model.\n\n## Other\n\nMore.\n", "../board/index.html")
    address = board_link("../board/index.html", load_text("vae")).replace("&", "&amp;")
    assert page.count("Open on the board") == page.count(f'href="{address}"') == 1
    assert page.index("## vae") < page.index(address) < page.index("A model.")
    page = written()["derivations.md"].decode()
    assert page.count("Open on the board") == len(example_names())


def test_broken_links_and_other_origins_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<h1 id="top">a</h1><a href="b.html">b</a><a href="#top">up</a><a href="#down">down</a>'
        '<a href="https://example.org">out</a><script src="https://example.org/x.js"></script>',
        encoding="utf-8",
    )
    assert list(links.broken(tmp_path)) == [
        "a.html: loads https://example.org/x.js from another origin",
        "a.html: b.html leads nowhere",
        "a.html: #down has no such anchor",
    ]
