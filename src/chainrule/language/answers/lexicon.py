r"""The meaning of a name in an answer: a symbol, a part of one, or the gradient of one.

People do not keep to the letters of the exercise. ``a`` is written for ``A``, ``yhat`` for the
output, ``W1`` for ``W^{[1]}``, ``dZ`` for the gradient at ``Z``, ``X_p^{(i)}`` for an entry and
``wx`` for a product. Every reading here is one that the exercise's own names leave open: a name
that was declared always means itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Symbol, symbols, walk
from chainrule.language.reading.names import canonical

LABELS = ("y", "Y", "t", "T")
OUTPUTS = ("yhat", "Yhat", "ahat", "phat", "p", "P", "a", "A", "h", "H", "o", "O")
"""Usual letters for the output of a network, where they are unused."""

_SCORES = re.compile(r"[ZzUu][_^]?\[?(\d)\]?")
LOSSES = frozenset({"L", "J", "E", "C", "l", "loss", "Loss", "cost", "Cost"})
"""Letters for the objective in ``dL_dw``, where no value has that name."""

LONG_NAMES = {"w": ("weights", "weight"), "W": ("weights", "weight"), "b": ("bias", "biases")}
"""What ``dw`` and ``db`` are with respect to, where no value is called w or b."""

_LAYER = re.compile(r"\[([^\]]*)\]")
_PART = re.compile(r"\^(\[[^\]]*\])|\^?\(([^)]*)\)|_([^_^'(]+)")
_SQUARE = re.compile(r"(.+?)\s*(?:\^\s*(?:2|\{\s*2\s*\})|²)\s*$")
_STEM = re.compile(r"[^_^']+")


@dataclass(frozen=True)
class NameMeaning:
    """The meaning of a name: a symbol, or a part of one.

    Parameters
    ----------
    symbol : Symbol
        Which.
    below : tuple of str
        The indices written below, letters or numbers.
    example : str
        The example written above in brackets, ``(i)``.
    of : Symbol or None
        The variable of differentiation, where a derivative is meant: ``dz_dw``, ``dW``.
    """

    symbol: Symbol
    below: tuple[str, ...] = ()
    example: str = ""
    of: Symbol | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it is a symbol itself, and neither a part nor a derivative."""
        return not (self.below or self.example) and self.of is None


