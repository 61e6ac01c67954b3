"""The loopback server of the board; the one file that imports starlette and uvicorn."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chainrule import __version__
from chainrule.board.coding import encoded
from chainrule.board.guard import HEADERS, MOST_BYTES, Guard, Refusal, new_token, tab_of
from chainrule.board.pool import SECONDS, Pool
from chainrule.board.schema import Failure, Opened
from chainrule.board.site import INDEX, files, type_of
from chainrule.errors import ChainruleError

HOST = "127.0.0.1"
RATE, BURST = 200.0, 400.0
"""Calls per second of all tabs, and how many may come at once."""

SLOW_SECONDS = 10.0
"""The most seconds in which the body of a call arrives."""


class Board:
    """A board on a port of this machine.

    Parameters
    ----------
    opened : Opened
        The forward pass that the page begins with.
    port : int, optional
        The port; 0 for any that is free.
    seconds : float, optional
        The most seconds of one call.

    Raises
    ------
    ChainruleError
        When the port is taken, or the front end is missing.
    """

    def __init__(self, opened: Opened, port: int = 0, seconds: float = SECONDS) -> None:
        self.files = files()
        self.opened = opened
        self.socket = _bound(port)
        self.port: int = self.socket.getsockname()[1]
        self.guard = Guard(self.port, new_token())
        self.pool = Pool(seconds)
        self._tokens, self._at = BURST, time.monotonic()
        self.app = _Guarded(self._application(), self.guard)

    @property
    def address(self) -> str:
        """The address to open: the token is in the fragment, which no request carries."""
        return f"http://{HOST}:{self.port}/#token={self.guard.token}"

    def run(self, started: Callable[[], None] | None = None) -> None:
        """Serve until interrupted.

        Parameters
        ----------
        started : callable, optional
            Called once requests are answered.
        """
        self._started = started
        config = uvicorn.Config(
            self.app,
            log_level="critical",  # a call that Ctrl-C interrupts is no error to print
            access_log=False,
            server_header=False,
            proxy_headers=False,
            http="h11",
            ws="none",
            lifespan="on",
            limit_concurrency=128,
            timeout_keep_alive=60,
            timeout_graceful_shutdown=1,
        )
        uvicorn.Server(config).run(sockets=[self.socket])

    # ---- routes ------------------------------------------------------------------------------

    def _application(self) -> Starlette:
        routes = [
            Route("/", self._page(INDEX), methods=["GET"]),
            Route("/start.js", self._start, methods=["GET"]),
            Route("/call", self._call, methods=["POST"]),
        ]
        routes += [
            Route(f"/{name}", self._page(name), methods=["GET"])
            for name in self.files
            if name != INDEX
        ]
        return Starlette(routes=routes, lifespan=self._lifespan)

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        self.pool.start()
        if self._started is not None:
            self._started()
        try:
            yield
        finally:
            await self.pool.stop()

    def _page(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        """Return an endpoint for one built file; paths are never looked up on disk."""
        content, kind = self.files[name], type_of(name)

        async def endpoint(request: Request) -> Response:
            return Response(content, media_type=kind)

        return endpoint

    async def _start(self, request: Request) -> Response:
        state = json.dumps({"tier": "loopback", "version": __version__})
        return Response(f"window.CHAINRULE = {state};\n", media_type=type_of("start.js"))

    async def _call(self, request: Request) -> Response:
        if not self._admitted():
            refusal = Refusal(429, "busy", "too many calls at once; wait a second")
            return _refused(refusal, {"Retry-After": "1"})
        try:
            data = json.loads(await request.body())
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            return _refused(Refusal(400, "request", "the body of a call is a JSON object"))
        key, name = data.get("id"), data.get("call")
        if not isinstance(key, int | str | None) or (isinstance(key, str) and len(key) > 64):
            key = None
        if name == "opened":
            return JSONResponse({"id": key, "result": encoded(self.opened)})
        tab = tab_of(request.scope["headers"])
        try:
            found = await self.pool.call(tab, name, data.get("args", {}))
        except asyncio.CancelledError:  # the server stops while the call runs
            return _refused(Refusal(503, "busy", "the board is closing"))
        head = f'{{"id":{json.dumps(key)},'.encode()
        return Response(head + found.removeprefix(b"{"), media_type="application/json")

    def _admitted(self) -> bool:
        """Take a token of the bucket; False when it is empty."""
        now = time.monotonic()
        self._tokens = min(BURST, self._tokens + (now - self._at) * RATE)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class _Guarded:
    """The guard around the application, and its headers on every response."""

    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self.app = app
        self.guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _sealed(message.get("headers", ()))
            await send(message)

        refusal = self.guard.refusal(scope["method"], scope["path"], scope["headers"])
        app: Any = self.app if refusal is None else _refused(refusal)
        await app(scope, _limited(receive), sealed)


def _limited(receive: Receive) -> Receive:
    """Return `receive` that ends a body which is longer than it said."""
    count = 0

    async def limited() -> Message:
        nonlocal count
        message = await receive()
        count += len(message.get("body", b""))
        if count > MOST_BYTES:
            return {"type": "http.disconnect"}
        return message

    return limited


def _sealed(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    names = {name for name, _ in HEADERS}
    return [pair for pair in headers if pair[0].lower() not in names] + list(HEADERS)


def _refused(refusal: Refusal, headers: dict[str, str] | None = None) -> Response:
    error = encoded(Failure(refusal.kind, refusal.message))
    return JSONResponse({"id": None, "error": error}, refusal.status, headers)


def _bound(port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Otherwise the body of an answer waits about 40 ms for the acknowledgement of its head.
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind((HOST, port))
        found.listen()  # whoever opens the printed address at once waits, and is not refused
    except (OSError, OverflowError) as error:
        found.close()
        raise ChainruleError(
            f"port {port} of {HOST} cannot be used: {error}; choose another with --port, or leave "
            "it out for any that is free"
        ) from None
    return found
