"""Typesetting of names: base, accent, subscript and layer."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε", "eta": "η",
    "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ",
    "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip

PIECES = re.compile(r"[0-9]+|[+-]|[^\s\d+-]\S*")
"""The parts of a size: numbers, signs and names."""

_LETTERS = {glyph: name for name, glyph in GREEK.items()}
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
_HATS = {"hat": "\u0302", "bar": "\u0304", "tilde": "\u0303"}
_NAME = re.compile(r"(?P<base>[^_^']+?)(?P<digits>\d*)(?P<rest>(?:[_^'].*)?)$", re.DOTALL)


@dataclass(frozen=True)
class NameParts:
    """The pieces of a name.

    Parameters
    ----------
    base : str
        One letter or a word, Greek as its glyph.
    accent : str
        ``"hat"``, ``"bar"``, ``"tilde"`` or nothing.
    sub, layer, primes : str
        What hangs below, the layer in ``a^[1]``, and the primes.
    tight : bool
        Whether the subscript was written without a mark, as in ``W1``.
    """

    base: str
    accent: str = ""
    sub: str = ""
    layer: str = ""
    primes: str = ""
    tight: bool = False

    def unicode(self) -> str:
        """Set the name as a line of text."""
        text = self.base + (_HATS[self.accent] if self.accent else "")
        text += (self.sub if self.tight else "") + self.primes
        if self.layer:
            text += f"^[{self.layer}]"
        grouped = f"{{{self.sub}}}" if set("+-") & set(self.sub) else self.sub
        return text + (f"_{grouped}" if self.sub and not self.tight else "")

    def latex_base(self) -> str:
        """Set the base with its accent in LaTeX."""
        if self.base in _LETTERS:
            base = "\\" + _LETTERS[self.base]
        elif len(self.base) == 1:
            base = self.base
        elif len(self.base) == 2 and self.base[0] == "d":
            base = rf"\mathrm{{d}}{self.base[1]}"
        else:
            base = rf"\mathit{{{self.base}}}"
        return (rf"\{self.accent}{{{base}}}" if self.accent else base) + self.primes

    def lowered(self) -> NameParts:
        """Return the name of an entry of a vector: a_i is an entry of A."""
        base = self.base.lower() if len(self.base) == 1 else self.base
        if len(self.base) == 2 and self.base[0] == "d":
            base = "d" + self.base[1].lower()
        return replace(self, base=base)


KEPT = 4096
"""The number of names whose parts stay in memory: every line of a derivation has the same few."""


@lru_cache(KEPT)
def name_parts(written: str) -> NameParts:
    r"""Take a written name apart.

    >>> name_parts("yhat")
    NameParts(base='y', accent='hat', sub='', layer='', primes='', tight=False)
    >>> name_parts("W^[2]").layer, name_parts(r"\\hat{y}_1").sub
    ('2', '1')
    """
    text = written.translate(_SUBSCRIPTS).replace("{", "").replace("}", "")
    text = re.sub(r"\\(hat|bar|tilde)\s*", r"\\\1 ", text)
    accent = ""
    for name, mark in _HATS.items():
        if text.startswith(f"\\{name} "):
            accent, text = name, text.removeprefix(f"\\{name} ")
        elif mark in text:
            accent, text = name, text.replace(mark, "")
    composed = {"ŷ": "y", "â": "a", "ẑ": "z", "ŵ": "w", "x̂": "x", "b̂": "b"}
    for glyph, letter in composed.items():
        if text.startswith(glyph):
            accent, text = "hat", letter + text.removeprefix(glyph)
    text = text.lstrip("\\")
    match = _NAME.match(text)
    if match is None:
        return NameParts(written)
    base, digits, rest = match["base"], match["digits"], match["rest"]
    for name in _HATS:
        if not accent and base.endswith(name) and len(base) > len(name):
            accent, base = name, base.removesuffix(name)
    layer = "".join(re.findall(r"\^\(?\[([^\]]*)\]", rest))
    sub = digits + "".join(re.findall(r"_([^_^']*)", rest))
    tight = bool(digits) and sub == digits and written[-1].isascii()
    return NameParts(GREEK.get(base, base), accent, sub, layer, "'" * rest.count("'"), tight)
