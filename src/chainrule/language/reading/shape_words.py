r"""The words and signs of declarations, as patterns: spaces, sizes, kinds of shapes.

The texts that they search are flattened (`declarations.flattened`): ``\times`` is ``×`` there.
"""

from __future__ import annotations

import re
from enum import Enum

FACTS = ("symmetric", "diagonal", "orthogonal", "triangular", "positive definite", "one-hot")
"""Words that state a fact about a matrix, which must not be dropped in silence."""


class ShapeKind(Enum):
    """The kind of a shape whose sizes are open; the value is the phrase that declares it."""

    SCALAR = "a scalar"
    COLUMN = "a column vector"
    ROW = "a row vector"
    MATRIX = "a matrix"


BLANKS = re.compile(
    r"\$|~|\\(?:left|right|big|Big|bigl|bigr|displaystyle|quad|qquad)(?![A-Za-z])|\\[,;:! ()\[\]]"
)
REWRITTEN = (
    (re.compile(r"\\times(?![A-Za-z])"), "×"),
    (re.compile(r"\\in(?![A-Za-z])"), "∈"),
    (re.compile(r"\\colon(?![A-Za-z])"), ":"),
    (re.compile(r"\\(?:to|rightarrow|longrightarrow)(?![A-Za-z])"), "→"),
    (re.compile(r"->|=>|⟶|⇒"), "→"),
    (
        re.compile(
            r"\{?\\(?:mathbb|mathbf|mathrm|mathcal|Bbb|bf)\s*(?:\{\s*R\s*\}|R)\}?"
            r"|\\(?:R|reals|Reals|real)(?![A-Za-z])"
        ),
        "ℝ",
    ),
    (re.compile(r"\\(?=[{}])"), ""),
)
WORDED = re.compile(r"\\(?:text|textrm|textit|textbf|mathrm|mbox)\s*\{([^{}]*)\}")

SIGN = re.compile(
    r"\s*(?:(?P<sized>\.shape\s*)(?:={1,2}|:)"
    r"|(?P<equals>:=|=(?!=))"
    r"|(?P<colon>:|\s--+\s|\s[—–]\s)"
    r"|(?P<member>∈|\bin\b(?=\s*(?:ℝ|R\b|R\s*\^|\{|\[)))"
    r"|(?P<verb>\b(?:is|are|be|being|has|have|denotes?|represents?)\b"
    r"|\ban?\b(?=[^=,;]*\b(?:vectors?|matrix|matrices|scalar|number)\b)|(?<=\s)(?=\w+-vectors?\b)))"
)
SIZED = re.compile(r"\s*(?:shape|dims?|size|dimensions?)\s*(?:of\s+|\(\s*)", re.IGNORECASE)
DIRECT = re.compile(
    r"\s*\(([^()]*[,×][^()]*|[^()]*\s(?:x|by)\s[^()]*|\s*(?:\d+|[a-zA-Z])x(?:\d+|[a-zA-Z])\s*)\)"
    r"(?!\s*(?::=|[=^*/@+'(]|\.[T*]))"
)
CALLED = re.compile(r"\([^()]*\)\s*(?P<sign>:=|=(?!=))")
UNDER = re.compile(r"([^\W\d_]\w*?)_\{([^{}]*×[^{}]*)\}\s*$")
BETWEEN_NAMES = re.compile(r"\s*(?:,\s*and\b|,|\band\b|&)\s*")

