"""Check the project's English by rule: ``python -m tools.english``.

Reads the pages, the help, the docstrings, the messages of errors and the exercises, and reports
patterns that ``docs/english.md`` rules out, each with its place and a better way. An exception is a
line of `ALLOWED`, with its reason.
"""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

ROOT = Path(__file__).parents[1]


class Kind(Enum):
    """What a piece of text is for."""

    PAGE = "page"
    SUMMARY = "summary"  # the first line of a docstring
    DOCSTRING = "docstring"
    HELP = "help"  # of an option
    MESSAGE = "message"  # of an error
    EXERCISE = "exercise"


EVERYWHERE = frozenset(Kind)


@dataclass(frozen=True)
class Text:
    """A piece of text and its place.

    Parameters
    ----------
    words : str
        The text on one line, without code.
    file : str
    line : int
    kind : Kind
    """

    words: str
    file: str
    line: int
    kind: Kind


@dataclass(frozen=True)
class Pattern:
    """A way of writing that a rule excludes.

    Parameters
    ----------
    rule : int
        The number of the rule in ``docs/english.md``.
    expression : str
        A regular expression.
    better : str
    kinds : frozenset of Kind
    """

    rule: int
    expression: str
    better: str
    kinds: frozenset[Kind] = EVERYWHERE

    def found_in(self, text: Text) -> str:
        """Return what matches, or nothing."""
        if text.kind not in self.kinds:
            return ""
        match = re.search(self.expression, text.words)
        return match[0] if match else ""


_SHARED_OUT = (
    "row|class|key|command|loss|level|file|column|machine|segment|step|page|feature|question"
    "|group|score|topic|medium|processor|installation|package|layer|branch|entry|operation|target"
)
_JOINING = r"(?:and|as|at|by|for|from|has|in|is|of|on|or|than|to|with)\b"
_CODE = (
    "chainrule|the (?:code|solver|loss|engine|module|function|class|op|entry|page|renderer"
    "|interpreter|certificate|fit|matrix|estimator|parser|reader|file|report|command|server|board"
    "|grader|table|graph|rule|objective|kernel|penalty|source)"
)

PATTERNS = (
    Pattern(
        1,
        rf"\b(?:one|two|once|each|\d+ (?!of|for|leaves)\w+) (?:(?!{_JOINING})\w+ )?an? "
        rf"(?:{_SHARED_OUT})\b",
        "write 'per': one row per class",
    ),
    Pattern(
        2,
        r"\b(?:derivative|gradient|slope|Hessian)s? (?:of [^.;,:()]{1,30} )?by "
        r"(?!hand|finite|central|differences|reverse|rules|the (?:chain|sweep)|layers?\b"
        r"|at most|one\b|itself|its (?:name|examples)|their (?:name|variable|matrix)|shrinking"
        r"|side)",
        "write 'with respect to'",
    ),
    Pattern(3, r"^(?:What|Who|Whose)\b(?!.*\?$)", "name the thing", frozenset({Kind.SUMMARY})),
    Pattern(
        4,
        r"(?:^|[.;] )(?:Of (?!course)[a-z]|(?:Stored|Kept|Shown|Printed|Left|Given) are\b)",
        "begin with the subject",
        frozenset({Kind.PAGE, Kind.SUMMARY, Kind.HELP, Kind.MESSAGE}),
    ),
    Pattern(
        5,
        r"^(?:Of|Or|How|What|Whether|Another|Where|At|By|For|As|With|From|To|In|On)\b",
        "begin with a noun or an imperative",
        frozenset({Kind.HELP}),
    ),
    Pattern(
        6,
        rf"(?i)\b(?:{_CODE}) (?:knows?|hears?|speaks?|says|tells?|asks?|wants?|looks?|thinks?"
        r"|sees?|believes?)\b",
        "code computes, stores, returns, depends on, calls, raises, prints",
    ),
    Pattern(6, r"\b(?:hears|speaks of|has to say|over (?:its|a \w+'s) shoulder)\b", "no minds"),
    Pattern(
        7,
        r"\b(?:slip of the pen|weights that mean repetition|survives Ctrl-C|lying row"
        r"|stands upright|taken for what|by numbers of places|what was taken)\b",
        "use the field's term",
    ),
    Pattern(
        8,
        r"\b(?:rungs?|the house|rooms|(?<!out)doors?|floors? of the|the ladder)\b",
        "write package, architecture, entry point, verification method",
    ),
    Pattern(
        10,
        r"(?<![Tt]here )\b(?:is|are|was|were) no (?!longer|more|less|fewer|better|worse"
        r"|different|larger|smaller|way|need|such|higher|lower|slower|faster|greater|further|wider|narrower)[a-z]+",
        "negate the verb: 'is not a matrix'",
    ),
    Pattern(10, r"\bleave (?:it|them) away\b", "write 'omit'"),
    Pattern(
        10,
        r"(?i)\b(?:prove|proves|proven|proved|proof of|certif\w+) (?:every|each|the|all) steps?\b"
        r"|\bsteps? (?:is|are|was|were) (?:certified|proven)\b|\b(?:certified|proven) steps?\b"
        r"|\bproven derivations?\b|\bproves? every step\b",
        "a step that was evaluated at random points is 'verified'",
    ),
    Pattern(
        9,
        r"(?i)\b(?:laid down|lays? (?:it|them|the entries|an entry) down|do(?:es)? not move"
        r"|comes? to about)\b",
        "use the plain word: arranged, held constant, is about",
    ),
)

