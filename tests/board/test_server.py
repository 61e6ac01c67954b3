"""The loopback server: a call passes, forged requests do not, slow calls are stopped."""

from __future__ import annotations

import http.client
import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product

import pytest
from click.testing import CliRunner
from tests.board.samples import ONE

from chainrule.board.guard import MOST_BYTES, Guard, Refusal
from chainrule.cli.main import cli

pytest.importorskip("uvicorn", reason="the extra `board` is not installed")

TOKEN = "5" * 64
GUARD = Guard(8123, TOKEN)
GOOD = {
    "Host": "127.0.0.1:8123",
    "Origin": "http://127.0.0.1:8123",
    "Sec-Fetch-Site": "same-origin",
    "Content-Type": "application/json",
    "Content-Length": "10",
    "X-Board-Token": TOKEN,
    "X-Board-Tab": "tab-1",
}
FORGED: dict[str, tuple[str, ...]] = {
    "Host": (
        "",
        "127.0.0.1",
        "127.0.0.1:80",
        "localhost:8124",
        "evil.test",
        "evil.test:8123",
        "127.0.0.1:8123.evil.test",
        "127.1:8123",
        "[::1]:8123",
        "LOCALHOST:8123",
        "0.0.0.0:8123",
        "127.0.0.1:08123",
        "user@127.0.0.1:8123",
    ),
    "Origin": (
        "null",
        "http://evil.test",
        "https://127.0.0.1:8123",
        "http://127.0.0.1",
        "",
        "http://localhost:8124",
        "http://127.0.0.1:8123/",
        "file://",
    ),
    "Sec-Fetch-Site": ("cross-site", "same-site", "", "none, cross-site"),
    "Content-Type": (
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/json; charset=utf-16",
        "text/plain; application/json",
        "application/jsonp",
    ),
    "X-Board-Token": ("", "0" * 64, TOKEN[:-1], TOKEN + "5", TOKEN.replace("5", "6"), "é"),
    "X-Board-Tab": ("", "a b", "../x", "x" * 65, "<b>"),
    "Content-Length": ("", "-1", str(MOST_BYTES + 1), "1e3", "9" * 30),
}


def refusal(method: str, path: str, headers: dict[str, str]) -> Refusal | None:
    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    return GUARD.refusal(method, path, pairs)


def test_a_good_request_passes() -> None:
    assert refusal("POST", "/call", GOOD) is None
    assert refusal("POST", "/call", GOOD | {"Host": "localhost:8123"}) is None


