r"""Tokens of posted mathematics: letters, commands, numbers and words.

Layout is removed, Unicode signs become commands, ``\operatorname{tr}`` becomes a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

WORDS = {
    "log": "log", "ln": "log", "exp": "exp", "tanh": "tanh", "sin": "sin", "cos": "cos",
    "sqrt": "sqrt", "tr": "tr", "Tr": "tr", "trace": "tr", "Trace": "tr", "det": "det",
    "diag": "diag", "Diag": "diag", "softmax": "softmax", "Softmax": "softmax",
    "sigmoid": "sigmoid", "Sigmoid": "sigmoid", "sigm": "sigmoid", "logistic": "sigmoid",
    "relu": "relu", "ReLU": "relu", "Relu": "relu", "softplus": "softplus", "sum": "sum",
    "sign": "sign", "sgn": "sign", "max": "max", "min": "min", "abs": "abs", "cosh": "cosh",
    "sinh": "sinh", "vec": "vec", "logdet": "logdet", "mean": "mean", "CE": "crossentropy",
    "CrossEntropy": "crossentropy", "BCE": "bce", "sym": "sym", "Sym": "sym",
    "rowsum": "rowsum", "rowSum": "rowsum", "sumrow": "rowsum", "colsum": "colsum",
}  # fmt: skip
"""Words of functions, and the function of each."""

_SIGNS = {
    "∂": r"\partial ", "∇": r"\nabla ", "Σ_": r"\sum_", "∑": r"\sum ", "Σ": r"\Sigma ",
    "·": r"\cdot ", "⋅": r"\cdot ",
    "×": r"\times ", "−": "-", "–": "-", "⊙": r"\odot ", "∘": r"\odot ", "ᵀ": r"^\top ",
    "⊤": r"\top ", "≠": r"\neq ", "²": "^2", "³": "^3", "√": r"\sqrt ", "∏": r"\prod ",
    "≤": r"\le ", "≥": r"\ge ", "′": "'", "’": "'", "∈": r"\in ", "‖": r"\|", "ℓ": r"\ell ",
    "α": r"\alpha ", "β": r"\beta ", "γ": r"\gamma ", "δ": r"\delta ", "ε": r"\epsilon ",
    "η": r"\eta ", "θ": r"\theta ", "λ": r"\lambda ", "μ": r"\mu ", "ν": r"\nu ", "π": r"\pi ",
    "ρ": r"\rho ", "σ": r"\sigma ", "τ": r"\tau ", "φ": r"\phi ", "ψ": r"\psi ", "ω": r"\omega ",
    "ŷ": r"\hat{y}", "ᵢ": "_i", "ⱼ": "_j", "ₖ": "_k",
    "ₙ": "_n", "ₘ": "_m", "ₗ": "_l", "ₜ": "_t", "⁻¹": "^{-1}",
    **{sign: f"_{digit}" for digit, sign in enumerate("₀₁₂₃₄₅₆₇₈₉")},
}  # fmt: skip
_SUM_SIGN = re.compile(r"Σ(?=\s*[_ᵢⱼₖₙₘₗₜ])")
"""A capital sigma with an index below, which is a sum."""

_DROPPED = re.compile(
    r"\\(?:left|right|[bB]ig{1,2}[lrm]?|displaystyle|textstyle|limits|nolimits|quad|qquad|hfill"
    r"|nonumber|notag|bf|rm|it|mathopen|mathclose|middle)(?![A-Za-z])"
    r"|\\(?:tag|label|vphantom|hphantom|phantom)\s*\{[^{}]*\}|\\color\s*\{[^{}]*\}"
    r"|(?<!\\)\\[,;:!> ]|~|\$|\\[()\[\]]|\\(?:begin|end)\s*\{(?!cases)[a-z]+\*?\}(?:\{[lcr|]*\})?"
)
_SPELLED = (
    (re.compile(r"(?<![A-Za-z}])\s*\(\s*(?:\\(?:text|mbox|textrm)\s*\{[^{}]*\})?\s*\)"), " "),
    (re.compile(r"[\^_]?(?<!\\)\{\s*\}"), " "),
    (re.compile(r"\\_"), "_"),
    (re.compile(r"\\hspace\s*\{[^{}]*\}"), " "),
    (re.compile(r"(\\[A-Za-z]+)\*(?=\{)"), r"\1_"),  # an index that Markdown took for emphasis
    (re.compile(r"\\(?:dfrac|tfrac|cfrac)(?![A-Za-z])"), r"\\frac"),
    (re.compile(r"\\(?:varepsilon|epsilon)(?![A-Za-z])"), r"\\epsilon"),
    (re.compile(r"\\var(theta|phi|sigma|rho|pi)(?![A-Za-z])"), r"\\\1"),
    (re.compile(r"\\(?:ne|not\s*=)(?![A-Za-z])"), r"\\neq"),
    (re.compile(r"\\(?:lVert|rVert|Vert)(?![A-Za-z])"), r"\\|"),
    (re.compile(r"\\(?:lvert|rvert|vert|mid)(?![A-Za-z])"), "|"),
    (re.compile(r"\\(?:lbrack|lbrace|\{)"), "["),
    (re.compile(r"\\(?:rbrack|rbrace|\})"), "]"),
    (re.compile(r"\\(?:intercal|mathsf\s*\{\s*T\s*\}|mathrm\s*\{\s*T\s*\}|text\s*\{\s*T\s*\}"
                r"|mathtt\s*\{\s*T\s*\})"), r"\\top "),
    (re.compile(r"\\(?:circ|bigodot|otimes)(?![A-Za-z])"), r"\\odot"),
    (re.compile(r"\\(?:mathrm|text|operatorname|mathbf)\s*\{\s*d\s*\}\s*"), " d"),
    (re.compile(r"\\prime(?![A-Za-z])"), "'"),
    (re.compile(r"\^\s*\{\s*('+)\s*\}|\^\s*('+)"), r"\1\2"),
    (re.compile(r"\.\*"), r"\\odot "),
    (re.compile(r"\.\^"), "^"),
)  # fmt: skip
_NO_WORDS = ("\\sqrt", "\\sum", "\\vec")
"""Commands that are no words of functions."""

_PLAIN_SUM = re.compile(r"(?<![A-Za-z\\])(sum|prod)(?=_)")
_PLAIN_SLOPE = re.compile(
    r"(?<![A-Za-z\\])d([A-Za-z])(\([^()]{1,9}\))\s*/\s*d([A-Za-z](?:_\w|_\{[^{}]*\})?)"
)
_SUBSCRIPTED = r"[A-Za-z](?:\w*[A-Za-z0-9])?(?:_\{[^{}]*\})?"
_RATIO = re.compile(rf"(?<![A-Za-z\\])d({_SUBSCRIPTED})\s*/\s*d({_SUBSCRIPTED})")
_BOLD = r"mathbf|boldsymbol|bm|vec|vect|pmb|mathbfit|textbf|overrightarrow|bf|v|mat"
_UPRIGHT = re.compile(
    r"\\(?:mathrm|text|textrm|operatorname\*?|mathit|mathsf|mbox|textit|rm)\s*\{([^{}]*)\}"
)
_TOKEN = re.compile(
    r"\s+|(?P<number>\d+\.\d+|\d+)|(?P<command>\\[A-Za-z]+|\\.)|(?P<run>[A-Za-z]+)|(?P<sign>.)"
)


@dataclass(frozen=True)
class Token:
    """One token: its kind is ``number``, ``command``, ``letter``, ``word`` or ``sign``."""

    kind: str
    text: str
    spaced: bool = False


def cleaned(text: str) -> str:
    """Return a formula without layout, with commands for Unicode signs."""
    text = _SUM_SIGN.sub(r"\\sum ", text)
    for sign, command in _SIGNS.items():
        if sign in text:
            text = text.replace(sign, command)
    text = _DROPPED.sub(" ", text.replace("&", " ") if "cases" not in text else text)
    for pattern, change in _SPELLED:
        text = pattern.sub(change, text)
    text = _PLAIN_SLOPE.sub(r"\\frac{\\partial \1\2}{\\partial \3}", _PLAIN_SUM.sub(r"\\\1", text))
    return _RATIO.sub(r"\\frac{\\partial \1}{\\partial \2}", text)


def tokens(text: str, *, plain: bool = False, names: frozenset[str] = frozenset()) -> list[Token]:
    """Return the tokens of a formula.

    Parameters
    ----------
    text : str
        The formula.
    plain : bool
        Whether letters that stand together are one name.
    names : frozenset of str
        Names of several letters: ``MSE``.
    """
    text = cleaned(text)
    found: list[Token] = []
    at, spaced = 0, False
    while at < len(text):
        if (upright := _UPRIGHT.match(text, at)) is not None:
            word = upright[1].strip()
            single = re.fullmatch(r"[A-Za-z]", word) is not None
            found.append(Token("letter" if single else "word", word, spaced))
            at, spaced = upright.end(), False
            continue
        match = _TOKEN.match(text, at)
        assert match is not None
        at = match.end()
        kind = match.lastgroup
        if kind is None:
            spaced = True
            continue
        if kind == "run":
            run = match[0]
            if run in ("CE", "BCE") and text[at:].lstrip().startswith("("):
                found.append(Token("word", run, spaced))
                spaced = False
                continue
            if run[0] == "d" and run[1:] in names:
                found.append(Token("letter", "d", spaced))
                run, spaced = run[1:], False
            found.extend(_of_run(run, plain=plain or run in names, spaced=spaced))
        elif kind == "command" and match[0][1:] in WORDS and match[0] not in _NO_WORDS:
            found.append(Token("word", match[0][1:], spaced))
        else:
            found.append(Token(kind, match[0], spaced))
        spaced = False
    return found


def _of_run(run: str, *, plain: bool, spaced: bool) -> list[Token]:
    """Return the tokens of letters that stand together: a word, or a product of letters."""
    if run in WORDS or (plain and len(run) > 1):
        return [Token("word", run, spaced)]
    for word in sorted(WORDS, key=len, reverse=True):
        if len(word) > 1 and run.endswith(word) and len(run) - len(word) == 1:
            return [Token("letter", run[0], spaced), Token("word", word)]
    return [Token("letter", letter, spaced and not at) for at, letter in enumerate(run)]


BOLD = frozenset(_BOLD.split("|"))
"""Commands that set a letter as a vector or a matrix."""

ACCENTS = frozenset({"hat", "bar", "tilde", "widehat", "widetilde", "overline", "dot", "check"})
FONTS = frozenset({"mathcal", "mathscr", "mathfrak", "mathbb", "cal"})
GREEK = frozenset(
    [
        "alpha",
        "beta",
        "gamma",
        "delta",
        "epsilon",
        "zeta",
        "eta",
        "theta",
        "iota",
        "kappa",
        "lambda",
        "mu",
        "nu",
        "xi",
        "pi",
        "rho",
        "sigma",
        "tau",
        "upsilon",
        "phi",
        "chi",
        "psi",
        "omega",
        "Gamma",
        "Delta",
        "Theta",
        "Lambda",
        "Xi",
        "Pi",
        "Sigma",
        "Upsilon",
        "Phi",
        "Psi",
        "Omega",
        "ell",
    ]
)