ALLOWED: dict[str, str] = {}
"""Matches that are right as they stand, as ``file: match``, with the reason."""


def texts() -> Iterator[Text]:
    """Yield every piece of text of the project."""
    pages = [ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]
    for path in (*pages, *sorted((ROOT / "docs").rglob("*.md"))):
        if path.name != "english.md" and path.is_file():
            yield from _of_page(path)
    for path in sorted((ROOT / "src/chainrule").rglob("*.py")):
        yield from _of_module(path)
    for path in sorted((ROOT / "src/chainrule/teaching/exercises/bank").glob("*.toml")):
        yield from _of_bank(path)


def _of_page(path: Path) -> Iterator[Text]:
    """Yield the paragraphs of a page, without blocks of code."""
    name = path.relative_to(ROOT).as_posix()
    is_code = False
    paragraph: list[str] = []
    began = 1
    for number, line in enumerate([*path.read_text(encoding="utf-8").split("\n"), ""], 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
            line = ""
        parts = line.strip("|").split("|") if line.startswith("|") else None
        if paragraph and (not line.strip() or parts or line.startswith(("- ", "#"))):
            yield Text(_plain(" ".join(paragraph)), name, began, Kind.PAGE)
            paragraph = []
        if is_code or not line.strip():
            continue
        for part in parts or ():
            yield Text(_plain(part), name, number, Kind.PAGE)
        if not parts:
            if not paragraph:
                began = number
            paragraph.append(line.strip().lstrip("#- "))


def _plain(text: str) -> str:
    """Return text without code, targets of links and emphasis."""
    text = re.sub(r"``.*?``|`[^`]*`", "CODE", text)
    text = re.sub(r"\]\([^)]*\)", "]", text)
    return " ".join(re.sub(r"[*\[\]]", "", text).split())


def _of_module(path: Path) -> Iterator[Text]:
    """Yield docstrings, help and messages of a module."""
    name = path.relative_to(ROOT).as_posix()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _of_docstring(node, name)
        elif isinstance(node, ast.Assign) and "/cli/" in name and node in tree.body:
            for inner in ast.walk(node.value):
                for words in _strings(inner) if isinstance(inner, ast.expr) else ():
                    yield Text(_plain(words), name, node.lineno, Kind.PAGE)
        elif isinstance(node, ast.keyword) and node.arg in ("help", "short_help"):
            for words in _strings(node.value):
                yield Text(_plain(words), name, node.value.lineno, Kind.HELP)
        elif isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            for argument in (*node.exc.args, *(k.value for k in node.exc.keywords)):
                for words in _strings(argument):
                    yield Text(_plain(words), name, node.lineno, Kind.MESSAGE)
        elif isinstance(node, ast.Call) and _named(node.func) in (
            "Rule",
            "Label",
            "Op",
            "identity",
        ):
            for argument in (*node.args, *(k.value for k in node.keywords)):
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield Text(argument.value, name, node.lineno, Kind.MESSAGE)


def _of_docstring(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, name: str
) -> Iterator[Text]:
    text = ast.get_docstring(node)
    if not text:
        return
    line = node.body[0].lineno
    first, _, rest = text.partition("\n\n")
    yield Text(_plain(" ".join(first.split())), name, line, Kind.SUMMARY)
    for paragraph in rest.split("\n\n"):
        prose = [each for each in paragraph.split("\n") if not each.lstrip().startswith(">>>")]
        yield Text(_plain(" ".join(prose)), name, line, Kind.DOCSTRING)


def _strings(node: ast.expr) -> Iterator[str]:
    """Yield the text of a constant or of an f-string, with a word for what is filled in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        parts = [
            str(part.value) if isinstance(part, ast.Constant) else "VALUE" for part in node.values
        ]
        yield "".join(parts)
    elif isinstance(node, ast.BinOp):
        yield from _strings(node.left)
        yield from _strings(node.right)


def _named(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _of_bank(path: Path) -> Iterator[Text]:
    name = path.relative_to(ROOT).as_posix()
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    for exercise in document.get("exercise", ()):
        for words in (
            exercise.get("title", ""),
            exercise.get("ask", ""),
            *exercise.get("hints", ()),
        ):
            yield Text(_plain(str(words)), f"{name}: {exercise.get('id')}", 1, Kind.EXERCISE)


def complaints(found: Iterable[Text] | None = None) -> Iterator[str]:
    """Yield a sentence for every match that is not allowed."""
    for text in texts() if found is None else found:
        for pattern in PATTERNS:
            match = pattern.found_in(text)
            if match and f"{text.file}: {match}" not in ALLOWED:
                place = f"{text.file}:{text.line}"
                rule = f"rule {pattern.rule}: {pattern.better}"
                yield f"{place}: {match!r} in {text.kind.value}; {rule}"


def main() -> int:
    """Print what is found and return the exit status."""
    found = list(complaints())
    print("\n".join(found) or "no pattern that the rules exclude")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
