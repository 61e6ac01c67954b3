"""Links from the forward passes of a page to the board of the site."""

from __future__ import annotations

import html
import re
from functools import cache

from chainrule.documents.board_link import board_link
from chainrule.errors import ChainruleError
from chainrule.language.reading import example_names, load_model, load_text, read_model
from chainrule.language.typeset import model_text

_FENCED = re.compile(r"^```(?:text)?\n(?P<text>.*?)^```\n", re.DOTALL | re.MULTILINE)
_DECLARED = re.compile(r"^\S+ *: *\(", re.MULTILINE)


def linked(page: str, board: str) -> str:
    """Return a page of Markdown with a link to the board below every shipped forward pass.

    The site's board runs without Python, so that it opens the shipped forward passes alone.

    Parameters
    ----------
    page : str
        The page. A block of code is a forward pass if it declares a shape and can be read.
    board : str
        The address of the board, relative to the page.
    """

    def below(block: re.Match[str]) -> str:
        shipped = _shipped(block["text"])
        if shipped is None:
            return block[0]
        address = html.escape(board_link(board, shipped))
        return f'{block[0]}\n<p class="on-board"><a href="{address}">Open on the board</a></p>\n'

    return _FENCED.sub(below, page)


def _shipped(text: str) -> str | None:
    """Return the shipped text of a forward pass; None where the text is none."""
    if not _DECLARED.search(text):
        return None
    try:
        return _texts().get(model_text(read_model(text), notes=False))
    except ChainruleError:
        return None


@cache
def _texts() -> dict[str, str]:
    """Return the shipped forward passes as they are written, by the text that is read from them."""
    return {model_text(load_model(n), notes=False): load_text(n) for n in example_names()}
