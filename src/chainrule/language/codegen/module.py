"""The module: what a derivation is once it leaves the classroom.

``forward`` returns the cache, ``backward`` every gradient, ``check`` compares them with central
differences. A module imports its target and nothing else, this package included.
"""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import wrap

from chainrule.calculus.derivation.program import Program
from chainrule.calculus.graph.dims import base_names, written
from chainrule.calculus.graph.node import Apply, Symbol, symbols, walk
from chainrule.calculus.ops import TABLE
from chainrule.errors import ModelError
from chainrule.language.codegen.checking import check_text
from chainrule.language.codegen.dialects import DIALECTS, Dialect, defined_name, spelled_function
from chainrule.language.codegen.lines import INDENT, WIDTH, FunctionBody, comment, one_line
from chainrule.language.codegen.names import Identifiers
from chainrule.language.codegen.sizes import Sizes


def module_text(program: Program, target: str = "numpy") -> str:
    """Write a program as a module.

    Parameters
    ----------
    program : Program
        From `chainrule.calculus.derivation.program`.
    target : str
        ``"numpy"``, ``"torch"`` or ``"jax"``.

    Returns
    -------
    str
        Python source, formatted, that imports nothing but its target.

    Raises
    ------
    ModelError
        When the target is unknown.
    """
    if target not in DIALECTS:
        raise ModelError(f"there is no target {target}; there are {', '.join(DIALECTS)}")
    return _Module(program, DIALECTS[target]).text()


