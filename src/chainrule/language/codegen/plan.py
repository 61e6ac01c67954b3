"""The contents of a module, before it is written: names, statements, and what the passes share."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain

from chainrule.calculus.derivation.program import Program
from chainrule.calculus.graph.dims import base_names
from chainrule.calculus.graph.node import Apply, Symbol, symbols, walk
from chainrule.calculus.ops import TABLE
from chainrule.language.codegen.lines import FunctionBody
from chainrule.language.codegen.names import Identifiers
from chainrule.language.codegen.sizes import Sizes
from chainrule.language.codegen.target import Target

_DEFINED = re.compile(r"^(?:def|function) (\w+)\(", re.MULTILINE)


class Plan:
    """A program with identifiers and statements of a target.

    Parameters
    ----------
    program : Program
        From `chainrule.calculus.derivation.program`.
    target : Target
        The target.

    Attributes
    ----------
    names, gradients : dict of Symbol to str
        The identifiers of the matrices, and of the gradients by their variables.
    forward, backward : FunctionBody
        The statements of the two passes.
    cache : tuple of Symbol
        What the forward pass returns: what gradients are computed from, and the cost.
    """

    def __init__(self, program: Program, target: Target) -> None:
        self.program = program
        self.model = program.model
        self.target = target
        self.identifiers = Identifiers({*target.reserved, *_function_names(program, target)})
        matrices = (*self.model.symbols, *(layer.target for layer in program.layers))
        self.names = {symbol: self.identifiers.fresh(symbol.name) for symbol in matrices}
        named = {name: None for s in matrices for dim in s.shape for name in base_names(dim)}
        self.sizes = {name: self.identifiers.fresh(name) for name in named}
        self.shapes = Sizes(self.model.symbols, self.sizes)
        self.gradients = {
            symbol: self.identifiers.fresh(f"d{self.names[symbol]}") for symbol in program.gradients
        }
        self.backward = self._backward()
        self.cache = self._cache()
        self.forward = self._forward()
        self.helpers = self.forward.trees.helpers | self.backward.trees.helpers
        self.own = self.forward.trees.own | self.backward.trees.own
        self.imports = self.forward.trees.imports | self.backward.trees.imports

    @property
    def cost(self) -> str:
        """The identifier of what is differentiated."""
        return self.names[self.model.objective]

    @property
    def main_input(self) -> Symbol:
        """The input that decides the precision: a variable, else one that is not an index."""
        real = [symbol for symbol in self.model.inputs if symbol not in self.model.numbered]
        variables = [symbol for symbol in real if symbol in self.program.gradients]
        return (*variables, *real, *self.model.inputs)[0]

    @property
    def loads(self) -> list[Symbol]:
        """The values that the backward pass reads from the cache."""
        layers = {layer.target for layer in self.program.layers}
        values = [layer.value for layer in self.program.layers]
        values += self.program.gradients.values()
        read = set().union(*(symbols(value) for value in values)) - layers
        named = self.shapes.closed(self.backward.trees.used_sizes, self.cache)
        read |= {self.shapes.source(name, self.cache)[0] for name in named}
        return [symbol for symbol in self.cache if symbol in read]

    def forward_sizes(self) -> list[str]:
        """Return the lines, in Python, that read sizes from the inputs."""
        inputs = self.model.inputs
        return self._size_lines(self.forward, inputs, Sizes(inputs, self.sizes))

    def backward_sizes(self) -> list[str]:
        """Return the lines, in Python, that read sizes from the cache."""
        return self._size_lines(self.backward, self.cache, self.shapes)

    def _size_lines(
        self, body: FunctionBody, among: tuple[Symbol, ...], shapes: Sizes
    ) -> list[str]:
        used = shapes.closed(body.trees.used_sizes, among)
        return [shapes.line(name, among, self.names) for name in used]

    def _body(self) -> FunctionBody:
        return FunctionBody(self.target, self.names, self.sizes, self.identifiers.apart())

    def _backward(self) -> FunctionBody:
        body = self._body()
        layers = [(self.names[layer.target], layer.value) for layer in self.program.layers]
        found = [(self.gradients[s], value) for s, value in self.program.gradients.items()]
        body.share(value for _, value in (*layers, *found))
        for name, value in (*layers, *found):
            body.assign(name, value)
        return body

    def _forward(self) -> FunctionBody:
        body = self._body()
        needed = self._needed(self.cache)
        body.share(d.value for d in self.model.definitions if d.target in needed)
        for definition in self.model.definitions:
            if definition.target in needed:
                given = definition.target in self.program.given
                body.assign(self.names[definition.target], definition.value, given=given)
        return body

    def _cache(self) -> tuple[Symbol, ...]:
        """Return what the backward pass reads, what a check starts from, and the cost."""
        layers = [layer.target for layer in self.program.layers]
        values = (*(layer.value for layer in self.program.layers), *self.program.gradients.values())
        kept = {self.model.objective, *self.program.given}
        kept |= set().union(*(symbols(value) for value in values)) - set(layers)
        named = self.shapes.closed(self.backward.trees.used_sizes, kept)
        kept |= {self.shapes.source(name, kept)[0] for name in named}
        return tuple(symbol for symbol in self.model.symbols if symbol in kept)

    def _needed(self, cache: Iterable[Symbol]) -> set[Symbol]:
        needed = set(cache)
        for definition in reversed(self.model.definitions):
            if definition.target in needed:
                needed |= symbols(definition.value)
        return needed


def _function_names(program: Program, target: Target) -> Iterable[str]:
    """Return the names of the functions that the code of ops may call."""
    used = {node.op for value in program.values for node in walk(value) if isinstance(node, Apply)}
    rows = [*TABLE.values(), *(op for op in used if op not in TABLE.values())]
    spelled = (row.targets[target.name].helper for row in rows if target.name in row.targets)
    for text in chain((row.helper for row in rows), spelled):
        for name in _DEFINED.findall(text):
            yield name
            yield target.function_name(name)
