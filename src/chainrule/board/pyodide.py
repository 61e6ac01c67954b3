"""The live tier: Python as WebAssembly inside an exported board, from a distribution on disk."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import chainrule
from chainrule.errors import ChainruleError

RUNTIME = ("pyodide.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
"""The files that every distribution has."""

LOADERS = ("pyodide.asm.js", "pyodide.asm.mjs")
"""The files of which a distribution has some, by its version."""

PACKAGES = ("numpy", "mpmath")
LOCK = "pyodide-lock.json"
WHEN = (1980, 1, 1, 0, 0, 0)

LEFT_OUT = ("engine", "estimators", "tables", "descent", "emission", "cli", "examples/losses")
"""The parts of chainrule that no call of the page needs."""

WORKER = """// Runs the calls of the board in Python, inside the page: a module, since Pyodide 314
// starts in no other kind of worker.
import { loadPyodide } from "./pyodide/pyodide.mjs";

function progress(said, share) {
  postMessage({ progress: said, share });
}

const ready = (async () => {
  progress("loading Python", 0.1);
  const python = await loadPyodide({ indexURL: "pyodide/" });
  progress("loading numpy", 0.5);
  await python.loadPackage(["numpy", "mpmath"], { messageCallback: () => {} });
  progress("loading chainrule", 0.8);
  const response = await fetch("pyodide/chainrule.zip");
  python.unpackArchive(await response.arrayBuffer(), "zip", { extractDir: "/chainrule" });
  python.runPython("import sys; sys.path.insert(0, '/chainrule')");
  const answer = python.runPython(`
import json
from chainrule.board.calls import answer

def answered(request):
    asked = json.loads(request)
    return json.dumps(answer(asked.get("call"), asked.get("args", {})))

answered
`);
  progress("ready", 1);
  return answer;
})();

ready.catch((error) => progress(`Python could not be loaded: ${error}`, 0));

onmessage = async ({ data }) => {
  const answer = await ready;
  const found = JSON.parse(answer(JSON.stringify({ call: data.call, args: data.args })));
  postMessage({ id: data.id, ...found });
};
"""


def live_files(distribution: Path) -> dict[str, bytes]:
    """Return the files that the live tier adds to a static board.

    Parameters
    ----------
    distribution : Path
        A folder with a Pyodide distribution: its runtime, its lock file, numpy and mpmath.

    Raises
    ------
    ChainruleError
        When a file is missing, or a package does not have the hash in the lock file.
    """
    lock = _lock(distribution)
    found = {name: _content(distribution, name) for name in (*RUNTIME, LOCK)}
    for name in LOADERS:
        if (distribution / name).is_file():
            found[name] = _content(distribution, name)
    for name in _needed(lock):
        entry = lock["packages"][name]
        file, wanted = str(entry["file_name"]), str(entry["sha256"])
        if Path(file).name != file:
            raise ChainruleError(f"{LOCK}: the file name of {name} is a path: {file}")
        content = _content(distribution, file)
        actual = hashlib.sha256(content).hexdigest()
        if actual != wanted:
            raise ChainruleError(
                f"{distribution / file} has the SHA-256 {actual}, and {LOCK} says {wanted}; get "
                "the distribution again"
            )
        found[file] = content
    found["chainrule.zip"] = sources()
    return {f"pyodide/{name}": content for name, content in found.items()} | {
        "worker.js": WORKER.encode()
    }


def sources() -> bytes:
    """Return the modules and data that the calls need, as a zip file."""
    root = Path(chainrule.__file__).parent
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as package:
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            skipped = name.startswith((*LEFT_OUT, "board/static")) or "__pycache__" in name
            if skipped or not path.is_file():
                continue
            entry = zipfile.ZipInfo(f"chainrule/{name}", WHEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            package.writestr(entry, path.read_bytes())
    return stream.getvalue()


def _lock(distribution: Path) -> dict[str, Any]:
    try:
        lock = json.loads(_content(distribution, LOCK))
        packages = lock["packages"]
        missing = [name for name in PACKAGES if name not in packages]
    except (ValueError, KeyError, TypeError):
        raise ChainruleError(f"{distribution / LOCK} is not the lock file of Pyodide") from None
    if missing:
        raise ChainruleError(f"{distribution / LOCK} has no package {missing[0]}")
    return lock  # type: ignore[no-any-return]


def _needed(lock: dict[str, Any]) -> list[str]:
    """Return the packages and what they depend on."""
    found: list[str] = []
    waiting = list(PACKAGES)
    while waiting:
        name = waiting.pop(0)
        if name in found:
            continue
        if name not in lock["packages"]:
            raise ChainruleError(f"{LOCK} names {name} and does not have it")
        found.append(name)
        waiting += lock["packages"][name].get("depends", [])
    return found


def _content(distribution: Path, name: str) -> bytes:
    try:
        return (distribution / name).read_bytes()
    except OSError as error:
        raise ChainruleError(
            f"{distribution / name}: {error.strerror}; --pyodide names a folder with a Pyodide "
            "distribution"
        ) from None