@dataclass(frozen=True)
class Lexicon:
    """The names of one forward pass, and the other names that answers use for them.

    Parameters
    ----------
    model : Model
        With the names that nested values got.
    local : mapping of str to Symbol
        Names that the answer itself introduced, by canonical form.
    layer : int or None
        What ``l`` stands for in a line about every layer.
    """

    model: Model
    local: Mapping[str, Symbol] = field(default_factory=dict)
    layer: int | None = None

    @cached_property
    def scope(self) -> dict[str, Symbol]:
        """Every symbol by its canonical name."""
        return {spelled(s.name): s for s in self.model.symbols} | dict(self.local)

    @property
    def layers(self) -> tuple[int, ...]:
        """The numbers of the layers in the names."""
        found: set[int] = set()
        for symbol in self.model.symbols:
            _, number = _numbered(spelled(symbol.name))
            if number.isdigit():
                found.add(int(number))
        return tuple(sorted(found))

    def find(self, name: str) -> NameMeaning | None:
        """Return the meaning of a canonical name; None where it has none."""
        name = self._at_layer(name)
        return self._part(name) or self._gradient(name)

    def _score(self, name: str) -> Symbol | None:
        """Return the scores of a layer by its number, Z2 beside A2, where they have no name."""
        match = _SCORES.fullmatch(name)
        if match is None:
            return None
        values = self.model.values
        for letter in "AaHh":
            above = self._loosened(letter + match[1], exact=True)
            value = None if above is None else values.get(above)
            if isinstance(value, Apply) and value.op.activation and value.args[0] in values:
                inner = value.args[0]
                return inner if isinstance(inner, Symbol) else None
        return None

    def declared(self) -> frozenset[str]:
        """Canonical names that are declared, and so have no other meaning."""
        return frozenset(self.scope)

    def _at_layer(self, name: str) -> str:
        """Replace ``l``, ``l+1`` and ``L`` by numbers."""

        def number(match: re.Match[str]) -> str:
            inner = match[1].replace(" ", "")
            if inner == "L" and self.layers:
                return f"[{self.layers[-1]}]"
            if inner == "L-1" and self.layers:
                return f"[{self.layers[-1] - 1}]"
            found = re.fullmatch(r"l(?:([+-])(\d))?", inner)
            if found and self.layer is not None:
                shift = int(found[2] or 0) * (-1 if found[1] == "-" else 1)
                return f"[{self.layer + shift}]"
            return match[0]

        return _LAYER.sub(number, name)

    def _part(self, name: str) -> NameMeaning | None:
        scope = self.scope
        if name in scope:
            return NameMeaning(scope[name])
        square, _, place = name.partition("^2_")
        if place and f"{square}^2" in scope:
            squared = scope[f"{square}^2"]
            wanted = sum(dim != 1 for dim in squared.shape)
            return NameMeaning(squared, tuple(_places(place, wanted)))
        stem = _STEM.match(name)
        if stem is None:
            return None
        base, below, example = stem[0], [], ""
        pieces = list(_PART.finditer(name, stem.end()))
        if sum(len(p[0]) for p in pieces) + stem.end() != len(name):
            return None
        for piece in pieces:
            if piece[1]:
                base += f"^{piece[1]}"
            elif piece[2]:
                example = piece[2]
            else:
                below.append(piece[3])
        if base not in scope and below:  # W_2 and W_{2,ij}, where W2 was declared
            number, _, rest = below[0].partition(",")
            numbered = self._loosened(base + number, exact=base.swapcase() in scope)
            if numbered is not None:
                below = [part for part in (rest, *below[1:]) if part]
                if not (below or example):
                    return NameMeaning(numbered)
                base = canonical(numbered.name)
        whole = self._symbol(base)
        if whole is not None and (below or example):
            wanted = sum(dim != 1 for dim in whole.shape) - bool(example)
            places = tuple(place for part in below for place in _places(part, wanted))
            if all(_is_place(place) for place in (*places, example) if place):
                return NameMeaning(whole, places, example)
        if not example:
            loose = self._loosened(name) or (None if below else whole)
            if loose is not None:
                return NameMeaning(loose)
        return None

    def _symbol(self, name: str) -> Symbol | None:
        """Return a symbol by its stem: exact, by other letters, or as the output."""
        scope = self.scope
        found = scope.get(name) or self._loosened(name)
        if found is None and name in OUTPUTS:
            found = self.output()
        return found

    def _loosened(self, name: str, *, exact: bool = False) -> Symbol | None:
        """Return the one symbol whose name differs in case or in the notation of its number."""
        swapped = () if exact else (lambda text: _loose(text).swapcase(),)
        for key in (_loose, _case_swapped, *swapped):
            wanted = key(name)
            found = [s for known, s in self.scope.items() if _loose(known) == wanted]
            if len(found) == 1:
                return found[0]
        return None

    def output(self) -> Symbol | None:
        """Return the output of the network, which the objective compares with the labels."""
        values = self.model.values
        seen: set[Symbol] = set()
        pending = [self.model.objective]
        while pending:
            value = values.get(pending.pop())
            if value is None:
                return None
            used = [n for n in walk(value) if isinstance(n, Symbol) and n in values]
            fresh = [n for n in used if n not in seen]
            seen.update(fresh)
            activated = [n for n in fresh if _is_activated(values[n])]
            if len(activated) == 1:
                return activated[0]
            if activated:
                return None
            pending.extend(fresh)
        return self._beside_labels()

    def _beside_labels(self) -> Symbol | None:
        """Return the one value of the shape of the labels in a term with them."""
        inside = symbols(self.model.values[self.model.objective])
        labels = [s for s in inside & set(self.model.inputs) if s.name in LABELS]
        if len(labels) != 1:
            return None
        found = [s for s in inside if s in self.model.values and s.shape == labels[0].shape]
        return found[0] if len(found) == 1 else None

    def _gradient(self, name: str) -> NameMeaning | None:
        """Parse ``dZ``, ``grad_w``, ``dL_dw``, ``da_dz`` and ``delta^[l]`` as derivatives."""
        if name in ("grad", "gradient") and len(parameters := self.model.parameters()) == 1:
            return NameMeaning(parameters[0], of=self.model.objective)
        for prefix in ("grad_", "d_", "d"):
            if name.startswith(prefix) and len(name) > len(prefix):
                found = self._by(name[len(prefix) :], self.model.objective)
                if found is not None:
                    return found
        if name[0] == "d":
            for match in re.finditer("_?d", name[2:]):
                above = self._part(name[1 : match.start() + 2])
                if above is None and name[1 : match.start() + 2] in LOSSES:
                    above = NameMeaning(self.model.objective)
                if above is not None and not (above.below or above.example):
                    found = self._by(name[match.end() + 2 :], above.symbol)
                    if found is not None:
                        return found
        return self._delta(name) if name.startswith("delta") else None

    def _by(self, name: str, of: Symbol) -> NameMeaning | None:
        found = self._part(name) if name else None
        if found is None and (scores := self._score(name)) is not None:
            found = NameMeaning(scores)
        if found is None and name in LONG_NAMES:
            whole = next((w for w in LONG_NAMES[name] if w in self.scope), None)
            found = None if whole is None else NameMeaning(self.scope[whole])
        if found is None or found.symbol in self.local.values():
            return None
        return replace(found, of=of)

    def _delta(self, name: str) -> NameMeaning | None:
        """Parse ``δ^[l]``, ``δ_z``, ``δ_o``, the errors of a network: gradients at its scores."""
        rest = name.removeprefix("delta")
        objective = self.model.objective
        if rest[:1] == "_" and (found := self._by(rest[1:], objective)) is not None:
            return found
        layered = re.fullmatch(r"\^\((\d)\)(.*)|_?(\d)()", rest)
        forms = [rest]
        if layered:
            forms.insert(0, f"^[{layered[1] or layered[3]}]{layered[2] or ''}")
        for form in forms:
            for letter in ("z", "Z", "s", "S", "u", "a"):
                if (found := self._by(letter + form, objective)) is not None:
                    return found
        return None


