"""Statements: one a value, each on one line.

What would not fit on a line, and what is used again and is more than arithmetic, gets a line of its
own first; so no line needs breaking, and a formatter has nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from chainrule.calculus.graph.dims import Shape, written
from chainrule.calculus.graph.node import Apply, Expr, Symbol, walk
from chainrule.calculus.graph.op import Layout
from chainrule.language.codegen.names import Identifiers
from chainrule.language.codegen.target import WIDTH, Target
from chainrule.language.codegen.trees import Trees, is_hidden, is_work, spread


class FunctionBody:
    """The body of a function.

    Parameters
    ----------
    target : Target
        The target.
    names : mapping of Symbol to str
        The identifiers of the matrices.
    sizes : mapping of str to str
        The identifiers of the dimensions.
    identifiers : Identifiers
        Gives names to parts.
    """

    def __init__(
        self,
        target: Target,
        names: Mapping[Symbol, str],
        sizes: Mapping[str, str],
        identifiers: Identifiers,
    ) -> None:
        self.target = target
        self.identifiers = identifiers
        self.sizes = frozenset(sizes.values())
        self.trees = Trees(names, sizes, target)
        self.statements: list[str] = []
        self._shared: set[Expr] = set()
        self._filled: set[Expr] = set()

    def share(self, roots: Iterable[Expr]) -> None:
        """Note what several values use, or one twice; it will be computed once."""
        uses: dict[Expr, int] = {}
        seen: set[Expr] = set()
        for root in roots:
            shown = _shown(root)
            uses[shown] = uses.get(shown, 0) + 1
            for node in walk(root):
                if node in seen or is_hidden(node):
                    continue
                seen.add(node)
                for arg in map(_shown, node.args):
                    uses[arg] = uses.get(arg, 0) + 1
        self._shared = {
            node
            for node in seen
            if uses[node] > 1 and _may_have_a_name(node) and is_work(self.trees.tree(node, False))
        }

    def assign(self, name: str, value: Expr, *, given: bool = False) -> None:
        """Add the statement that computes a value, after the parts that it needs.

        A value that may be given is computed only when it is not.
        """
        fitted = self._fitted(name, value, exact=True, given=given)
        self._write(name, fitted, exact=True, given=given)
        if isinstance(value, Apply) and not given:
            self.trees.parts.setdefault(value, name)
            self._filled.add(value)

    def _write(self, name: str, value: Expr, *, exact: bool, given: bool = False) -> None:
        code = self._text(value, exact)
        shape = self._shape(value, exact)
        self.statements.append(self.target.statement(name, code, shape, given=given))

    def _shape(self, value: Expr, exact: bool) -> Shape:
        """Return the shape of the array that the code of a value makes.

        A part that only broadcasts to the shape of its value is smaller than it.
        """
        return value.shape if exact else spread(value, self._filled)

    def _fitted(self, name: str, value: Expr, *, exact: bool, given: bool = False) -> Expr:
        """Name parts until a statement of `value` fits on a line."""
        for node in walk(value):
            if node in self._shared and node is not value and node not in self.trees.parts:
                self._name(node)
        room = WIDTH - len(self.target.statement(name, "", self._shape(value, exact), given=given))
        while len(self._text(value, exact)) > room:
            part = self._longest_part(value)
            if exact and self.trees.fills(value) and _may_have_a_name(value):
                part = value if value not in self.trees.parts else None
            if part is None and isinstance(value, Apply) and len(value.args) > 2:
                # A long row of plain terms: the first half becomes the first term.
                middle = (len(value.args) + 1) // 2
                part = value.rebuilt(value.args[:middle])
                value = value.rebuilt((part, *value.args[middle:]))
            if part is None:
                break
            self._name(part)
        return value

    def _name(self, part: Expr) -> None:
        fitted = self._fitted("t99", part, exact=False)
        name = self.identifiers.numbered("t")
        self._write(name, fitted, exact=False)
        self.trees.parts[part] = name

    def _text(self, value: Expr, exact: bool) -> str:
        tree = self.trees.tree(value, exact)
        return self.target.expression(tree, self.sizes, self.trees.helpers)

    def _longest_part(self, value: Expr) -> Expr | None:
        """Return the part that a long line gains most by naming."""
        parts = [part for part in self._visible(value) if _may_have_a_name(part)]
        return max(parts, key=lambda part: len(self._text(part, False)), default=None)

    def _visible(self, value: Expr) -> list[Expr]:
        """Return the parts of a value that are written out, which those of named ones are not."""
        seen: dict[Expr, None] = {}
        waiting = list(value.args)
        while waiting:
            node = waiting.pop()
            if node not in seen and node not in self.trees.parts:
                seen[node] = None
                waiting += node.args
        return [node for node in walk(value) if node in seen]


def shape_text(shape: Shape) -> str:
    """Write a shape for a comment."""
    return one_line(written(shape))


def one_line(text: str) -> str:
    """Put what somebody wrote on one line, so that it cannot leave its comment."""
    return " ".join(text.split())


def _shown(node: Expr) -> Expr:
    while is_hidden(node):
        node = node.args[0]
    return node


def _may_have_a_name(node: Expr) -> bool:
    """Whether a name for a node would say more than the node itself."""
    if not isinstance(node, Apply) or not node.args:
        return False
    return node.op.notation.layout not in (Layout.HIDDEN, Layout.PREFIX)
