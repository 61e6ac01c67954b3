"""Transcripts with one wrong line, and the proof that it is wrong: finite differences.

Whether a line is wrong is settled here by numbers: the forward pass is run with NumPy, every
entry of a variable is moved a little, and the line's value is compared with what the objective
does. Nothing of chainrule is used.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Any

import numpy as np

from benchmarks.audit.changes import changed, replaced
from benchmarks.audit.formulas import FUNCTIONS, HANDS, Array, tree, value, written
from benchmarks.audit.lessons import LESSONS, Lesson

SIZES = ({"n": 3, "m": 4, "h": 2, "k": 3, "t": 3, "d": 2, "e": 2},
         {"n": 2, "m": 3, "h": 4, "k": 2, "t": 2, "d": 3, "e": 3})  # fmt: skip
STEP = 1e-6
APART = 1e-4
"""Values that differ by less than this, in proportion, are not told apart by differences."""


@dataclass(frozen=True)
class Seed:
    """A transcript with one wrong line.

    Parameters
    ----------
    lesson : str
        Of which derivation.
    kind : str
        The mistake.
    words : tuple of str
        Words of which one must stand in the name of the mistake.
    claimed : str
        What the wrong line speaks of.
    text : str
        The transcript.
    line : int
        The wrong line, from 1.
    following : frozenset of int
        Lines that follow from the wrong line, and are wrong for no other reason.
    """

    lesson: str
    kind: str
    words: tuple[str, ...]
    claimed: str
    text: str
    line: int
    following: frozenset[int] = frozenset()


class Place:
    """One place at which a lesson is evaluated: sizes, inputs, values and true gradients."""

    def __init__(self, lesson: Lesson, sizes: Mapping[str, int], seed: int) -> None:
        draws = np.random.default_rng(seed)
        self.lesson = lesson
        self.known: dict[str, Any] = {name: float(size) for name, size in sizes.items()}
        for letter, dim in lesson.letters.items():
            self.known[f"size of {letter}"] = sizes[dim]
        self.inputs: dict[str, Array] = {}
        for name, shape in lesson.inputs.items():
            drawn = draws.uniform(0.2, 0.9, [sizes.get(str(dim), 1) for dim in shape])
            if name in lesson.onehot:
                drawn /= drawn.sum(axis=lesson.onehot[name], keepdims=True)
            elif name not in ("y", "Y", "eps", "q"):
                drawn *= draws.choice([-1, 1], drawn.shape)
            self.inputs[name] = drawn
        self.known |= self.forward({})
        for claimed, text in lesson.lines.items():
            if claimed.isidentifier():
                self.known[f"d{claimed}"] = value(tree(text), self.known)

    def forward(self, moved: Mapping[str, Array]) -> dict[str, Array]:
        """Run the forward pass, with some values moved."""
        values = dict(self.known) | {k: v + moved.get(k, 0) for k, v in self.inputs.items()}
        for name, text in self.lesson.forward.items():
            values[name] = np.asarray(value(tree(text), values)) + moved.get(name, 0)
        return values

    def slopes(self, of: str, by: str) -> Array:
        """Differences of one value by every entry of another; entry by entry, or of the sum."""
        shape = np.shape(self.known[by])
        found = np.zeros(shape)
        for where in product(*map(range, shape)):
            moved = np.zeros(shape)
            moved[where] = STEP
            up, down = self.forward({by: moved})[of], self.forward({by: -moved})[of]
            found[where] = ((up - down) / (2 * STEP)).sum()
        return found

    def holds(self, claimed: str, formula: ast.expr) -> bool:
        """Whether a line is right here, in one layout or the other."""
        of, _, by = claimed.rpartition("/")
        name, _, letters = by.partition("[")
        truth = self.slopes(of or list(self.lesson.forward)[-1], name)
        try:
            found = self._entries(formula, letters, truth) if letters else self._whole(formula)
        except (ValueError, KeyError, IndexError, TypeError):
            return False
        return any(_same(found, layout) for layout in (truth, truth.T))

    def _whole(self, formula: ast.expr) -> Array:
        return np.asarray(value(formula, self.known), float)

    def _entries(self, formula: ast.expr, letters: str, truth: Array) -> Array:
        names = [letter.strip() for letter in letters.rstrip("]").split(",")]
        found = np.zeros(truth.shape if len(names) == 2 else truth.size)
        for where in np.ndindex(*found.shape):
            at = dict(zip(names, where, strict=True))
            found[where] = np.asarray(value(formula, {**self.known, **at})).item()
        return found.reshape(truth.shape)


def _same(one: Array, other: Array) -> bool:
    if one.shape not in (other.shape, (), (1, 1)):
        return False
    return bool(np.abs(one - other).max() <= APART * max(1e-3, np.abs(other).max()))


@lru_cache
def places(name: str) -> tuple[Place, ...]:
    """Return the places at which a lesson is evaluated."""
    lesson = next(lesson for lesson in LESSONS if lesson.name == name)
    return tuple(Place(lesson, sizes, seed) for seed, sizes in enumerate(SIZES))


def is_wrong(lesson: Lesson, claimed: str, formula: ast.expr) -> bool:
    """Whether a line is wrong at some place; where a sum lost its index, by its letters."""
    return _unbound(lesson, claimed, formula) or not all(
        place.holds(claimed, formula) for place in places(lesson.name)
    )


def _unbound(lesson: Lesson, claimed: str, formula: ast.expr) -> bool:
    """Whether an index of the line belongs to no sum and is not free on the left, or is both."""
    free = set(claimed.partition("[")[2].rstrip("]").replace(" ", "").split(",")) - {""}

    def loose(node: ast.AST, bound: set[str]) -> bool:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "S":
            index = node.args[0]
            assert isinstance(index, ast.Name)
            return index.id in free or loose(node.args[1], bound | {index.id})
        if isinstance(node, ast.Name) and node.id in lesson.letters:
            return node.id not in bound | free
        return any(loose(child, bound) for child in ast.iter_child_nodes(node))

    return loose(formula, set())


def transcript(
    lesson: Lesson, hand: str, lines: Mapping[str, ast.expr]
) -> tuple[str, dict[str, int]]:
    """Write a lesson in a hand; return the text and where each line stands."""
    shapes = {name: np.shape(found) for name, found in places(lesson.name)[0].known.items()}
    shapes = {name: shape or (1, 1) for name, shape in shapes.items()}
    rows = []
    for name, (high, wide) in lesson.inputs.items():
        if hand == "latex":
            latex = written(tree(name), hand, shapes)
            rows.append(rf"${latex} \in \mathbb{{R}}^{{{high} \times {wide}}}$")
        else:
            rows.append(f"{written(tree(name), hand, shapes)} : ({high}, {wide})")
    for name, axis in lesson.onehot.items():
        rows.append(f"onehot: {name}" + ("^T" if axis else ""))
    for name, text in lesson.forward.items():
        rows.append(_set(f"{written(tree(name), hand, shapes)} = "
                         f"{written(tree(text), hand, shapes)}", hand))  # fmt: skip
    rows.append("```python" if hand == "code" else "")
    at = {}
    for number, (claimed, formula) in enumerate(lines.items()):
        left = _left(lesson, claimed, hand, number)
        rows.append(_set(f"{left} = {written(formula, hand, shapes)}", hand))
        at[claimed] = len(rows)
    return "\n".join(rows), at


def _set(formula: str, hand: str) -> str:
    return f"$${formula}$$" if hand == "latex" else formula


def _left(lesson: Lesson, claimed: str, hand: str, number: int) -> str:
    of, _, by = claimed.rpartition("/")
    of = of or list(lesson.forward)[-1]
    over, under = (written(tree(text), hand, {}) for text in (of, by))
    if hand == "latex":
        return rf"\frac{{\partial {over}}}{{\partial {under}}}"
    if hand == "unicode":
        return f"∂{over}/∂{under}"
    if hand == "code" or (number % 2 and "/" not in claimed and "[" not in claimed):
        return f"d{under}" if "/" not in claimed else f"d{over}_d{under}"
    return f"d{over}/d{under}"


def seeds(every: int = 1) -> Iterator[Seed]:
    """Yield transcripts with one wrong line each; take every so-many-th change of a tree."""
    count = 0
    for lesson in LESSONS:
        right = {claimed: tree(text) for claimed, text in lesson.lines.items()}
        for claimed, text, said in lesson.more:
            count += 1
            name, _, words = said.partition(": ")
            yield _seed(lesson, right, claimed, tree(text), name, tuple(words.split()), count)
        seen = set()
        for claimed, formula in right.items():
            for kind, wrong in changed(formula):
                shown = (claimed, ast.unparse(wrong))
                if shown in seen or not _possible(lesson, claimed, wrong):
                    continue
                if not is_wrong(lesson, claimed, wrong):
                    continue
                seen.add(shown)
                count += 1
                if count % every == 0:
                    yield _seed(
                        lesson, right, claimed, wrong, kind.name, kind.words, count // every
                    )


def _seed(
    lesson: Lesson,
    right: Mapping[str, ast.expr],
    claimed: str,
    wrong: ast.expr,
    kind: str,
    words: tuple[str, ...],
    number: int,
) -> Seed:
    hand = HANDS[number % len(HANDS)]
    if kind == "product for entries":
        hand = "code"  # what stands side by side on a board may be meant entry by entry
    if hand == "code" and "[" in claimed:
        hand = "plain"
    lines, following = dict(right), set[str]()
    if hand == "code":
        lines = {name: formula for name, formula in right.items() if "[" not in name}
    lines[claimed] = wrong
    if number % 3 == 0 and claimed.isidentifier():
        after = list(lines)[list(lines).index(claimed) + 1 :]
        for name in after:
            carried = _carried(lines[name], f"d{claimed}", wrong)
            if carried is not lines[name] and _evaluates(lesson, carried):
                lines[name] = carried
                following.add(name)
    text, at = transcript(lesson, hand, lines)
    follows = frozenset(at[name] for name in following)
    return Seed(lesson.name, kind, words, claimed, text, at[claimed], follows)


def _possible(lesson: Lesson, claimed: str, formula: ast.expr) -> bool:
    """Whether it can be meant: known names, nothing by itself, no matrix product of numbers."""
    place = places(lesson.name)[0].known
    sizes = {str(dim) for shape in lesson.inputs.values() for dim in shape}
    known = {*place, *lesson.letters, *FUNCTIONS, "S"} - {f"d{claimed}"} - (SIZES[0].keys() - sizes)
    names = (node.id for node in ast.walk(formula) if isinstance(node, ast.Name))
    ones = any(
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Mult)
        and any(isinstance(s, ast.Constant) and s.value == 1 for s in (node.left, node.right))
        for node in ast.walk(formula)
    )
    return (
        not ones
        and all(name in known for name in names)
        and not any(
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.MatMult)
            and any(_size(side, place) == 1 for side in (node.left, node.right))
            for node in ast.walk(formula)
        )
    )


def _size(formula: ast.expr, known: Mapping[str, Any]) -> int:
    """Return how many numbers a part is made of; one for an entry, none where it is unknown."""
    if any(isinstance(node, ast.Subscript) for node in ast.walk(formula)):
        return 1
    try:
        return int(np.size(value(formula, known)))
    except ValueError:
        return 0


def _carried(formula: ast.expr, name: str, wrong: ast.expr) -> ast.expr:
    """Put what was found wrongly in the place of its name."""
    for node in ast.walk(formula):
        if isinstance(node, ast.Name) and node.id == name:
            return _carried(replaced(formula, node, wrong), name, wrong)
    return formula


def _evaluates(lesson: Lesson, formula: ast.expr) -> bool:
    try:
        for place in places(lesson.name):
            value(formula, place.known)
    except ValueError:
        return False
    return True
