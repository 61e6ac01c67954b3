"""The call `export`: a derivation as a file for the browser to save."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from chainrule.board.coding import RequestError
from chainrule.board.derivations import derivation_of
from chainrule.board.schema import Download, ExportArgs
from chainrule.calculus.derivation.program import program
from chainrule.calculus.derivation.steps import Derivation
from chainrule.documents.lesson.as_json import as_data
from chainrule.documents.lesson.building import lesson
from chainrule.documents.renderers import latex, terminal
from chainrule.language.codegen import module_text

Writer = Callable[[Derivation], str]

WRITERS: Mapping[str, tuple[str, str, Writer]] = {
    "json": (".json", "application/json", lambda d: json.dumps(as_data(d), indent=1) + "\n"),
    "latex": (".tex", "application/x-tex", lambda d: latex.render(lesson(d))),
    "text": (".txt", "text/plain", lambda d: terminal.render(lesson(d))),
    "javascript": (".mjs", "text/javascript", lambda d: module_text(program(d), "javascript")),
    "numpy": (".py", "text/x-python", lambda d: module_text(program(d), "numpy")),
}
"""The media of a download: the ending of the file, its type, and its writer."""


def export(args: ExportArgs) -> Download:
    """Return a derivation as a file."""
    if args.to not in WRITERS:
        raise RequestError(
            f"{args.to} is not written here; there are {', '.join(WRITERS)}. "
            "`chainrule derive FILE --format html` writes a page"
        )
    ending, kind, writer = WRITERS[args.to]
    derivation = derivation_of(args.text, args.wrt, args.order)
    return Download(file_stem(derivation) + ending, kind, writer(derivation))


def file_stem(derivation: Derivation) -> str:
    """Return the name of a file for a derivation, in letters that every system accepts."""
    title = (derivation.source or derivation.model).title or "derivation"
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:60] or "derivation"
