r"""Bookkeeping in code: what is packed, unpacked, updated or checked, and claims nothing.

``Z1, A1 = cache``, ``grads = {...}``, ``W1 -= rate * dW1``, ``assert dW1.shape == W1.shape`` are
removed; ``grads["dW1"]``, ``self.W1`` and ``W.grad`` become the names that they stand for;
``W1 = np.random.randn(h, n)`` declares a shape; a call over several rows becomes one row.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from chainrule.language.reading.tokens import Line
from chainrule.language.reading.words import function_word

_STATEMENT = re.compile(
    r"\s*(?:return|import|assert|print)\b\s*(?![=:^_])|\s*from\s+\w[\w.]*\s+import\b"
)
_CODE_STATEMENT = re.compile(
    r"\s*(?:def|class|raise|yield|del|global|pass)\b(?!\s*=)|\s*@\w[\w.]*\s*$"
)
_FUNCTION = re.compile(r"\s*def\s+\w+\s*\(([^()]*)\)")
_CONTROL = re.compile(r"\s*(?:for|while|if|elif|else|with|try|except|finally)\b.*:\s*$")
_STORES = r"(?:self\.)?(?:\w*[cC]aches?\w*|param\w*|grads?|gradients|memory|ctx\.saved_tensors)"
_UNPACKED = re.compile(rf"[\w\s,().\[\]'\"*]+=\s*{_STORES}(?:\[[^\]]*\]|\.values\(\))?\s*$")
_BY_KEY = re.compile(r"(?:self\.)?[A-Za-z]\w*\[\s*(['\"])([A-Za-z]\w*)\1\s*\]")
_BY_LAYER = re.compile(
    r"(?:self\.)?[A-Za-z]\w*\[\s*(['\"])([A-Za-z]+)_?\1\s*\+\s*str\(\s*(\w+(?:\s*[-+]\s*\d)?)\s*\)\s*\]"
)
_BY_FORMAT = re.compile(
    r"(?:self\.)?[A-Za-z]\w*\[\s*f(['\"])([A-Za-z]+)_?\{\s*(\w+(?:\s*[-+]\s*\d)?)\s*\}\1\s*\]"
)
_OF_SELF = re.compile(r"\bself\.(?=\w)")
_TORCH_GRADIENT = re.compile(r"\b([A-Za-z]\w*)\.grad\b(?:\.(?:data|detach\(\)))?")
_PACKED = re.compile(
    r"\s*[\w.\s,()]+=\s*(?:\{.*|dict\(.*|\(?\s*[\w.]+(?:\s*,\s*[\w.]+)+\s*,?\s*\)?)$"
)
_ITSELF = re.compile(
    r"\s*(\w+)\s*=\s*(?:(?:np\.|torch\.)?(?:squeeze|array|asarray|copy|float|tensor)"
    r"\(\s*\1\b[^()]*\)"
    r"|\1(?:\.(?:reshape|astype|view|squeeze|copy|item|to|float)\([^()]*\))+)\s*"
)
_SHAPE = re.compile(r"\s*\w+\s*,[\w\s,]*=\s*[\w.]+\.(?:shape|size\(\))\s*$")
_UPDATE = re.compile(
    r"\s*([A-Za-z]\w*(?:\^\[\w+\])?)\s*(?:[-+]=|(?::?=|\\leftarrow|←)\s*\1\s*[-+])"
)
_GRADIENT = re.compile(r"\bd_?[A-Za-z]\w*|grad|∂|\\partial|∇|\\nabla")
_LIBRARY = re.compile(
    r"\b(?:torch\.nn\.functional|nn\.functional|F|tf(?:\.math|\.nn)?|special)\.(?=[a-z])"
)
_HYPERPARAMETER = re.compile(
    r"\s*(?:learning_rate|lr|rate|eps|epsilon|num_\w+|n_iter\w*|seed)\s*=\s*[\d.e+-]+\s*$"
)
_DRAWN = re.compile(
    r"\s*(?!d[A-Z])([A-Za-z]\w*)\s*=\s*(?:[\d.e-]+\s*\*\s*)?(?:np\.|numpy\.|torch\.|jnp\.)?(?:random\.)?"
    r"(?:randn|rand|zeros|normal|standard_normal|empty)\(\s*(?:size\s*=\s*)?\(?\s*(\w+)\s*,\s*(\w+)\s*\)?"
    r"[^()]*\)\s*(?:[*/]\s*[\w.()]+)?\s*$"
)
_MINUS_LABELS = re.compile(
    r"\s*(\w+)\[\s*(?:range|(?:np|torch)\.arange)\(\s*[\w.\[\]]+\s*\)\s*,\s*(\w+)\s*\]\s*-=\s*1(?:\.0*)?\s*$"
)
_LARGEST = re.compile(r"one_hot\((\w+)\.(?:max|argmax)\((?:dim=)?(\d)\)(?:\.indices)?,[^()]*\)")
_TAKEN = re.compile(r"(?<=\))\.values\b(?!\()")
_SQUARE_OF = re.compile(r"(?:np|torch|tf|jnp)\.square\(([^()]*(?:\([^()]*\)[^()]*)*)\)")
_OPENS, _CLOSES = "([{", ")]}"
_QUOTES = ('"""', "'" * 3)
LONGEST_CALL = 40
"""The most rows of one statement of code."""


