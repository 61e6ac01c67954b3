"""The address of a forward pass on a board: its text is in the fragment, deflated."""

from __future__ import annotations

import zlib
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from urllib.parse import urlencode, urlsplit

from chainrule.errors import ChainruleError

SCHEMES = frozenset({"", "http", "https", "file"})


def board_link(
    address: str, text: str, wrt: Sequence[str] = (), order: int = 1, view: str = "derive"
) -> str:
    """Return the address that opens a forward pass on a board.

    Parameters
    ----------
    address : str
        The page of an exported or a running board, absolute or relative.
    text : str
        The forward pass.
    wrt : sequence of str, optional
        The variables of differentiation; by default those that the forward pass names.
    order : int, optional
        2 for second derivatives.
    view : str, optional
        The view that is shown first.

    Raises
    ------
    ChainruleError
        When the address is not one of a page.

    Examples
    --------
    >>> board_link("../board/index.html", "x : (1, 1)").split("&")[0]
    '../board/index.html#view=derive'
    """
    try:
        scheme = urlsplit(address).scheme
    except ValueError as error:
        raise ChainruleError(f"{address!r} is not the address of a board: {error}") from None
    if scheme not in SCHEMES or not address.strip():
        raise ChainruleError(
            f"{address!r} is not the address of a board; give that of its page, such as "
            "https://example.org/board/index.html or ../board/index.html"
        )
    # The stream has no header, as the browser's DecompressionStream("deflate-raw") reads it.
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = urlsafe_b64encode(deflate.compress(text.encode()) + deflate.flush()).decode()
    parts = {"view": view, "cr": packed.rstrip("=")}
    if wrt:
        parts["wrt"] = ",".join(wrt)
    if order > 1:
        parts["order"] = str(order)
    return f"{address}{'&' if '#' in address else '#'}{urlencode(parts)}"
