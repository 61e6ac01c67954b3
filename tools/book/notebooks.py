"""Notebooks run from top to bottom, and written as pages with what their cells show.

The cells are plain Python, so no kernel is needed. The value of a cell's last expression is shown
as Jupyter shows it: its HTML where it has one, else its ``repr``; figures become pictures.
"""

from __future__ import annotations

import ast
import contextlib
import html
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "notebooks"


@dataclass
class Ran:
    """A notebook that ran.

    Parameters
    ----------
    blocks : list of str
        Markdown, in order.
    pictures : dict of str to bytes
        Pictures by their names beside the page.
    """

    blocks: list[str] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)


def names() -> list[str]:
    """Return the names of the notebooks."""
    return sorted(path.stem for path in FOLDER.glob("*.ipynb"))


def pages() -> dict[str, bytes]:
    """Return the pages of all notebooks with their pictures, and the notebooks themselves."""
    found: dict[str, bytes] = {}
    for name in names():
        ran = run(FOLDER / f"{name}.ipynb")
        download = f"This page is a notebook: {{download}}`download it <{name}.ipynb>`."
        blocks = [ran.blocks[0], download, *ran.blocks[1:]]
        found[f"notebooks/{name}.md"] = ("\n\n".join(blocks) + "\n").encode()
        found[f"notebooks/{name}.ipynb"] = (FOLDER / f"{name}.ipynb").read_bytes()
        found |= {f"notebooks/{file}": content for file, content in ran.pictures.items()}
    return found


def run(path: Path) -> Ran:
    """Run a notebook and return what it shows.

    Raises
    ------
    RuntimeError
        When a cell fails; the message has the notebook, the cell and the error.
    """
    import matplotlib

    matplotlib.use("Agg")
    ran = Ran()
    names: dict[str, Any] = {"__name__": "__main__"}
    for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"], 1):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            ran.blocks.append(source)
            continue
        ran.blocks.append(f"```python\n{source}\n```")
        try:
            shown = list(_shown(source, names, f"{path.stem}-{number}", ran.pictures))
        except Exception as error:
            raise RuntimeError(f"{path.name}, cell {number}: {error!r}") from error
        ran.blocks += shown
    return ran


def _shown(
    source: str, names: dict[str, Any], place: str, pictures: dict[str, bytes]
) -> Iterator[str]:
    """Run one cell and yield its output as Markdown."""
    import matplotlib.pyplot as plt

    tree = ast.parse(source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, place, "exec"), names)
        value = None
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), place, "eval"), names)
    if printed.getvalue():
        yield _output(f"<pre>{_text(printed.getvalue())}</pre>")
    figures = plt.get_fignums()
    for number in figures:
        file = f"{place}-{number}.png"
        stream = io.BytesIO()
        plt.figure(number).savefig(stream, dpi=110, bbox_inches="tight")
        pictures[file] = stream.getvalue()
        yield f"![{_alternative(plt.figure(number))}]({file})"
    plt.close("all")
    if value is not None and not figures:
        shown = getattr(value, "_repr_html_", None)
        yield _output(_flat(shown()) if shown is not None else f"<pre>{_text(repr(value))}</pre>")


def _output(markup: str) -> str:
    return f'<div class="output">\n{markup}\n</div>'


def _alternative(figure: Any) -> str:  # noqa: ANN401
    """Return what a picture shows, from the titles and the labels of its axes."""
    words = []
    for axes in figure.axes:
        across, up = axes.get_xlabel(), axes.get_ylabel()
        words.append(axes.get_title() or f"{up} against {across}")
    return "; ".join(words)


def _text(text: str) -> str:
    # An empty line would end the block of HTML in Markdown.
    return html.escape(text.rstrip("\n")).replace("\n\n", "\n&#8203;\n")


def _flat(markup: str) -> str:
    return re.sub(r"\n\s*\n", "\n", markup)
