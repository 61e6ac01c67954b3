"""The gallery: derivations as pages, reports of fits, and the board as files."""

from __future__ import annotations

import html
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from click.testing import CliRunner

from chainrule.cli.main import cli
from chainrule.emission.shipped import SHIPPED
from chainrule.language.reading import example_names, load_model
from chainrule.language.typeset import unicode


@dataclass(frozen=True)
class Shown:
    """One entry of the gallery.

    Parameters
    ----------
    file : str
        The page, beside the gallery's own.
    title : str
    formula : str
        One line that tells what it is about.
    command : tuple of str
        The command that writes the page, without the file.
    option : str
        The option that takes the file.
    """

    file: str
    title: str
    formula: str
    command: tuple[str, ...]
    option: str = "--out"


BOARD = "../board/index.html"
"""The page of the board, beside the gallery's folder."""

FITS = (
    Shown(
        "fit_labels.html",
        "Diagnosis of tumours",
        "569 rows, 30 measurements, logistic regression",
        ("fit", "@breast_cancer", "--target", "diagnosis", "--board", BOARD),
        "--report",
    ),
    Shown(
        "fit_huber.html",
        "A regression with Huber's loss",
        "569 rows, mean texture from the other measurements",
        (
            *("fit", "@breast_cancer", "--target", "mean_texture", "--ignore", "diagnosis"),
            *("--loss", "huber"),
        ),
        "--report",
    ),
)


def derivations() -> list[Shown]:
    """Return the shipped forward passes."""
    found = []
    for name in example_names():
        model = load_model(name)
        title = model.title[:1].upper() + model.title[1:]
        formula = f"{model.objective.name} = {unicode(model.definitions[-1].value)}"
        command = ("derive", f"examples/{name}", "--format", "html", "--board", BOARD)
        found.append(Shown(f"{name}.html", title or name, formula, command))
    return found


def losses() -> list[Shown]:
    """Return the shipped losses with their facts."""
    found = []
    for name in SHIPPED:
        model = load_model(f"losses/{name}")
        title = model.title[:1].upper() + model.title[1:] or name
        formula = f"J = {unicode(model.definitions[-1].value)}"
        command = ("derive", f"losses/{name}", "--format", "html", "--facts")
        found.append(Shown(f"loss_{name}.html", title, formula, command))
    return found


def page() -> str:
    """Return the gallery's page."""
    blocks = [
        "# Gallery",
        "Everything here was made by the commands while this site was built. The pages and the "
        "board need no network.",
        "## The board",
        _cards([(BOARD, "Open the board", "derive, ask why, move numbers, practise")]),
        "## Derivations",
        _cards([(each.file, each.title, each.formula) for each in derivations()]),
        "## Losses and their facts",
        _cards([(each.file, each.title, each.formula) for each in losses()]),
        "## Fits",
        _cards([(each.file, each.title, each.formula) for each in FITS]),
    ]
    return "\n\n".join(blocks) + "\n"


def _cards(cards: list[tuple[str, str, str]]) -> str:
    lines = ['<div class="gallery">']
    for file, title, formula in cards:
        lines.append(
            f'<a href="{file}"><b>{html.escape(title)}</b>'
            f"<code>{html.escape(formula.splitlines()[0])}</code></a>"
        )
    return "\n".join([*lines, "</div>"])


def write(folder: Path) -> None:
    """Write the pages of the gallery."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in (*derivations(), *losses(), *FITS):
        words = [*each.command, each.option, str(folder / each.file)]
        done = CliRunner().invoke(cli, words)
        if done.exit_code != 0:
            raise RuntimeError(f"chainrule {' '.join(words)}: {done.output}")


def start_board(folder: Path, *, whole: bool) -> subprocess.Popen[bytes]:
    """Start writing the static board beside the site; the whole bank, or the examples alone."""
    words = [sys.executable, "-m", "chainrule", "board", "--export", str(folder)]
    if not whole:
        words.append("--examples-only")
    return subprocess.Popen(words, stdout=subprocess.DEVNULL)
