"""Emitted JavaScript, run in Node: one process for all tests, arrays in and out of NumPy."""

from __future__ import annotations

import atexit
import base64
import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SERVER = Path(__file__).with_name("node_server.mjs")
LOG = "CHAINRULE_NODE_LOG"
"""The environment variable with the file that receives one line per call, for CI."""


class NodeError(Exception):
    """What a module threw: its class and its message."""


class Node:
    """A process that imports modules and calls their functions."""

    def __init__(self, program: str) -> None:
        self.process = subprocess.Popen(
            [program, str(SERVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        atexit.register(self.close)

    def call(self, source: str, name: str, *args: Any) -> Any:
        """Import a module and call one of its functions."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        request = {"source": source, "name": name, "args": [_encoded(arg) for arg in args]}
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise NodeError(answer["error"])
        if LOG in os.environ:
            with Path(os.environ[LOG]).open("a", encoding="utf-8") as log:
                log.write(f"{name}\n")
        return _decoded(answer["value"])

    def close(self) -> None:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        self.process.wait()


@cache
def _started(program: str) -> Node:
    return Node(program)


def node() -> Node:
    """Return the process, or skip the test where Node is not installed."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("node is not installed, so no JavaScript can be run")
    return _started(program)


def _encoded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _encoded(part) for key, part in value.items()}
    if isinstance(value, np.ndarray):
        data = np.ascontiguousarray(value, dtype="<f8").tobytes()
        return {"shape": list(value.shape), "base64": base64.b64encode(data).decode()}
    return value


def _decoded(value: Any) -> Any:
    match value:
        case {"number": text}:
            return float(text.replace("Infinity", "inf"))
        case {"list": parts}:
            return [_decoded(part) for part in parts]
        case {"shape": shape, "base64": text}:
            return np.frombuffer(base64.b64decode(text), dtype="<f8").reshape(shape)
        case {"object": parts}:
            return {key: _decoded(part) for key, part in parts.items()}
        case {"other": other}:
            return other
    raise AssertionError(value)