def is_bookkeeping(text: str, *, code: bool) -> bool:
    """Whether a statement packs, unpacks, updates, checks or prints, and claims nothing."""
    if _STATEMENT.match(text):
        return True
    if code and (_CODE_STATEMENT.match(text) or _CONTROL.match(text)):
        return True
    left, _, right = in_plain_names(text).partition("=")
    if code and "".join(left.split()) == "".join(right.split()):
        return True  # W1 = parameters["W1"]
    if re.fullmatch(r"\s*\w+\s*=\s*(?:\[\s*\]|[\d.e+-]+)\s*", text) and code:
        return True  # costs = [], N = 64
    if _CALLED.fullmatch(text) and (code or "function" not in text):
        return True  # A, cost = forward(X, Y)
    found = (_UNPACKED, _SHAPE, _ITSELF, _HYPERPARAMETER, *((_PACKED,) if code else ()))
    return any(pattern.fullmatch(text) for pattern in found)


def begins_code(text: str) -> bool:
    """Whether a row is a statement of code in a text without code fences: ``def f(a, b):``."""
    return is_bookkeeping(text, code=False) or parameters_of(text) is not None


def parameters_of(row: str) -> frozenset[str] | None:
    """Return the parameters of a function that a row of code begins; None for another row."""
    match = _FUNCTION.match(row)
    if match is None:
        return None
    return frozenset(part.split("=")[0].split(":")[0].strip(" *") for part in match[1].split(","))


_CALLED = re.compile(r"\s*\[?\s*\w+(?:\s*,\s*\w+)+\s*\]?\s*=\s*[\w.]+\(.*\)\s*;?\s*")


def one_each(text: str) -> list[str]:
    """Split ``a, b = 1, 2`` into an assignment for each name."""
    left, equals, right = text.partition("=")
    names, values = _at_commas(left), _at_commas(right)
    if not equals or len(names) < 2 or len(names) != len(values):
        return [text]
    return [f"{name.strip()} = {value.strip()}" for name, value in zip(names, values, strict=True)]


def _at_commas(text: str) -> list[str]:
    found, depth, start = [], 0, 0
    for at, character in enumerate(text):
        depth += (character in _OPENS) - (character in _CLOSES)
        if character == "," and depth == 0:
            found.append(text[start:at])
            start = at + 1
    return [*found, text[start:]]


def is_update(text: str) -> bool:
    """Whether a statement moves a parameter: ``W = W - rate * dW``, ``w := w - α ∂J/∂w``."""
    match = _UPDATE.match(text)
    if match is None or re.match(r"d[A-Z_]|d\w$|grad", match[1]):
        return False
    return bool(_GRADIENT.search(text, match.end()))


def in_plain_names(text: str) -> str:
    """Replace what code stores a value under by its name: ``grads["dW1"]``, ``self.W1``."""
    text = _BY_LAYER.sub(r"\2^[\3]", text)
    text = _BY_FORMAT.sub(r"\2^[\3]", text)
    text = _BY_KEY.sub(r"\2", text)
    text = _LIBRARY.sub("", _OF_SELF.sub("", text))
    text = _TORCH_GRADIENT.sub(r"d\1", text)
    if match := _DRAWN.fullmatch(text):
        return f"{match[1]} : ({match[2]}, {match[3]})"
    text = _SQUARE_OF.sub(_squared, _TAKEN.sub("", _LARGEST.sub(r"argmax(\1, axis=\2)", text)))
    if match := _MINUS_LABELS.fullmatch(text):
        return f"{match[1]} -= {match[2]}"
    return text