def _is_activated(value: object) -> bool:
    return isinstance(value, Apply) and value.op.activation


def _loose(name: str) -> str:
    """Return a name without the marks around its number."""
    return re.sub(r"[\^_\[\]]", "", name)


def _case_swapped(name: str) -> str:
    """Return a name with the case of its first letter swapped."""
    loose = _loose(name)
    return loose[:1].swapcase() + loose[1:]


@lru_cache(4096)
def spelled(text: str) -> str:
    """Return the canonical form of a name, which may be a square: ``σ^2``, ``s²``.

    Raises
    ------
    ValueError
        When the text is not a name.
    """
    if match := _SQUARE.match(text):
        return f"{canonical(match[1])}^2"
    return canonical(text)


def _numbered(name: str) -> tuple[str, str]:
    """Split ``W^[1]``, ``W_1`` and ``W1`` into the letter and the number."""
    match = re.fullmatch(r"([^\W\d_]+)[\^_]?\[?(\d*)\]?", name)
    return (match[1], match[2]) if match else (name, "")


def _places(text: str, wanted: int) -> Iterable[str]:
    """Split subscripts: ``p,i`` at the commas, ``pi`` into letters where two are wanted."""
    if "," in text:
        return [part for part in text.split(",") if part]
    if wanted == 2 and len(text) == 2:
        return list(text)
    return [text]


def _is_place(text: str) -> bool:
    return text.isdigit() or re.fullmatch(r"[^\W\d_]\d?", text) is not None or text in ("ell",)


def shaped(symbol: Symbol) -> bool:
    """Whether a symbol is not a scalar."""
    return symbol.shape != SCALAR
