"""Links to a board: the forward pass comes back, and other schemes are refused."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64decode
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from chainrule.cli.main import cli
from chainrule.documents.board_link import board_link
from chainrule.errors import ChainruleError
from chainrule.language.reading import load_text

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
