"""Links to a board: the forward pass comes back, and other schemes are refused."""

from __future__ import annotations

import html
import re
import zlib
from base64 import urlsafe_b64decode
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner, Result

from chainrule.cli.main import cli
from chainrule.documents.board_link import board_link
from chainrule.errors import ChainruleError
from chainrule.language.reading import load_text, read_model

TEXT = load_text("logistic_batch")


@pytest.mark.parametrize("address", ["https://example.org/b/", "../board/index.html", "/b#token=1"])
def test_the_forward_pass_comes_back(address: str) -> None:
    link = board_link(address, TEXT + "# π, 数\n", ["w", "b"], order=2)
    assert link.startswith(address)
    parts = parse_qs(urlsplit(link).fragment)
    packed = parts["cr"][0]
    raw = urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
    assert zlib.decompress(raw, -zlib.MAX_WBITS).decode() == TEXT + "# π, 数\n"
    assert (parts["view"], parts["wrt"], parts["order"]) == (["derive"], ["w,b"], ["2"])


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "", "http://[::1"])
def test_other_addresses_are_refused(address: str) -> None:
    with pytest.raises(ChainruleError, match="not the address of a board"):
        board_link(address, TEXT)


def test_a_derivation_links_to_its_board() -> None:
    words = ["derive", "examples/logistic_single", "--format", "html", "--board"]
    page = CliRunner().invoke(cli, [*words, "https://example.org/board/"])
    assert page.exit_code == 0
    assert 'href="https://example.org/board/#view=derive&amp;cr=' in page.output
    words[3] = "latex"
    refused = CliRunner().invoke(cli, [*words, "https://example.org/board/"])
    assert refused.exit_code == 2
    assert "--board is for --format html" in refused.output


BOARD = "../board/index.html"


def fit(*words: object) -> Result:
    data = ["fit", "@breast_cancer", "--ignore", "worst_area", *map(str, words)]
    return CliRunner().invoke(cli, data)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "differentiated"),
    [
        (("--target", "diagnosis"), None),
        (("--target", "mean_texture", "--ignore", "diagnosis", "--loss", "huber"), ["w,b"]),
    ],
    ids=["labels", "numbers"],
)
def test_the_report_of_a_fit_links_to_its_forward_pass(
    target: tuple[str, ...], differentiated: list[str] | None, tmp_path: Path
) -> None:
    page, model, saved = (tmp_path / name for name in ("r.html", "m.json", "s.html"))
    done = fit(*target, "--report", page, "--board", BOARD, "--out", model)
    assert done.exit_code == 0, done.output
    words = ["report", str(model), "--format", "html", "--board", BOARD, "--out", str(saved)]
    assert CliRunner().invoke(cli, words).exit_code == 0
    links = [re.findall(rf'href="({BOARD}#[^"]*)"', each.read_text()) for each in (page, saved)]
    assert links[0] == links[1]
    (link,) = links[0]
    parts = parse_qs(urlsplit(html.unescape(link)).fragment)
    raw = urlsafe_b64decode(parts["cr"][0] + "=" * (-len(parts["cr"][0]) % 4))
    names = {symbol.name for symbol in read_model(zlib.decompress(raw, -15).decode()).inputs}
    assert {"w", "b"} <= names
    assert parts.get("wrt") == differentiated


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--board", BOARD), "--board is for a --report"),
        (("--board", BOARD, "--report", "card.md"), "--board is for a --report"),
        (("--board", "javascript:alert(1)", "--report", "r.html"), "not the address of a board"),
        (("--board", "", "--report", "r.html"), "not the address of a board"),
    ],
)
def test_a_board_that_cannot_be_linked_is_refused_before_the_fit(
    words: tuple[str, ...], said: str
) -> None:
    refused = fit("--target", "diagnosis", *words)
    assert refused.exit_code == 2
    assert said in " ".join(refused.output.split())
