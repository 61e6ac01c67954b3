"""The guard of the loopback server: who may ask what. No web framework in here.

A page of another site can make a browser send requests to this machine, and other users of the
machine can send their own. So every request names exactly this host and port, comes from this page
or from an address bar, and every call carries a secret that only the printed address holds.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

MOST_BYTES = 256 * 1024
"""The largest body of a call."""

TOKEN_HEADER = b"x-board-token"
TAB_HEADER = b"x-board-tab"

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types chainrule",
    )
)
"""The content security policy of the page."""

HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=()"),
    (b"cache-control", b"no-store"),
)
"""The headers of every response."""

_TAB = re.compile(rb"[A-Za-z0-9-]{1,64}")
_JSON = re.compile(rb"application/json(?: *; *charset=utf-8)?", re.IGNORECASE)


@dataclass(frozen=True)
class Refusal:
    """A refused request: the status, the kind of the error and a sentence."""

    status: int
    kind: str
    message: str


@dataclass(frozen=True)
class Guard:
    """Decides on requests by their method, path and headers.

    Parameters
    ----------
    port : int
        The port of the server.
    token : str
        The secret of this run.
    """

    port: int
    token: str

    @property
    def hosts(self) -> tuple[bytes, ...]:
        """The values that the header Host may have."""
        return tuple(f"{name}:{self.port}".encode() for name in ("127.0.0.1", "localhost"))

    def refusal(
        self, method: str, path: str, headers: Sequence[tuple[bytes, bytes]]
    ) -> Refusal | None:
        """Return why a request is refused; None when it may pass."""
        if len(_all(headers, b"host")) != 1 or _all(headers, b"host")[0] not in self.hosts:
            return Refusal(403, "forbidden", "this board answers at its own address alone")
        origins = {b"http://" + host for host in self.hosts}
        if any(origin not in origins for origin in _all(headers, b"origin")):
            return Refusal(403, "forbidden", "another site asked for this")
        sites = _all(headers, b"sec-fetch-site")
        if any(site not in (b"same-origin", b"none") for site in sites) and not _visit(
            method, path, headers
        ):
            return Refusal(403, "forbidden", "another site asked for this")
        if method in ("GET", "HEAD") and path != "/call":
            return None
        if method != "POST" or path != "/call":
            return Refusal(405, "forbidden", "calls are sent by POST to /call")
        return self._call_refusal(headers)

    def _call_refusal(self, headers: Sequence[tuple[bytes, bytes]]) -> Refusal | None:
        tokens = _all(headers, TOKEN_HEADER)
        if len(tokens) != 1 or not secrets.compare_digest(tokens[0], self.token.encode()):
            return Refusal(
                403,
                "forbidden",
                "the token of this board is missing: open the address that `chainrule board` "
                "printed",
            )
        kinds = _all(headers, b"content-type")
        if len(kinds) != 1 or not _JSON.fullmatch(kinds[0].strip()):
            return Refusal(415, "request", "the body of a call is application/json")
        tabs = _all(headers, TAB_HEADER)
        if len(tabs) != 1 or not _TAB.fullmatch(tabs[0]):
            return Refusal(403, "request", "the header X-Board-Tab names the tab")
        lengths = _all(headers, b"content-length")
        if len(lengths) != 1 or not lengths[0].isdigit() or len(lengths[0]) > 12:
            return Refusal(411, "request", "the body of a call has a length")
        if int(lengths[0]) > MOST_BYTES:
            return Refusal(413, "request", f"a call has at most {MOST_BYTES} bytes")
        return None


def new_token() -> str:
    """Return 256 random bits, as text."""
    return secrets.token_hex(32)


def tab_of(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """Return the name of the tab that asks."""
    return _all(headers, TAB_HEADER)[0].decode("ascii")


def _all(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> list[bytes]:
    return [value for key, value in headers if key.lower() == name]


def _visit(method: str, path: str, headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether somebody follows a link to the page: the page itself holds no secret."""
    return (
        method in ("GET", "HEAD")
        and path == "/"
        and _all(headers, b"sec-fetch-mode") == [b"navigate"]
        and _all(headers, b"sec-fetch-dest") == [b"document"]
    )
