r"""A line into its clauses: ``$x = (n, 1)$, $w = (1, n)$``, "Let z = w x + b and a = σ(z)".

A clause declares, defines or directs. The words around it, and lines of words alone, are prose.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace

from chainrule.errors import ParseError
from chainrule.language.reading import statements
from chainrule.language.reading.declarations import (
    MEND,
    Declared,
    Head,
    Sign,
    after,
    declared,
    flattened,
    head,
)
from chainrule.language.reading.names import canonical
from chainrule.language.reading.statements import Place, Statement
from chainrule.language.reading.tokens import Line

_WORD = re.compile(
    r"[A-Za-z]{2,}[A-Za-z'’-]*[.,:]?\s+|[aA]\s+(?=[A-Za-z]{2})|\(?\w{1,3}[.)]\s+|[:.,–—-]\s*"
)
_SPLITTING = re.compile(r"[,;]|\band\b|\bwhere\b|\bwith\b|\bthen\b|\\q?quad\b|\$\s*\$|\.(?=\s)")
_UPRIGHT = re.compile(r"\\(?:text|textrm|textit|textbf|mathrm|mbox)\s*\{$")
_HEADING = re.compile(r"\s*[A-Z][a-z]{3,}\s*[.:]?\s*")
_CLOSING = re.compile(r"[\s$.,;]+$")
_DOLLARS = re.compile(r"\$\$?|\\[()\[\]]")
MAX_WORDS = 12
"""How many words before a clause are passed over."""


@dataclass(frozen=True)
class Clause:
    """One clause of a line.

    Parameters
    ----------
    line : Line
        The line, blank outside the clause, so that places stay what they are.
    statement : Statement or None
        A definition or a directive.
    declared : Declared or None
        A declaration.
    note : str
        The comment of the line.
    """

    line: Line
    statement: Statement | None = None
    declared: Declared | None = None
    note: str = ""

    def names(self) -> list[Place]:
        """Return the names that the clause introduces, and where each stands."""
        if self.declared is not None:
            return list(self.declared.names)
        return self.statement.names() if self.statement is not None else []


@dataclass(frozen=True)
class Clauses:
    """Content of a line: its clauses, and whether it has words that are not read."""

    found: tuple[Clause, ...] = ()
    prose: bool = False
    comment: str = field(default="")


def clauses(line: Line) -> Clauses:
    """Split a line into its clauses.

    Raises
    ------
    ParseError
        Where a clause declares and cannot be read, or the line is neither prose nor a statement.
    """
    content, _, comment = line.text.partition("#")
    if not content.strip():
        return Clauses(comment=comment.strip())
    if (plain := _plain(line)) is not None:
        return Clauses((plain,))
    text = flattened(content)
    found: list[Clause] = []
    prose = worded = False
    for start, stop in _cuts(text, content):
        opening = _opening(text[:stop], start)
        if opening is None:
            prose = prose or bool(text[start:stop].strip(" .,;:&"))
            continue
        begin, first = opening
        clause = _clause(line, text, begin, stop, first)
        if clause is not None:
            found.append(replace(clause, note=comment.strip()))
        worded = worded or clause is None
        prose = prose or worded or bool(text[start:begin].strip(" .,;:&()"))
    if found:
        return Clauses(tuple(found), prose)
    if (shaped := declared(line, 0, len(content))) is not None:
        return Clauses((Clause(line, declared=shaped, note=comment.strip()),))
    lone = text.rstrip().endswith(":") and "=" not in text and re.search(r"[A-Za-z]{3}", text)
    if worded or lone or _is_prose(text) or _HEADING.fullmatch(text):
        return Clauses(prose=True)
    if re.search(r"ℝ|∈|\bR\s*\^", text) and not re.search("=", text):
        at = len(text) - len(text.lstrip())
        raise line.error(f"this line declares, and cannot be read; {MEND}", at)
    said = statements.statement(line)
    assert said is not None
    if said.sign == ":" and not said.directive:
        statements.shape(said)  # says what a shape looks like
    return Clauses((Clause(line, said, note=said.note),))


def _plain(line: Line) -> Clause | None:
    """Return a line that is a directive or a declaration in the plain form."""
    try:
        said = statements.statement(line)
    except ParseError:
        return None
    if said is None:
        return None
    if said.directive:
        return Clause(line, said, note=said.note)
    if said.sign == ":" and re.fullmatch(r"\s*\([^()]*\)", line.text[said.body : said.stop]):
        try:
            names = tuple(said.names())
            for name in names:
                canonical(name[0])
        except ValueError:
            return None
        shape = statements.shape(said)
        at = said.body + line.text[said.body :].index("(")
        return Clause(line, declared=Declared(names, shape, at=at), note=said.note)
    return None


def _cuts(text: str, content: str) -> list[tuple[int, int]]:
    """Return where clauses begin and end."""
    found, start, depth = [], 0, _depths(text)
    closing = list(_DOLLARS.finditer(content))[1::2]
    for match in sorted([*_SPLITTING.finditer(text), *closing], key=lambda match: match.start()):
        at = match.start()
        if depth[at] > 0 or at < start:
            continue
        ahead = _opening(text, match.end())
        sentence = match[0] == "."
        if sentence and content[at - 1 : at].isdigit() and content[at + 1 : at + 2].isdigit():
            continue
        if ahead is None and not (match[0] in (";", ".") and text[match.end() :].strip()):
            continue
        before = _opening(text[:at], start)
        if ahead is not None and before is None and match[0] in (",", "and", "$", "\\)"):
            continue  # x, w = ...: the names of one clause
        listed = before is not None and before[1].sign is Sign.KIND and match[0] == ","
        if listed and len(_DOLLARS.findall(content[:at])) % 2:
            continue  # "scalars $y, \delta$": the names of one clause
        if ahead is not None and text[match.end() : ahead[0]].count(",") and match[0] == ",":
            continue
        found.append((start, at))
        start = match.end()
    return [*found, (start, len(text))]


def _depths(text: str) -> list[int]:
    depth, found = 0, []
    for character in text:
        depth -= character in ")]}"
        found.append(depth)
        depth += character in "([{"
    return [*found, depth]


def _opening(text: str, start: int) -> tuple[int, Head] | None:
    """Return where a clause begins after a few words, and its head.

    A sign such as ``=`` is looked for first: in "the loss is L = ..." it is L that is defined.
    """
    verb: tuple[int, Head] | None = None
    at = start
    for _ in range(MAX_WORDS):
        while at < len(text) and (text[at].isspace() or text[at] in "&•"):
            at += 1
        found = head(text, at)
        if found is not None and found.sign is Sign.COLON:
            inner = _opening(text, found.body)
            if inner is not None and not _is_shape(text, found) and _follows(text, found, *inner):
                return inner
        if found is not None and found.sign not in (Sign.VERB, Sign.KIND):
            if _rest(text, found):
                return at, found
        elif found is not None:
            verb = verb or (at, found)
        word = _WORD.match(text, at)
        if word is None:
            return verb
        at = word.end()
    return verb


def _rest(text: str, found: Head) -> bool:
    return found.sign is not Sign.COLON or bool(text[found.body :].strip())


def _follows(text: str, found: Head, at: int, inner: Head) -> bool:
    """Whether what stands before a colon is a word before a clause: "Loss: L = ..."."""
    if inner.sign is Sign.EQUALS:
        return True
    return len(found.names[0][0]) > 3 and not text[found.body : at].strip()


def _is_shape(text: str, found: Head) -> bool:
    return bool(re.match(r"\s*[(\[ℝ]", text[found.body :]))


def _clause(line: Line, text: str, begin: int, stop: int, first: Head) -> Clause | None:
    """Read one clause; None when it is prose after all."""
    ending = _CLOSING.search(text[begin:stop])
    stop = begin + ending.start() if ending else stop
    if first.sign in (Sign.EQUALS, Sign.MEMBER) and len(_DOLLARS.findall(line.text[:begin])) % 2:
        closing = _DOLLARS.search(line.text, first.body, stop)
        stop = closing.start() if closing else stop  # "$a = σ(z)$ is the activation"
    # The words before and the clauses beside it are blanked, so that columns stay.
    if (upright := _UPRIGHT.search(line.text[:begin])) is not None:
        begin = upright.start()  # \mathrm{MSE} = ...
    part = Line(" " * begin + line.text[begin:stop], line.number, shown=line.text)
    said = after(part, text[:stop], first)
    if said is not None:
        return Clause(part, declared=said)
    if first.sign in (Sign.VERB, Sign.KIND):
        return None
    if first.sign is Sign.EQUALS:
        statement = statements.statement(part)
        return Clause(part, statement) if statement is not None else None
    body = text[first.body : stop]
    if first.sign is Sign.COLON and _is_prose(body) and len(first.names[0][0]) > 3:
        return None  # "Note: the labels are noisy"
    statement = statements.statement(part)
    if statement is None or statement.sign != ":":
        return None
    statements.shape(statement)  # says what a shape looks like
    return None


def _is_prose(text: str) -> bool:
    """Whether a text is made of words, at least two of them and one of them long."""
    words = re.findall(r"[A-Za-z][A-Za-z'’-]*", text)
    text = re.sub(r"\\[A-Za-z]+", "", text)
    plain = not re.sub(r"[A-Za-z'’\s.,:;()!?\"“”0-9–—-]", "", text)
    long = [word for word in words if len(word) > 3]
    heading = text.rstrip().endswith(":") and len(words) >= 1 and len(words[0]) > 3
    return plain and ((len(words) >= 2 and bool(long)) or heading)


def without_arguments(
    found: Sequence[Clause], introduced: Container[str], usual: Container[str] = frozenset()
) -> list[Clause]:
    """Return the clauses with ``J(w, b) = ...`` read as the value J.

    Such a line defines a value, and not a function, where its arguments are names of the forward
    pass and nobody calls it. A name of `usual` is a value wherever nobody calls it.
    """
    return [_valued(clause, found, introduced, usual) for clause in found]


def _valued(
    clause: Clause, others: Sequence[Clause], introduced: Container[str], usual: Container[str]
) -> Clause:
    said = clause.statement
    if said is None or said.call is None:
        return clause
    name, arguments = said.call[1].strip(), re.split("[,;]", said.call[2])
    called = re.compile(rf"(?<![\w^]){re.escape(name)}\s*\(")
    defining = [o.statement for o in others if o.statement and not o.statement.directive]
    bodies = [other.line.text[other.body : other.stop] for other in defining]
    own = said.line.text[said.body : said.stop]
    last = said is defining[-1] or _is_usual(name, usual)
    if not last:
        bodies.remove(own)  # the last line may be all that mentions its arguments
    if any(called.search(body) for body in bodies):
        return clause
    plain = re.compile(rf"(?<![\w\\]){re.escape(name)}(?![\w(])")
    if not last and not any(plain.search(body) for body in bodies):
        return clause  # a function that nobody calls
    for text in arguments:
        word = text.replace("$", " ").strip(" ;")
        apart = r"(?<![\w\\])" if len(word) > 1 and word[0] != "\\" else ""
        beyond = r"(?![A-Za-z0-9_])" if apart or word[:1] == "\\" else ""  # mx_i is m times x_i
        used = re.compile(rf"{apart}{re.escape(word)}{beyond}")
        try:
            known = canonical(word) in introduced
        except ValueError:
            return clause
        if not known and not any(used.search(body) for body in bodies):
            return clause
    start = said.line.text.index("(")
    text = said.line.text[:start] + " " * (said.at - start) + said.line.text[said.at :]
    line = Line(text, said.line.number, shown=said.line.shown or said.line.text)
    return replace(clause, line=line, statement=replace(said, line=line))


def _is_usual(name: str, usual: Container[str]) -> bool:
    try:
        return canonical(name) in usual
    except ValueError:
        return False


__all__ = ["Clause", "Clauses", "clauses", "without_arguments"]