TERM = r"(?:\d+|[^\W\d_]+(?:_\w+|_\{[^{}]*\})?(?:\^\{?[\[(][^\])]*[\])]\}?|\^\{[^{}]*\})?)"
SIZE = rf"(?:{TERM}(?:\s*[+−-]\s*{TERM})*)"
SPACE = re.compile(
    r"(?:ℝ|(?<![\w\\])R(?=\s*\^|\s*$|\s*[,;.)]|[⁰¹²³⁴-⁹ᵃ-ᶿⁱⁿˡʰ-ʸˠ-ˤᴬ-ᵂ]|\s+\w)"
    r"|\{\s*(?:0\s*,\s*1|[−-]\s*1\s*,\s*(?:0\s*,\s*)?\+?1|±\s*1|[01]\s*,\s*(?:…|\.\.\.?|\\[lc]?dots)"
    r"[^{}]*)\s*\}|[\[(]\s*[−-]?[01]\s*,\s*1\s*[\])])"
    r"(?:\s*_\s*(?:\{[^{}]*\}|[+>≥0]+))?(?:\s*\+(?=\s*\^))?"
)
RAISED = re.compile(
    r"\s*\^\s*(?:\{(?P<braced>(?:[^{}]|\{[^{}]*\})*)\}|\((?P<round>[^()]*)\)"
    rf"|(?P<bare>{TERM}(?:\s*×\s*{TERM})?))"
)
MODIFIERS = re.compile("[⁰¹²³⁴-⁹⁺⁻ᵃ-ᶿˡⁱⁿʰ-ʸˠ-ˤᴬ-ᵂ⁽⁾]+")
GROUP = re.compile(r"[(\[]([^()\[\]]*(?:\[[^\]]*\][^()\[\]]*)*)[)\]]")
BY = re.compile(rf"(?<![\w^}}])({SIZE})\s*(?:×|\*|\bby\b|-by-|\bx\b)\s*({SIZE})(?![\w])")
JOINED_BY = re.compile(r"(?<![\w^])(\d+|[a-zA-Z])x(\d+|[a-zA-Z])(?!\w)")
LONG = (
    re.compile(
        rf"(?:of\s+|with\s+)?\b(?:length|dimension(?:ality)?|dim|size)\b\s*(?:=|is)?\s*({SIZE})"
    ),
    re.compile(rf"(?<![\w^])({SIZE})\s*(?:-\s*|\s+)(?:dimensional|dim)\b"),
    re.compile(rf"(?<![\w^])({SIZE})-vectors?\b"),
    re.compile(
        rf"(?:with|of|has|having)?\s*({TERM})\s+(?:entries|elements|components|coordinates|dimensions)"
    ),
)
ARROW = re.compile(r"(?:,?\s*→|,?\s*\bbroadcast(?:s|ed)?\s+to\b)\s*(?:shape\s+)?(.*)$")
BETWEEN = re.compile(r"[,×]|\s+x\s+|\bby\b")
CARDINAL = re.compile(r"\|\s*([^\W\d]\w*)\s*\|")  # |V|, the size of a set
KINDS = (
    (ShapeKind.ROW, re.compile(r"\brow(?:[ -]vectors?)?\b(?!\s+per\b)", re.IGNORECASE)),
    (ShapeKind.COLUMN, re.compile(r"\b(?:column[ -])?vectors?\b", re.IGNORECASE)),
    (ShapeKind.MATRIX, re.compile(r"\b(?:matrix|matrices)\b", re.IGNORECASE)),
    (
        ShapeKind.SCALAR,
        re.compile(r"\b(?:scalars?|(?:real |single |one )?numbers?|reals?|constants?)\b"),
    ),
)
SHAPELY = re.compile(
    r"[×ℝ∈]|\b(?:vectors?|matrix|matrices|scalars?|shapes?|sizes?|dimension\w*|length|by)\b"
)
FACT = re.compile("|".join(word.replace("-", "[ -]?") for word in FACTS), re.IGNORECASE)
JOINING = re.compile(
    r"\b(?:a|an|the|of|with|shape|size|dimensions?|has|have|in|real|valued|its|is|are|each|and|both"
    r"|square|column|as|by|to|each)\b"
)
WORDS = re.compile(r"[\w\s,.;:'’()/%&-]*")

ARTICLE = re.compile(r"\s*(?:(?:an?|[Tt]he|real|[Ll]et)\s+)+(?=\w{2})")
KIND_FIRST = re.compile(
    r"(?:(?P<kind>(?:(?:row|column)[ -]vectors?|vectors?|matrix|matrices|scalars?|numbers?))"
    rf"|(?P<sized>{SIZE}\s*(?:×|by|x)\s*{SIZE}\s+matri(?:x|ces)))\s+(?!in\b|of\b|with\b|and\b)"
)
"""A kind before the names that have it: "the scalars b, c"."""

RESERVED = frozenset(
    {"vector", "vectors", "matrix", "matrices", "scalar", "scalars", "number", "numbers", "row"}
    | {"column", "shape", "size", "is", "are", "in", "of", "with", "and", "where", "the", "length"}
)
"""Words that name nothing, whatever sign follows."""