def _squared(match: re.Match[str]) -> str:
    return f"(({match[1]})**2)"


_LOOKS_LIKE_CODE = re.compile(
    r"(?:import|from)\s+\w+|def\s+\w+\s*\(.*\)\s*(?:->.*)?:|class\s+\w+.*:"
)
_CODE_FENCE = re.compile(r"\s*(?:```|~~~)\s*(?:python|py|numpy|torch|pytorch)?\s*")
_OF_A_GRADIENT = re.compile(r"\s*(?:d[A-Z]\w*|d[a-z]\d?|grad\w*|d\w+_d\w+|dout)\s*(?:[-+*/]?=)")
_RETURNS = re.compile(r"\s*return\s+(.+)")
_ONE_ARGUMENT = re.compile(r"\s*def\s+(\w+)\s*\(\s*(\w+)\s*\)\s*:")


def definitions_in_code(lines: Sequence[Line]) -> list[Line]:
    """Return the lines of a forward pass in code: what is defined, without what is kept or shown.

    Text without code comes back as it is. Gradients that the code computes are left out.
    """
    fences = [line for line in lines if _CODE_FENCE.fullmatch(line.text)]
    code = any(_LOOKS_LIKE_CODE.match(line.text) for line in lines)
    if not code or any("$" in line.text for line in lines):
        return list(lines)
    inside = not fences
    rows: list[tuple[int, str]] = []
    found: list[Line] = []
    for line in lines:
        if _CODE_FENCE.fullmatch(line.text):
            found += _defined(rows)
            rows, inside = [], not inside
        elif inside:
            rows.append((line.number, line.text))
        else:
            found.append(line)
    return found + _defined(rows)


def _defined(rows: list[tuple[int, str]]) -> list[Line]:
    found: list[Line] = []
    opened: re.Match[str] | None = None
    for number, row in joined(rows):
        text = row.split("#", 1)[0].rstrip()
        returned = _RETURNS.fullmatch(text)
        if opened is not None and returned is not None and function_word(opened[1]) is None:
            plain = in_plain_names(returned[1])
            found.append(Line(f"{opened[1]}({opened[2]}) = {plain}", number, shown=row))
        if text.strip():
            opened = _ONE_ARGUMENT.fullmatch(text)
        if _OF_A_GRADIENT.match(text) or is_update(text) or "=" not in text:
            continue
        for one in one_each(text.strip()) if not is_bookkeeping(text, code=True) else []:
            if not is_bookkeeping(one, code=True):
                found.append(Line(in_plain_names(one).strip(), number, shown=row))
    return found


def joined(rows: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield rows of code with a statement over several rows as one, and without docstrings.

    Parameters
    ----------
    rows : list of (int, str)
        The line number and the text of each row.
    """
    waiting, number, depth, count = "", 0, 0, 0
    texts = {at for at, _ in docstrings(rows)}
    for at, row in rows:
        if at in texts:
            continue
        bare = row.split("#", 1)[0] if depth or _open(row) else row
        number = number if waiting else at
        waiting = f"{waiting} {bare.strip()}" if waiting else bare
        depth, count = _open(waiting), count + 1
        continues = waiting.rstrip().endswith("\\")
        if (depth > 0 or continues) and count < LONGEST_CALL:
            waiting = waiting.rstrip().removesuffix("\\")
            continue
        yield number, waiting
        waiting, depth, count = "", 0, 0
    if waiting:
        yield number, waiting


def docstrings(rows: list[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Yield the rows of code that are docstrings."""
    quoted = ""
    for at, row in rows:
        if quoted:
            quoted = "" if quoted in row else quoted
            yield at, row
            continue
        mark = next((mark for mark in _QUOTES if row.lstrip(" rRbB").startswith(mark)), "")
        if mark:
            quoted = "" if row.count(mark) >= 2 else mark
            yield at, row


def _open(text: str) -> int:
    """Return how many brackets are open at the end of a row of code."""
    code = text.split("#", 1)[0]
    return sum((c in _OPENS) - (c in _CLOSES) for c in code)