def test_a_thousand_forged_requests_are_refused() -> None:
    count = 0
    for name, values in FORGED.items():
        for value in values:
            assert refusal("POST", "/call", GOOD | {name: value}), (name, value)
            count += 1
        without = {key: value for key, value in GOOD.items() if key != name}
        if name not in ("Origin", "Sec-Fetch-Site"):
            assert refusal("POST", "/call", without), name
    names = list(FORGED)
    for first, second in product(names, names):
        for one, other in product(FORGED[first], FORGED[second]):
            assert refusal("POST", "/call", GOOD | {first: one, second: other})
            count += 1
    for method in ("GET", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"):
        assert refusal(method, "/call", GOOD)
    assert count >= 1000


def test_the_page_can_be_visited_from_a_link_and_nothing_else_can_be_fetched() -> None:
    visit = {"Host": "127.0.0.1:8123", "Sec-Fetch-Site": "cross-site"}
    navigating = visit | {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert refusal("GET", "/", navigating) is None
    for path in ("/start.js", "/static/board.js", "/call"):
        assert refusal("GET", path, navigating)
    for dest in ("iframe", "script", "embed", "empty"):
        assert refusal("GET", "/", navigating | {"Sec-Fetch-Dest": dest})


@dataclass
class Running:
    port: int
    token: str

    def request(
        self, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        sent = {"Content-Type": "application/json", "X-Board-Token": self.token}
        sent |= {"X-Board-Tab": "tab-1"} | headers
        connection.request("GET" if body is None else "POST", path, body, sent)
        response = connection.getresponse()
        found = response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
        connection.close()
        return found

    def call(self, name: str, tab: str = "tab-1", **args: object) -> dict[str, object]:
        body = json.dumps({"id": 7, "call": name, "args": args}).encode()
        status, _, content = self.request("/call", body, **{"X-Board-Tab": tab})
        assert status == 200, content
        found: dict[str, object] = json.loads(content)
        return found


@pytest.fixture(scope="module")
def board() -> Iterator[Running]:
    process = subprocess.Popen(
        [sys.executable, "-m", "chainrule", "board", "logistic_single", "--no-browser"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:(\d+)/#token=(\w{64})$", process.stdout.readline())
    assert found is not None
    yield Running(int(found[1]), found[2])
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    process.stdout.close()


@pytest.mark.slow
def test_calls_over_http(board: Running) -> None:
    opened = board.call("opened")["result"]
    assert opened == {"name": "logistic_single", "text": ONE}
    found = board.call("derive", text=ONE)
    assert found["id"] == 7
    assert found["result"]["proven"]  # type: ignore[index]
    wrong = board.call("read", text="L = )")["error"]
    assert wrong["column"] == 5  # type: ignore[index]


def test_every_response_is_sealed(board: Running) -> None:
    for path in ("/", "/start.js", "/static/board.js", "/nothing", "/../pyproject.toml"):
        status, headers, content = board.request(path)
        assert status in (200, 404)
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in headers
        assert board.token.encode() not in content
        assert ONE.encode() not in content


def test_forged_requests_over_http(board: Running) -> None:
    body = json.dumps({"id": 1, "call": "opened", "args": {}}).encode()
    for headers, status in (
        ({"X-Board-Token": "0" * 64}, 403),
        ({"Origin": "http://evil.test"}, 403),
        ({"Host": f"evil.test:{board.port}"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ):
        assert board.request("/call", body, **headers)[0] == status
    assert board.request("/call", b"x" * (MOST_BYTES + 1))[0] == 413
    for broken in (b"", b"[", b"[]", b"[" * 100_000, b"\xff"):
        assert board.request("/call", broken)[0] == 400


@pytest.mark.slow
def test_a_call_that_takes_too_long_is_stopped_and_the_next_is_answered() -> None:
    import asyncio

    from chainrule.board.pool import Pool

    async def run() -> tuple[bytes, bytes]:
        pool = Pool(seconds=0.05)
        pool.start()
        try:
            slow = await pool.call("tab", "gallery", {})
            pool.seconds = 30
            return slow, await pool.call("tab", "read", {"text": "w : (1,1)\nL = w^2"})
        finally:
            await pool.stop()

    # In a thread of its own: the browser tests of the same process hold the loop of this one.
    with ThreadPoolExecutor(1) as pool:
        slow, quick = pool.submit(lambda: asyncio.run(run())).result()
    assert json.loads(slow)["error"]["kind"] == "timeout"
    assert "result" in json.loads(quick)


@pytest.mark.slow
def test_tabs_share_a_process_but_where_they_call_at_once() -> None:
    import asyncio

    from chainrule.board.pool import Pool

    async def run() -> list[int]:
        pool = Pool(seconds=30)
        pool.start()
        text = {"text": "w : (1,1)\nL = w^2"}
        counts = []
        try:
            for tabs in (("a",), ("b",), ("a", "b"), ("b", "c")):
                found = await asyncio.gather(*(pool.call(tab, "read", text) for tab in tabs))
                assert all("result" in json.loads(one) for one in found)
                counts.append(len(pool.workers))
        finally:
            await pool.stop()
        return counts

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: asyncio.run(run())).result() == [1, 1, 2, 2]


def test_a_taken_port_is_a_sentence(board: Running) -> None:
    done = CliRunner().invoke(cli, ["board", "--port", str(board.port), "--no-browser"])
    assert done.exit_code == 1
    assert "--port" in done.output


def test_without_the_extra_the_command_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "chainrule.board.server", None)
    done = CliRunner().invoke(cli, ["board", "--no-browser"])
    assert done.exit_code == 1
    assert "pip install 'chainrule[board]'" in done.output