class _Module:
    def __init__(self, program: Program, dialect: Dialect) -> None:
        self.program = program
        self.model = program.model
        self.dialect = dialect
        used = {
            node.op for value in program.values for node in walk(value) if isinstance(node, Apply)
        }
        rows = [*TABLE.values(), *(op for op in used if op not in TABLE.values())]
        helpers = (defined_name(row.helper) for row in rows if row.helper)
        self.identifiers = Identifiers(helpers)
        matrices = (*self.model.symbols, *(layer.target for layer in program.layers))
        self.names = {symbol: self.identifiers.fresh(symbol.name) for symbol in matrices}
        named = {name: None for s in matrices for dim in s.shape for name in base_names(dim)}
        self.sizes = {name: self.identifiers.fresh(name) for name in named}
        self.shapes = Sizes(self.model.symbols, self.sizes)
        self.gradients = {
            symbol: self.identifiers.fresh(f"d{self.names[symbol]}") for symbol in program.gradients
        }

    def text(self) -> str:
        backward = self._lines()
        layers = [(self.names[layer.target], layer.value) for layer in self.program.layers]
        found = [(self.gradients[s], value) for s, value in self.program.gradients.items()]
        backward.share(value for _, value in (*layers, *found))
        for name, value in (*layers, *found):
            backward.assign(name, value)
        cache = self._cache(backward)
        forward = self._lines()
        needed = self._needed(cache)
        forward.share(d.value for d in self.model.definitions if d.target in needed)
        for definition in self.model.definitions:
            if definition.target in needed:
                name = self.names[definition.target]
                given = definition.target in self.program.given
                ending = f" if {name} is None else {name}" if given else ""
                forward.assign(name, definition.value, ending)
        helpers = forward.trees.helpers | backward.trees.helpers
        pieces = [
            self._head(sorted(forward.trees.imports | backward.trees.imports)),
            *(spelled_function(helpers[name], self.dialect) + "\n" for name in sorted(helpers)),
            self._forward(forward, cache),
            self._backward(backward, cache),
            check_text(self.dialect, self.model, self.names),
        ]
        return "\n\n".join(pieces)

    def _lines(self) -> FunctionBody:
        return FunctionBody(self.dialect, self.names, self.sizes, self.identifiers.apart())

    # ---- what the two passes hand on -------------------------------------------------------

    def _cache(self, backward: FunctionBody) -> tuple[Symbol, ...]:
        """Return what the backward pass reads, what a check starts from, and the cost."""
        layers = [layer.target for layer in self.program.layers]
        values = (*(layer.value for layer in self.program.layers), *self.program.gradients.values())
        kept = {self.model.objective, *self.program.given}
        kept |= set().union(*(symbols(value) for value in values)) - set(layers)
        named = self.shapes.closed(backward.trees.used_sizes, kept)
        kept |= {self.shapes.source(name, kept)[0] for name in named}
        return tuple(symbol for symbol in self.model.symbols if symbol in kept)

    def _needed(self, cache: Iterable[Symbol]) -> set[Symbol]:
        needed = set(cache)
        for definition in reversed(self.model.definitions):
            if definition.target in needed:
                needed |= symbols(definition.value)
        return needed

    # ---- the pieces ------------------------------------------------------------------------

    def _head(self, imports: list[str]) -> str:
        title = _quoted(self.model.title) or "a forward pass"
        first = f"{title[:1].upper()}{title[1:].rstrip('.')}: forward pass and gradients."
        lines = [*wrap(first, WIDTH - 4)[:1], ""]
        if len(first) > WIDTH - 4:
            lines = ["Forward pass and gradients.", "", *wrap(f"{title}.", WIDTH - 4), ""]
        lines += ["Written by chainrule from its derivation. Every gradient has the shape of its"]
        lines += ["variable; `check()` compares them all with central differences."]
        lines += [""]
        for note in self.program.reading:
            lines += wrap(f"{_quoted(note)}", WIDTH - 4)
        if self.program.transposed:
            rows = (
                f"One example per row: {_quoted(self.program.by_rows or '')} counts the rows. A "
                "matrix marked transposed is the transpose of the one on the board, and so is its "
                "gradient."
            )
            lines += ["", *wrap(rows, WIDTH - 4)]
        if self.dialect.note:
            lines += ["", self.dialect.note]
        body = "\n".join(lines)
        return f'"""{body}\n"""\n\n' + "\n".join([*self.dialect.imports, *imports]) + "\n"

    def _forward(self, lines: FunctionBody, cache: tuple[Symbol, ...]) -> str:
        inputs = [self.names[s] for s in self.model.inputs]
        inputs += [f"{self.names[s]}=None" for s in self.program.given]
        doc = [
            f"Return what the gradients need, and the cost "
            f"{self.names[self.model.objective]}, by name.",
            "",
        ]
        for symbol in self.model.inputs:
            note = _quoted(self.model.notes.get(symbol.name, ""))
            if symbol in self.program.transposed:
                note = f"transposed; {note}" if note else "transposed"
            doc += _entry(self.names[symbol], symbol, note)
        for symbol in self.program.given:
            doc += _entry(self.names[symbol], symbol, "computed, unless it is given")
        given = Sizes(self.model.inputs, self.sizes)
        body = [*self._size_lines(lines, self.model.inputs, given), *lines.statements]
        returned = [f'"{self.names[s]}": {self.names[s]}' for s in cache]
        return "\n".join(
            [
                *_call("def forward(", inputs, "):", ""),
                *_docstring(doc),
                *body,
                *_call("return {", returned, "}", INDENT),
                "",
            ]
        )

    def _backward(self, lines: FunctionBody, cache: tuple[Symbol, ...]) -> str:
        layers = {layer.target for layer in self.program.layers}
        values = [layer.value for layer in self.program.layers]
        values += self.program.gradients.values()
        read = set().union(*(symbols(value) for value in values)) - layers
        named = self.shapes.closed(lines.trees.used_sizes, cache)
        sources = {self.shapes.source(name, cache)[0] for name in named}
        loads = [
            f'{INDENT}{self.names[s]} = cache["{self.names[s]}"]{comment(s.shape)}'
            for s in cache
            if s in read | sources
        ]
        returned = [f'"{self.names[s]}": {name}' for s, name in self.gradients.items()]
        cost = self.names[self.model.objective]
        return "\n".join(
            [
                "def backward(cache):",
                *_docstring(
                    [f"Return the gradient of {cost} with respect to every variable, in its shape."]
                ),
                *loads,
                *self._size_lines(lines, cache, self.shapes),
                *lines.statements,
                *_call("return {", returned, "}", INDENT),
                "",
            ]
        )

    def _size_lines(self, lines: FunctionBody, among: Iterable[Symbol], shapes: Sizes) -> list[str]:
        wanted = tuple(among)
        return [
            INDENT + shapes.line(name, wanted, self.names)
            for name in shapes.closed(lines.trees.used_sizes, wanted)
        ]


def _call(opening: str, parts: list[str], closing: str, indent: str) -> list[str]:
    """Write parts between brackets: on one line if they fit, else one a line."""
    line = f"{indent}{opening}{', '.join(parts)}{closing}"
    if len(line) <= WIDTH:
        return [line]
    inner = [f"{indent}{INDENT}{part}," for part in parts]
    return [f"{indent}{opening}", *inner, f"{indent}{closing}"]


def _docstring(lines: list[str]) -> list[str]:
    first, *rest = lines
    if not rest:
        return [f'{INDENT}"""{first}"""']
    body = [f"{INDENT}{line}" if line else "" for line in rest]
    return [f'{INDENT}"""{first}', *body, f'{INDENT}"""']


def _entry(name: str, symbol: Symbol, note: str) -> list[str]:
    """Say what an argument is."""
    text = f"{name}: {_quoted(written(symbol.shape))}" + (f", {note}" if note else "")
    return wrap(text, WIDTH - len(INDENT), subsequent_indent=INDENT)


def _quoted(text: str) -> str:
    """Make somebody's words fit to stand in a docstring, which they must not end."""
    return one_line(text).replace("\\", "\\\\").replace('"', "'")


__all__ = ["module_text"]
