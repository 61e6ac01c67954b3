"""Links from the sections of a page to the board of the site."""

from __future__ import annotations

import html
import re

from chainrule.documents.board_link import board_link
from chainrule.language.reading import example_names, load_text

_HEADING = re.compile(r"^#{2,} (?P<name>\w+)\n", re.MULTILINE)


def linked(page: str, board: str) -> str:
    """Return a page of Markdown with a link to the board in the section of each shipped example.

    Parameters
    ----------
    page : str
        The page. The title of a section about a shipped forward pass is its name.
    board : str
        The address of the board, relative to the page.
    """
    shipped = frozenset(example_names())

    def below(heading: re.Match[str]) -> str:
        if heading["name"] not in shipped:
            return heading[0]
        # The text is that of the file: an exported board finds its derivations by it.
        address = html.escape(board_link(board, load_text(heading["name"])))
        return f'{heading[0]}\n<p class="on-board"><a href="{address}">Open on the board</a></p>\n'

    return _HEADING.sub(below, page)
