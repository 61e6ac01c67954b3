"""Try the wheel with the lowest and the newest dependencies on every Python found: ``make matrix``.

For each of Python 3.11 to 3.14 on the path, two fresh environments are made: one with the lowest
version of each dependency that ``pyproject.toml`` admits, one with the newest. The wheel is
installed into each, the source archive into one; then the demo and a set of tests run outside the
repository's sources. Where the lowest version of a library has no wheel for a newer Python, that
combination is reported as not available; on the lowest Python it is a failure.
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
TESTS = (
    "tests/test_readme.py",
    "tests/calculus/ops",
    "tests/cli/test_fit.py",
    "tests/cli/test_derive.py",
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
        if found and _ok([found, "-c", "import sys, venv"]):
            yield version, found


def build(folder: Path) -> tuple[Path, Path]:
    """Build the source archive, and the wheel from it, as a release does."""
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


def tried(version: str, python: str, kind: str, package: Path, tests: Sequence[str]) -> Result:
    """Install a package into a fresh environment and run the demo and the tests in it."""
    name = f"Python {version}, {kind} dependencies, {package.suffix.lstrip('.')}"
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        subprocess.run([python, "-m", "venv", str(place / "env")], check=True)
        bin_ = place / "env" / ("Scripts" if os.name == "nt" else "bin")
        wanted: list[str] = []
        if kind == "lowest":
            project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
            wanted = lowest(project["dependencies"])
        pip = [str(bin_ / "python"), "-m", "pip", "install", "--quiet", "--no-input"]
        pip += ["--disable-pip-version-check"]
        if wanted and not _ok([*pip, "--only-binary=:all:", *wanted]):
            is_lowest = version == PYTHONS[0]
            return Result(name, "the lowest dependencies have no wheels", is_lowest)
        if not _ok([*pip, str(package), *wanted, *TOOLS]):
            return Result(name, "it does not install", True)
        # Outside the repository, so that the installed package is what runs.
        if not _ok([str(bin_ / "chainrule"), "demo"], place):
            return Result(name, "the demo fails", True)
        for part in ROOT.iterdir():  # all but the sources and what was built
            if part.name not in ("src", "build", "dist", "site") and part.name[0] != ".":
                (place / part.name).symlink_to(part)
        command = [str(bin_ / "python"), "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["--import-mode=importlib", "-W", "default", "-x"]
        done = subprocess.run([*command, *tests], cwd=place, capture_output=True, text=True)
        last = done.stdout.strip().split("\n")[-1]
        if done.returncode != 0:
            found = re.findall(r"^(?:FAILED|ERROR) .*", done.stdout, re.MULTILINE)
            return Result(name, f"tests fail: {found[0] if found else last}", True)
        return Result(name, "passed", False)


def _ok(command: Sequence[str], folder: Path | None = None) -> bool:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode == 0


def main() -> int:
    """Try every combination and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--python", action="append", help="only this version; repeatable")
    parser.add_argument("--kind", choices=("lowest", "newest"), help="only these dependencies")
    parser.add_argument("tests", nargs="*", default=TESTS, help="tests to run")
    options = parser.parse_args()
    results = []
    with tempfile.TemporaryDirectory() as folder:
        wheel, archive = build(Path(folder))
        here = dict(interpreters())
        for version in options.python or PYTHONS:
            if version not in here:
                results.append(Result(f"Python {version}", "not on this machine", False))
                print(f"{results[-1].name}: {results[-1].outcome}", flush=True)
                continue
            for kind in (options.kind,) if options.kind else ("lowest", "newest"):
                package = archive if (version, kind) == (PYTHONS[0], "newest") else wheel
                results.append(tried(version, here[version], kind, package, options.tests))
                print(f"{results[-1].name}: {results[-1].outcome}", flush=True)
    return 1 if any(result.failed for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
