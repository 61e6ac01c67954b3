"""Try the wheel with the lowest and the newest dependencies on every Python found: ``make matrix``.

For each of Python 3.11 to 3.14 on the path, fresh environments are made: with the lowest version of
each dependency that ``pyproject.toml`` admits, with the newest, and with the lowest of the extras.
The wheel is installed into each, the source archive into one; then the demo and a set of tests run
outside the repository's sources. Where the lowest version of a library has no wheel for a newer
Python, that combination is reported as not available; on the lowest Python it is a failure. Each
Python that is not on the path is named at the end as not tried.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
KINDS = ("lowest", "newest", "extras")
TESTS = (
    "tests/test_readme.py",
    "tests/calculus/ops",
    "tests/cli/test_fit.py",
    "tests/cli/test_derive.py",
)
EXTRAS = ("board", "dask", "fast", "files", "formula", "onnx")
"""The extras that are tried; `autodiff` is left out, since its libraries take gigabytes."""
TESTS_OF_EXTRAS = (
    *("tests/board/test_server.py", "tests/engine/test_native.py", "tests/engine/test_clusters.py"),
    *("tests/tables/test_files.py", "tests/tables/test_formula.py", "tests/tables/test_export.py"),
)
TOOLS = ("autograd", "hypothesis", "pandas", "pytest")
"""What the tests need beside chainrule."""


@dataclass(frozen=True)
class Result:
    """The outcome of one combination.

    Parameters
    ----------
    name : str
    outcome : str
        ``"passed"``, or what failed or is missing.
    failed : bool
    """

    name: str
    outcome: str
    failed: bool


def lowest(requirements: Sequence[str]) -> list[str]:
    """Return requirements pinned to their lower bounds.

    >>> lowest(["click>=8.1.7", "numpy>=1.26"])
    ['click==8.1.7', 'numpy==1.26.*']
    """
    pinned = []
    for requirement in requirements:
        name, bound = requirement.split(">=")
        pinned.append(f"{name}=={bound}" if bound.count(".") > 1 else f"{name}=={bound}.*")
    return pinned


def interpreters() -> Iterator[tuple[str, str]]:
    """Yield the versions of Python that are here, with their commands."""
    for version in PYTHONS:
        found = shutil.which(f"python{version}")
        if found and not _failure([found, "-c", "import sys, venv"]):
            yield version, found


def build(folder: Path) -> tuple[Path, Path]:
    """Build the source archive, and the wheel from it, as a release does."""
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def pinned(kind: str) -> list[str]:
    """Return what an environment of a kind is pinned to."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = lowest(project["dependencies"]) if kind in ("lowest", "extras") else []
    if kind == "extras":
        wanted += [r for name in EXTRAS for r in lowest(project["optional-dependencies"][name])]
    return wanted


def tried(version: str, python: str, kind: str, package: Path, tests: Sequence[str]) -> Result:
    """Install a package into a fresh environment and run the demo and the tests in it."""
    what = "lowest dependencies and extras" if kind == "extras" else f"{kind} dependencies"
    name = f"Python {version}, {what}, {package.suffix.lstrip('.')}"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        subprocess.run([python, "-m", "venv", str(place / "env")], check=True)
        bin_ = place / "env" / ("Scripts" if os.name == "nt" else "bin")
        wanted = pinned(kind)
        pip = [str(bin_ / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
        pip += ["--disable-pip-version-check"]
        if wanted and (why := _failure([*pip, "--only-binary=:all:", *wanted])):
            is_lowest = version == PYTHONS[0]
            return Result(name, f"the lowest dependencies have no wheels: {why}", is_lowest)
        if why := _failure([*pip, str(package), *wanted, *TOOLS]):
            return Result(name, f"it does not install: {why}", True)
        # Outside the repository, so that the installed package is what runs.
        if why := _failure([str(bin_ / "chainrule"), "demo"], place):
            return Result(name, f"the demo fails: {why}", True)
        for part in ROOT.iterdir():  # all but the sources and what was built
            if part.name not in ("src", "build", "dist", "site") and part.name[0] != ".":
                (place / part.name).symlink_to(part)
        command = [str(bin_ / "python"), "-m", "pytest", "-p", "no:cacheprovider"]
        command += ["--import-mode=importlib", "-W", "default", "-x"]
        done = subprocess.run([*command, *tests], cwd=place, capture_output=True, text=True)
        if done.returncode != 0:
            last = (done.stdout + done.stderr).strip().split("\n")[-1]
            found = re.findall(r"^(?:FAILED|ERROR) .*", done.stdout, re.MULTILINE)
            return Result(name, f"tests fail: {found[0] if found else last}", True)
        return Result(name, "passed", False)


def _failure(command: Sequence[str], folder: Path | None = None) -> str:
    """Return the last line that a failing command wrote; empty if it did not fail."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    lines = [line for line in (done.stdout + done.stderr).split("\n") if line.strip()]
    return (lines[-1] if lines else f"exit status {done.returncode}") if done.returncode else ""


def main() -> int:
    """Try every combination and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--python", action="append", help="only this version; repeatable")
    parser.add_argument("--kind", choices=KINDS, help="only these dependencies")
    parser.add_argument("tests", nargs="*", help="tests to run in place of the usual ones")
    options = parser.parse_args()
    here = dict(interpreters())
    wanted = options.python or PYTHONS
    absent = [version for version in wanted if version not in here]
    results = []
    with tempfile.TemporaryDirectory() as folder:
        wheel, archive = build(Path(folder))
        for version in (version for version in wanted if version in here):
            for kind in (options.kind,) if options.kind else KINDS:
                package = archive if (version, kind) == (PYTHONS[0], "newest") else wheel
                tests = options.tests or (TESTS_OF_EXTRAS if kind == "extras" else TESTS)
                results.append(tried(version, here[version], kind, package, tests))
                print(f"{results[-1].name}: {results[-1].outcome}", flush=True)
    failed = sum(result.failed for result in results)
    print(f"{len(results)} combinations tried, {failed} failed")
    if absent:
        print(_absent(absent))
    return 1 if failed or not results else 0


def _absent(versions: Sequence[str]) -> str:
    """Say which versions of Python are not tried, and why."""
    commands = ", ".join(f"python{version}" for version in versions)
    return f"not tried, since they are not on the path: {commands}"


if __name__ == "__main__":
    sys.exit(main())
