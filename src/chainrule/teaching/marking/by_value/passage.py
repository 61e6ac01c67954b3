"""Definitions of a text as it stands: values, functions, index letters, evidence of shapes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from chainrule.teaching.marking.by_value.given_places import drawn, given_places
from chainrule.teaching.marking.by_value.layer_letters import layer_letters
from chainrule.teaching.marking.by_value.notation import GREEK
from chainrule.teaching.marking.by_value.scripts import CLASS, Habits
from chainrule.teaching.marking.by_value.terms import (
    Called,
    Combined,
    EntryOf,
    Index,
    Named,
    Over,
    Slope,
    Term,
    every,
    is_vector_product,
    parts,
)

_MOVES = re.compile(r"(?:(?<![\w\\{^_])d\s|\\(?:mathrm|text)\s*\{\s*d\s*\})\s*\\?[A-Z]")
_SYMMETRIC_NAME = re.compile(
    r"(?<![A-Za-z\\])(?P<before>[A-Z])[}\s$)]{0,6}(?:(?:is|be|a|real|and)\s+){0,3}symmetric"
    r"|symmetric\s+(?:matrix\s+)?[$(\\]{0,3}\s*(?:\\?(?:mathbf|boldsymbol|bm)\s*\{)?\s*(?P<after>[A-Z])"
    r"(?![A-Za-z])"
    r"|(?<![A-Za-z\\])(?P<positive>[A-Z])[}\s]{0,3}\\succ"
)
_SPACE = re.compile(
    r"(?:\\in|∈)(?![A-Za-z])[\s$]*(?:\\(?:mathbb|mathbf|mathcal)\s?\{?\s?R\s?\}?|ℝ|\\R(?![a-z])|R)"
    r"(?:\s?\^\s?(?:\{(?P<dims>[^{}]{0,40})\}|(?P<one>\w)))?"
)
_LAST_NAME = re.compile(
    r"(?:\\[a-z]+\s?\{\s?(?P<within>\\?[A-Za-z]+)\s?\}|(?P<plain>\\?[A-Za-z]+))(?:[_^](?:\{[^{}]{0,9}\}|\w))*"
    r"[\s$]*$"
)
_KINKS = re.compile(
    r"relu|max(?![a-z])|hinge|\\math(?:bb|bf)\s*\{?\s*(?:1|I)|\\casebegin|[<>]\s*0", re.IGNORECASE
)
REACH = 80
"""The number of characters before a declaration in which its names are searched."""

_SIZE = re.compile(
    r"\\(?:sum|prod)[^=\\\n]{0,12}=\s?[01]\s?\}\s?\^\s?\{?\s?(?P<upper>[A-Za-z])"
    r"|\\in\s*\[\s*(?P<range>[A-Za-z])\s*\]"
    r"|\\sum_\{?\w\}?\s?\^\s?\{?\s?(?P<over>[A-Za-z])|R\}?\s?\^\s?\{?(?P<dims>[^${}]{0,30})[}$]"
)


@dataclass(frozen=True)
class Definition:
    """The value of a name, or of its entry.

    Parameters
    ----------
    name : Named
        The left side.
    body : Term
        The right side.
    order : int
        Its place in the text.
    """

    name: Named
    body: Term
    order: int


def placed(name: Named) -> list[tuple[tuple[bool, int], Index]]:
    """Return the indices of a name, each with its place: above or below, and the number."""
    above = [((True, at), index) for at, index in enumerate(name.above)]
    return [*above, *(((False, at), index) for at, index in enumerate(name.below))]


@dataclass
class Passage:
    """A text with its definitions.

    Parameters
    ----------
    habits : Habits
        How its letters are read.
    text : str
        The text.
    """

    habits: Habits
    text: str
    definitions: dict[str, list[Definition]] = field(default_factory=dict)
    functions: dict[str, tuple[tuple[str, ...], Term]] = field(default_factory=dict)
    arguments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    terms: list[Term] = field(default_factory=list)
    letters: set[str] = field(default_factory=set)
    bases: set[str] = field(default_factory=set)
    sizes: set[str] = field(default_factory=set)
    summed: set[str] = field(default_factory=set)  # letters that some sum runs over
    fixed: set[str] = field(default_factory=set)  # indices of one place, such as a class
    alone: set[str] = field(default_factory=set)  # those that no sum may reach
    epochs: dict[int, int] = field(default_factory=dict)
    split: set[str] = field(default_factory=set)  # x beside x_i, both vectors
    objective: Named | None = None  # of which dX is the gradient
    by_letter: bool = False  # whether the letter of an index names a layer: z_i, z_j, z_k
    layers: dict[str, str] = field(default_factory=dict)  # the layers of letters of sums
    sorted: dict[Named, tuple[tuple[str, tuple[str, ...]], list[Index]]] = field(
        default_factory=dict
    )

    @cached_property
    def symmetric(self) -> frozenset[str]:
        r"""The matrices that the text calls symmetric: ``with $\\mathbf{W}$ symmetric``."""
        found = _SYMMETRIC_NAME.finditer(self.text)
        return frozenset(match["before"] or match["after"] or match["positive"] for match in found)

    @cached_property
    def has_kinks(self) -> bool:
        """Whether some function of the text is zero on one side, such as relu and hinges."""
        return _KINKS.search(self.text) is not None

    @cached_property
    def moves(self) -> bool:
        """Whether a d stands before a capital letter, as in ``d X``, and has no value above."""
        return "d" not in self.definitions and _MOVES.search(self.text) is not None

    def note(self, term: Term) -> None:
        """Add a parsed side to the evidence."""
        self.terms.append(term)

    def settle(self) -> None:
        """Decide which letters are indices, once every side is noted."""
        nodes = [node for term in self.terms for node in every(term)]
        names = [node for node in nodes if isinstance(node, Named)]
        self.bases = {name.base for name in names}
        sums = {letter for node in nodes if isinstance(node, Over) for letter in node.letters}
        self.summed = sums
        found = {
            index.text
            for name in names
            for index in name.places
            if len(index.text.rstrip("'")) == 1 and index.text[0].islower()
        }
        found |= {
            index.text
            for node in nodes
            if isinstance(node, EntryOf)
            for index in node.places
            if len(index.text) == 1 and index.text.islower()
        }
        found |= {
            index.text
            for node in nodes
            if isinstance(node, Called) and node.function == "kronecker"
            for index in node.arguments
            if isinstance(index, Index)
        }
        indexed = {name.base for name in names if name.places}
        self.letters = sums | {
            letter
            for letter in found
            if letter not in self.bases or (letter[0] in "ijk" and letter not in indexed)
        }
        plainly = {
            index.text
            for name in names
            for index in name.places
            if len(name.places) > 1 or not (len(name.base) == 1 and name.base.isupper())
        }
        self.letters &= sums | plainly  # W_g is a name of its own
        self.sizes = {
            match["upper"] or match["over"] or match["range"]
            for match in _SIZE.finditer(self.text)
            if match["upper"] or match["over"] or match["range"]
        }
        for match in _SIZE.finditer(self.text):
            self.sizes |= set(
                re.findall(
                    r"(?<![A-Za-z\\])[A-Za-z](?![A-Za-z])",
                    re.sub(r"_\{?\w+\}?", "", match["dims"] or ""),
                )
            )
        self.sizes -= self.letters - {"n", "m"}
        self.sizes -= {name.base for name in names if name.bold}  # a vector h beside a size h
        vectors = {n.base for n in names if n.bold and self.runs(n)}
        vectors |= {
            node.parts[0].base
            for node in nodes
            if isinstance(node, Combined)
            and node.operation == "T"
            and isinstance(node.parts[0], Named)
            and self.runs(node.parts[0])
        }
        self.layers = layer_letters(self.terms, self.letters, sums) if self.by_letter else {}
        self.sorted.clear()
        self.split = {base for base in vectors if base[0].islower() and len(base) == 1}

    def set_apart(self) -> None:
        """Find the places with a letter that no sum reaches, such as ``u_o`` beside the ``u_k``.

        Where a quotient divides by a sum over such names, as a softmax does, the sum has all of
        them.
        """
        divided = {
            node.base
            for term in (*self.terms, *(d.body for one in self.definitions.values() for d in one))
            for quotient in every(term)
            if isinstance(quotient, Combined) and quotient.operation == "/"
            for total in every(quotient.parts[1])
            if isinstance(total, Over)
            for node in every(total)
            if isinstance(node, Named)
        }
        for letter in self.fixed - self.summed:
            bases = {n.base for t in self.terms for n in every(t)
                     if isinstance(n, Named) and letter in {i.text for i in n.places}}  # fmt: skip
            if bases and not bases & divided:
                self.alone.add(letter)

    @cached_property
    def given_places(self) -> dict[str, int]:
        """The places of indices of one place; to be used once all definitions are read."""
        known = (one.body for some in self.definitions.values() for one in some)
        return given_places(self.fixed, known)

    @cached_property
    def samples(self) -> frozenset[str]:
        """The letters of drawn examples; to be used once the text is settled."""
        return drawn(self.terms) - self.bases

    def epoch(self, order: int) -> int:
        """Return how many names were defined once more up to a place of the text."""
        if order not in self.epochs:
            again = [one for known in self.definitions.values() for one in known[1:]]
            self.epochs[order] = sum(one.order <= order for one in again)
        return self.epochs[order]

    def is_index(self, base: str, place: tuple[bool, int], index: Index) -> bool:
        """Whether an index of a name runs, and is not part of its name."""
        if index.text in self.letters or (
            index.summands and self.letters.issuperset(index.summands)
        ):
            return True
        if CLASS.fullmatch(index.text):
            return index.text[0] in self.samples or place in self.running.get(base, ())
        runs = (index.text.isdigit() and len(index.text) == 1) or index.text in ("L", "T", "N", "K")
        return runs and place in self.running.get(base, ())

    @property
    def running(self) -> dict[str, set[tuple[bool, int]]]:
        """The places of each name where a letter that runs stands."""
        found = self.__dict__.get("_running")
        if found is None:
            found = {}
            for term in self.terms:
                for node in every(term):
                    if isinstance(node, Named):
                        for place, index in placed(node):
                            if index.text in self.letters:
                                found.setdefault(node.base, set()).add(place)
            self.__dict__["_running"] = found
        return found

    def key(self, name: Named) -> tuple[str, tuple[str, ...]]:
        """Return a name with those of its indices that belong to it."""
        return self.parted(name)[0]

    def runs(self, name: Named) -> list[Index]:
        """Return the indices of a name that run."""
        return self.parted(name)[1]

    def recurs(self, base: str) -> bool:
        """Whether a name is defined from itself one time or layer before, or from another such."""
        known = self.definitions.get(base, ())
        bodies = [one.body for one in known]
        for key in {key for one in known for key in self.behind(self.key(one.name))}:
            bodies += [one.body for one in self.definitions.get(key[0], ())]
        nodes = (node for body in bodies for node in every(body) if isinstance(node, Named))
        return any(node.base == base and any(i.offset for i in node.places) for node in nodes)

    @cached_property
    def rounds(self) -> frozenset[str]:
        """The letters of times: those by which names are defined from themselves.

        To be used once all definitions are read.
        """
        known = [one for base in self.definitions if self.recurs(base)
                 for one in self.definitions[base]]  # fmt: skip
        shifted = {
            node.text
            for one in known
            for node in every(one.body)
            if isinstance(node, Index) and node.offset
        }
        return frozenset(i.text for one in known for i in one.name.places if i.text in shifted)

    @cached_property
    def timed(self) -> frozenset[tuple[str, tuple[str, ...]]]:
        """The names whose first index is a time, in a text that goes from each time to the next.

        To be used once all definitions are read.
        """
        known = [one for some in self.definitions.values() for one in some]
        offsets = {
            index.offset
            for one in known
            for index in every(one.body)
            if isinstance(index, Index) and index.text in self.rounds
        }
        if any(offset > 0 for offset in offsets):
            return frozenset()
        return frozenset(
            self.key(one.name)
            for one in known
            if (runs := self.runs(one.name)) and runs[0].text in self.rounds and not runs[0].offset
        )

    def behind(self, key: tuple[str, tuple[str, ...]]) -> set[tuple[str, tuple[str, ...]]]:
        """Return the names that a name is computed from."""
        found: set[tuple[str, tuple[str, ...]]] = set()
        waiting = [key]
        while waiting:
            here = waiting.pop()
            for one in self.definitions.get(here[0], ()):
                if self.key(one.name) != here:
                    continue
                for node in every(one.body):
                    if isinstance(node, Named) and self.key(node) not in found:
                        found.add(self.key(node))
                        waiting.append(self.key(node))
        return found

    def sources(self, key: tuple[str, tuple[str, ...]]) -> frozenset[object] | None:
        """Return the names that a value depends on, itself included; None where that is open.

        To be used once all definitions are read.
        """
        known = self.__dict__.setdefault("_sources", {})
        if key not in known:
            known[key] = self._sources_of(key)
        found: frozenset[object] | None = known[key]
        return found

    def _sources_of(self, key: tuple[str, tuple[str, ...]]) -> frozenset[object] | None:
        found = {key, *self.behind(key)}
        for base, labels in list(found):
            small = base.lower()
            if small != base and small in self.bases:
                found |= {
                    (small, labels),
                    (small, ()),
                    (small, ("alone",)),
                }  # X has the x_i as rows
            for one in self.definitions.get(base, ()):
                if any(
                    isinstance(node, (Called, Slope))
                    and (
                        isinstance(node, Slope) or node.function.partition("|")[0] in self.functions
                    )
                    for node in every(one.body)
                ):
                    return None
        return frozenset(found)

    def parted(self, name: Named) -> tuple[tuple[str, tuple[str, ...]], list[Index]]:
        """Return a name with those of its indices that belong to it, and those that run."""
        found = self.sorted.get(name)
        if found is not None:
            return found
        labels = tuple(
            f"{index.text}{index.offset or ''}"
            for place, index in placed(name)
            if not self.is_index(name.base, place, index)
        )
        runs = [index for place, index in placed(name) if self.is_index(name.base, place, index)]
        if self.by_letter:
            at = (index.text for index in runs if index.text in self.letters)
            labels += tuple(self.layers.get(letter, letter) for letter in at)
        if not runs and name.base in self.split:
            labels = (*labels, "alone")
        self.sorted[name] = (name.base, labels), runs
        return self.sorted[name]

    def evidence(self) -> dict[tuple[str, tuple[str, ...]], tuple[int, bool]]:
        """Return the least rank of every name, and whether it is certain."""
        found: dict[tuple[str, tuple[str, ...]], tuple[int, bool]] = {}

        def at_least(name: Named, rest: int, certain: bool) -> None:
            key = self.key(name)
            rank = len(self.runs(name)) + rest
            old, sure = found.get(key, (0, False))
            found[key] = (max(old, rank), sure or certain)

        declared = self.declared()
        alone = {
            node.base
            for term in self.terms
            for node in every(term)
            if isinstance(node, Named) and not node.places
        }
        for term in self.terms:
            for node in every(term):
                if isinstance(node, Named):
                    at_least(node, 0, False)
                    if node.bold and node.base not in declared:
                        rest = 2 if node.base[0].isupper() and len(node.base) == 1 else 1
                        indexed = bool(self.runs(node)) and node.base in alone
                        at_least(node, 0 if indexed and rest == 1 else rest, not indexed)
                    elif node.base in declared:
                        rank = declared[node.base]
                        at_least(node, rank if not self.runs(node) or rank == 1 else 0, True)
                elif isinstance(node, Combined) and node.operation == "T":
                    if isinstance(node.parts[0], Named):
                        inner = node.parts[0]
                        upper = inner.base[0].isupper() or inner.base in ("Sigma", "Theta")
                        at_least(inner, 2 if upper and not self.runs(inner) else 1, True)
                elif isinstance(node, Combined) and node.operation == "*":
                    row, column = node.parts[0], node.parts[1]
                    if is_vector_product(row, column):
                        at_least(column, 1, True)  # type: ignore[arg-type]
                elif isinstance(node, Called) and node.function in ("tr", "det", "logdet"):
                    for name in every(node):
                        if isinstance(name, Named) and name.base[0].isupper():
                            at_least(name, 2, True)
                elif isinstance(node, Called) and node.function == "N.cal":
                    *ends, spread = node.arguments
                    if isinstance(spread, Named) and spread.base[0].isupper():
                        at_least(spread, 2, True)
                        for one in ends:
                            if isinstance(one, Named):
                                at_least(one, 1, True)
                elif isinstance(node, Called) and node.function in ("norm", "norm1"):
                    of = node.arguments[0]
                    if isinstance(of, Named) and not self.runs(of):
                        at_least(of, 2 if of.base[0].isupper() else 1, True)
                elif isinstance(node, Called) and node.function == "softmax":
                    inner_term = node.arguments[0]
                    if isinstance(inner_term, Named) and not self.runs(inner_term):
                        at_least(inner_term, 1, True)
        return found

    def numbers(self) -> set[str]:
        """Return the capital letters that stand beside an entry: the T of ``(T - y_k)^2``."""
        found: set[str] = set()
        for term in self.terms:
            for node in every(term):
                if not (isinstance(node, Combined) and node.operation == "+"):
                    continue
                sides = (part for one in node.parts for part in (one, *parts(one)))
                names = [one for one in sides if isinstance(one, Named) and not one.bold]
                if any(self.runs(one) for one in names):
                    found |= {one.base for one in names if not one.places and one.base.isupper()}
        return found - self.declared().keys()

    def declared(self) -> dict[str, int]:
        r"""Return the ranks that the text states: ``x \\in \\mathbb{R}^n``."""
        found: dict[str, int] = {}
        for match in _SPACE.finditer(self.text):
            dims = match["dims"] if match["dims"] is not None else match["one"]
            if dims is None:
                rank = 0
            else:
                parts = [p for p in re.split(r"\\times|×|x(?=\s)|\*", dims) if p.strip()]
                rank = len([p for p in parts if p.strip() != "1"])
            before = self.text[max(0, match.start() - REACH) : match.start()]
            for part in reversed(before.split(",")):
                name = _LAST_NAME.search(part)
                if name is None:
                    break
                word = (name["within"] or name["plain"]).lstrip("\\")
                if len(word) == 1 or word in GREEK:
                    found[word] = rank
                if part[: name.start()].strip(" $"):
                    break
        return found


def gradients(terms: Iterable[Term]) -> dict[str, list[Named]]:
    """Return, per name that is differentiated, what it is differentiated by."""
    found: dict[str, list[Named]] = {}
    for term in terms:
        for node in every(term):
            if isinstance(node, Slope) and isinstance(node.of, Named):
                found.setdefault(node.of.base, []).extend(node.wrt)
    return found
