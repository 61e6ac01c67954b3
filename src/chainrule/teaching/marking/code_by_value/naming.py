"""Which names in code are gradients, and of which values."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

_GRADIENT = re.compile(
    r"(?:d[LJE]_?d_?|d_?(?:[LJEClje]|c(?=_)|cost|loss|err|error|obj\w*|mse|nll|[EL]_total)_d_?"
    r"|d_?(?:cost|loss)_?d_?|grad(?:ient)?s?_?(?:of_?|wrt_?)?|nabla_?|d_|d)(?P<stem>\w+)"
    r"|(?P<before>\w+?)_?(?:grad|gradient|delta|prime_loss)s?"
)
_LETTER = re.compile(r"g_?(?P<stem>(?P<of>[A-Zbw])\d*)")
"""Names such as ``gW2`` and ``gb``, which are gradients where the code has several of them."""

_DELTA = re.compile(r"(?i)(?:\w+_)?delta_?\w*|grad|gradient")
_CARRIED = re.compile(
    r"d_?(?P<of>\w+?)_?(?:next|prev|total|sum|acc|t|future|after|later)"
    r"|d_?(?:next|prev)_?(?P<rest>\w+)"
)
_LOCAL = re.compile(r"(?:d|del|partial)_?(?P<of>\w+?)_(?:by_)?(?:d|del|partial)_?(?P<by>\w+)")
"""Names of the derivative of one value with respect to another one."""

_OBJECTIVE = re.compile(r"(?i)[LJEC]|cost|loss|err(?:or)?|obj\w*|mse|nll|[el]_total|total\w*")

OUTPUTS = re.compile(
    r"(?i)y_?p(?:red)?|y_?hat|yhat|pred\w*|out\w*|al|a\d?|p|probs?|scores|logits|h|final\w*"
)
"""Names of outputs."""

_LABELS = re.compile(
    r"(?i)y|y_?true|targets?|labels?|t|y_?(?:train|tr|te|dev|val|test|b)|y_?one_?hot|y_?enc(?:oded)?|y_?batch"
    r"|\w*one_?hot\w*|labels?_\w+|targets?_\w+|ground_?truth|y_?oh"
)
_LISTS = re.compile(
    r"(?i)w|ws|weights?|b|bs|bias(?:es)?|thetas?|params|parameters|layers|coefs_?|\w+_list"
)
"""Names of lists with an entry per layer."""

SHORT = {
    "b": re.compile("(?i)bias(?:es)?_?|intercept_?"),
    "w": re.compile("(?i)weights?_?|coefs?_?|theta"),
}
"""What short stems stand for: db is the gradient of the bias."""

_NOT = frozenset({
    "data", "dataset", "dim", "dims", "dtype", "device", "dict", "depth", "degree", "delimiter",
    "decay", "dropout", "diff", "dist", "df", "date", "done", "default", "debug", "dot", "dir",
    "div", "d", "description", "display", "digits", "diag", "det",
})  # fmt: skip


def is_label(name: str) -> bool:
    """Whether a name is one that people use for labels."""
    return name != "T" and _LABELS.fullmatch(name) is not None


def is_objective(name: str) -> bool:
    """Whether a name is one of those given to a loss."""
    return _OBJECTIVE.fullmatch(name) is not None


def is_data(value: ast.expr) -> bool:
    """Whether an expression is an array of numbers: ``np.array([[0, 1], [1, 1]]).T``."""
    held = getattr(value, "is_data_", None)  # a walk asks the same of each node again
    if held is None:
        held = _is_data(value)
        value.is_data_ = held  # type: ignore[attr-defined]
    return bool(held)


def _is_data(value: ast.expr) -> bool:
    nodes = list(ast.walk(value))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return (
        not isinstance(value, ast.List)
        and (names & _BOUND or any(isinstance(node, ast.List) and node.elts for node in nodes))
        and names <= {"np", "torch", "jnp", "numpy", "float"} | _BOUND
    )


_BOUND = {"bind_rows", "bind_columns"}
"""Functions that write out the arrays of Octave and R."""


def is_size(node: ast.AST) -> bool:
    """Whether an expression is a number of axes or entries: ``n = dout.shape[0]``."""
    match node:
        case ast.Attribute(attr="shape" | "ndim" | "size"):
            return True
        case ast.Subscript(value=ast.Attribute(attr="shape")):
            return True
        case ast.Call(func=ast.Name(id="len")):
            return True
        case ast.BinOp(left=left, right=right):
            return (is_size(left) or is_size(right)) and all(
                is_size(one) or isinstance(one, ast.Constant) for one in (left, right)
            )
    return False


def _words(name: str) -> list[str]:
    """Return the words of a name: ``outsideVectors`` and ``outside_vectors`` have two."""
    return [word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name)]


def _is_longer(whole: list[str], short: list[str]) -> bool:
    """Whether a name has the words of another one, which may be cut: ``vecs`` of vectors."""
    rest = iter(whole)
    return whole != short and all(
        any(word.startswith(one.rstrip("s")) for word in rest) for one in short
    )


@dataclass
class Names:
    """The names of a text of code.

    Parameters
    ----------
    all : frozenset of str
        Every name that is read or assigned.
    assigned : frozenset of str
        The names that get a value.
    called : frozenset of str
        The functions that are called.
    labels : tuple of str
        The names that look like labels, in order.
    picks : bool
        Whether labels are used as indices.
    """

    all: frozenset[str]
    assigned: frozenset[str]
    called: frozenset[str]
    labels: tuple[str, ...]
    picks: bool
    class_axis: int = 1
    stars: bool = False  # whether * is the matrix product, as between np.matrix
    torch: bool = False  # whether functions are those of PyTorch
    layered: bool = False  # whether weights stand in a list
    incoming: dict[str, str] = field(default_factory=dict)  # gradients from above, of which values
    deep: int = 2  # the number of axes of the data
    positive: frozenset[str] = frozenset()  # names whose logarithm is taken
    states: frozenset[str] = frozenset()  # names that get values again and again
    stepped: frozenset[str] = frozenset()  # names that steps with a gradient in them change
    truncated: bool = False  # whether not all shapes were tried
    unread: set[str] = field(default_factory=set)
    failures: dict[int, str] = field(default_factory=dict)  # rows that were not read
    made: set[str] = field(default_factory=set)  # names that keys such as f"W{l}" come to
    owners: dict[str, bool] = field(default_factory=dict)  # whether a name has a gradient
    readers: dict[str, bool] = field(default_factory=dict)  # whether a value reads the labels
    derived: set[str] = field(default_factory=set)
    stems: dict[tuple[str, int], str | None] = field(default_factory=dict)
    locals_: dict[str, tuple[str, str] | None] = field(default_factory=dict)
    numbers: bool = False  # whether the code has no arrays
    lengths: frozenset[str] = frozenset()  # names of whole numbers: d_k = d_model // h
    helpers: dict[str, ast.FunctionDef] | None = None  # short functions, by their names
    served: frozenset[str] = frozenset()  # names that other values than losses are made of
    of_outputs: bool = False  # whether a slope is written by the output of the function

    def is_gradient(self, name: str) -> bool:
        """Whether a name is that of a gradient."""
        if name in self.derived or self.stem(name) is not None or self.local(name) is not None:
            return True
        if _DELTA.fullmatch(name) and re.sub(r"\[.*\]", "", name) in self.assigned:
            return True
        return self._is_carried(name)

    def is_named_gradient(self, name: str) -> bool:
        """Whether a name by itself says that it is a gradient."""
        named = _DELTA.fullmatch(name) or self.stem(name) is not None
        return bool(named) or self.local(name) is not None or self._is_carried(name)

    def local(self, name: str) -> tuple[str, str] | None:
        """Return the two values of a derivative such as ``da_dz``; None for another name."""
        if name not in self.locals_:
            match = _LOCAL.fullmatch(name)
            found = None
            if match is not None and not _OBJECTIVE.fullmatch(match["of"]):
                of, by = self.values_of(match["of"]), self.values_of(match["by"])
                if by and (of or OUTPUTS.fullmatch(match["of"])):
                    found = (of[0] if of else "", by[0])
            self.locals_[name] = found
        return self.locals_[name]

    def carried(self, name: str) -> str | None:
        """Return of what a name such as ``dc_next`` is the gradient, one step later."""
        match = _CARRIED.fullmatch(name) if name not in _NOT else None
        stem = (match["of"] or match["rest"]) if match is not None else None
        return stem if stem is not None and self._meets(stem) else None

    def _is_carried(self, name: str) -> bool:
        return self.carried(name) is not None

    def has_gradient(self, name: str) -> bool:
        """Whether the code has a gradient of a name."""
        if name not in self.owners:
            stems = [self.stem(one) for one in self.all if one != name]
            self.owners[name] = any(stem and name in self.values_of(stem) for stem in stems)
        return self.owners[name]

    def is_list(self, name: str) -> bool:
        """Whether a name is one that lists of weights have."""
        return name not in self.assigned and _LISTS.fullmatch(name) is not None

    def stem(self, name: str) -> str | None:
        """Return the part of the name of a gradient that says of what; None for another name."""
        key = (name, len(self.made))  # a walk finds names that keys come to
        if key not in self.stems:
            self.stems[key] = self._stem(name)
        return self.stems[key]

    def _stem(self, name: str) -> str | None:
        """Return the part of a name that says of what it is the gradient, found anew."""
        plain = re.sub(r"\[.*\]", "", name)
        if plain in self.lengths or plain in _NOT or plain.lower() in _NOT:
            return None
        if self.local(plain) is not None:
            return None
        match = _GRADIENT.fullmatch(plain)
        if match is None:
            return self._after_letter(plain)
        if match["before"] is not None:
            return match["before"] if self._meets(match["before"]) else None
        stem: str = match["stem"]
        worded = not re.match(r"d[a-z]?_?[A-Za-z]\d*$", plain) and plain.startswith("d")
        if self._meets(stem) or not worded or plain.startswith("grad"):
            return stem
        if re.match(r"d_?(?:[LJEClje]|cost|loss|err(?:or)?)_d_?\w", plain):
            return stem
        shorter = re.sub(r"^d[LJE]_?d?_?", "", plain)
        return shorter if shorter != plain and self._meets(shorter) else None

    def _after_letter(self, name: str) -> str | None:
        """Return the stem of ``gW2``, where other parameters have such a name, too."""
        match = _LETTER.fullmatch(name)
        if match is None:
            return None
        held = {found["stem"] for one in self.assigned if (found := _LETTER.fullmatch(one))
                and {found["stem"], found["of"]} & self.all}  # fmt: skip
        return match["stem"] if len(held) > 1 and match["stem"] in held else None

    def _meets(self, stem: str) -> bool:
        return bool(self.values_of(stem))

    def values_of(self, stem: str) -> list[str]:
        """Return the names of values that a stem may stand for, the likeliest first."""
        names = sorted(self.all | self.made)
        plain = stem.replace("_", "").lower()
        found = [name for name in names if name == stem]
        found += [n for n in names if n.replace("_", "") == stem.replace("_", "") and n != stem]
        if not found:
            found = [n for n in names if n.replace("_", "").lower() == plain]
        if not found and len(plain) >= 3:
            longer = [n for n in names if n.replace("_", "").lower().startswith(plain)]
            found = longer if len(longer) == 1 else []
        if not found and len(_words(stem)) > 1:
            found = [n for n in names if _is_longer(_words(n), _words(stem))
                     and plain not in n.replace("_", "").lower()]  # fmt: skip
            found = found if len(found) == 1 else []
        if not found and plain in SHORT:
            found = [name for name in names if SHORT[plain].fullmatch(name)]
        if not found and f"{stem}s" in names:
            found = [f"{stem}s"]
        return found

    def uses_gradients(self, node: ast.AST) -> bool:
        """Whether an expression has the name of a gradient in it."""
        count = len(self.derived)
        held = getattr(node, "uses_gradients_", None)  # a walk asks the same of each node again
        if held is None or held[0] != count:
            held = (count, self._uses_gradients(node))
            node.uses_gradients_ = held  # type: ignore[attr-defined]
        return bool(held[1])

    def _uses_gradients(self, node: ast.AST) -> bool:
        if is_size(node):
            return False
        for sub in ast.walk(node):
            name = None
            if isinstance(sub, ast.Name):
                name = sub.id
            elif isinstance(sub, ast.Attribute):
                name = f"{sub.value.id}_grad" if (
                    sub.attr == "grad" and isinstance(sub.value, ast.Name)
                ) else sub.attr  # fmt: skip
            elif isinstance(sub, ast.Subscript) and isinstance(sub.slice, ast.Constant):
                name = sub.slice.value if isinstance(sub.slice.value, str) else None
            if name is not None and (name in self.derived or self.is_gradient(name)):
                return True
        return False

    def label(self, name: str) -> str:
        """Return the one name of all that stand for the labels."""
        if self.picks or name not in self.labels or name in self.assigned:
            return name
        return self.labels[0]


def names_of(statements: Sequence[ast.stmt]) -> Names:
    """Return the names of the code."""
    every: set[str] = set()
    assigned: set[str] = set()
    called: set[str] = set()
    labels: list[str] = []
    picks = False
    scored: list[str] = []  # the labels of F.cross_entropy(scores, labels)
    for statement in statements:
        for node in ast.walk(statement):
            if isinstance(node, ast.Name):
                every.add(node.id)
                if isinstance(node.ctx, ast.Store):
                    assigned.add(node.id)
                elif is_label(node.id) and node.id not in labels:
                    labels.append(node.id)
            elif isinstance(node, ast.arg):
                every.add(node.arg)
            elif isinstance(node, ast.Attribute):
                every.add(node.attr)
                if isinstance(node.ctx, ast.Store):
                    assigned.add(node.attr)
            elif isinstance(node, ast.Call):
                func = node.func
                called.add(func.id if isinstance(func, ast.Name) else
                           func.attr if isinstance(func, ast.Attribute) else "")  # fmt: skip
                if "cross_entropy" in called and len(node.args) == 2 and (
                    isinstance(node.args[1], ast.Name)
                ) and "cross_entropy" in ast.unparse(func):  # fmt: skip
                    scored.append(node.args[1].id)
            elif isinstance(node, ast.Subscript):
                if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
                    every.add(node.slice.value)
                if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) == 2:
                    first = node.slice.elts[0]
                    picks = picks or (isinstance(first, ast.Call))
                    last = node.slice.elts[1]
                    if isinstance(first, ast.Call) and isinstance(last, ast.Name):
                        scored.append(last.id)
    labels += [name for name in dict.fromkeys(scored) if name not in labels]
    usable = tuple(name for name in labels if name not in assigned or _given(name, statements))
    found = Names(frozenset(every), frozenset(assigned), frozenset(called), usable, picks)
    found.torch = "torch" in every or "F" in every
    found.layered = any(_LISTS.fullmatch(name) and len(name) > 2 for name in every)
    found.deep = _axes_of_data(statements)
    found.positive = _positive(statements)
    found.served = _served(statements)
    found.lengths = _lengths(statements)
    found.numbers = not _has_arrays(statements)
    found.states = _states(found, statements)
    found.stars = _multiplies_by_stars(statements, called)
    derive(found, statements)
    return found


def _axes_of_data(statements: Sequence[ast.stmt]) -> int:
    """Return how many axes the transposes and einsums of the code need; at least 2."""
    most = 2
    for statement in statements:
        for node in ast.walk(statement):
            if not isinstance(node, ast.Call):
                continue
            word = getattr(node.func, "attr", getattr(node.func, "id", ""))
            numbers = [one.value for one in node.args if isinstance(one, ast.Constant)]
            if word in ("transpose", "permute", "swapaxes") and len(numbers) >= 2:
                whole = [n for n in numbers if isinstance(n, int)]
                most = max(most, *(n + 1 for n in whole), 2)
            elif word == "einsum" and numbers and isinstance(numbers[0], str):
                parts = re.split(r",|->", numbers[0].replace(" ", ""))
                most = max(most, *(len(part) for part in parts))
    return min(most, 4)


_LOSS = re.compile(r"(?i).*(?:loss|cost|obj|mse|nll|hist).*|J|L|E|C")


def _served(statements: Sequence[ast.stmt]) -> frozenset[str]:
    """Return the names that values read whose own names are not those of losses."""
    found: set[str] = set()
    for statement in statements:
        for node in ast.walk(statement):
            if not isinstance(node, ast.Assign):
                continue
            target = node.targets[0]
            while isinstance(target, ast.Subscript):
                target = target.value
            word = getattr(target, "id", getattr(target, "attr", ""))
            if not _LOSS.fullmatch(word) or is_label(word):
                found |= words_in(node.value) - {word}
    return frozenset(found)


def _lengths(statements: Sequence[ast.stmt]) -> frozenset[str]:
    """Return the names that get a whole number: ``d_k = d_model // h``, ``d_ff = 64``."""
    found: set[str] = set()
    for node in (sub for one in statements for sub in ast.walk(one)):
        match node:
            case ast.Assign(targets=[target], value=ast.BinOp(op=ast.FloorDiv())):
                found.add(getattr(target, "id", getattr(target, "attr", "")))
            case ast.Assign(targets=[target], value=ast.Constant(value=int(number))) if number > 1:
                found.add(getattr(target, "id", getattr(target, "attr", "")))
    return frozenset(found - {""})


_ARRAYS = frozenset({
    "dot", "matmul", "mm", "sum", "mean", "T", "shape", "outer", "einsum", "transpose", "axis",
    "zeros", "ones", "array", "randn", "rand", "reshape", "mtimes", "zeros_like",
})  # fmt: skip


def _has_arrays(statements: Sequence[ast.stmt]) -> bool:
    """Whether the code has an operation on arrays."""
    for statement in statements:
        for node in ast.walk(statement):
            word = getattr(node, "id", getattr(node, "attr", ""))
            if word in _ARRAYS or isinstance(node, ast.MatMult | ast.Subscript):
                return True
    return False


def _positive(statements: Sequence[ast.stmt]) -> frozenset[str]:
    """Return the names whose logarithm is taken, also as ``log(1 - a)``."""
    found: set[str] = set()
    for statement in statements:
        for node in ast.walk(statement):
            func = node.func if isinstance(node, ast.Call) else None
            word = func.id if isinstance(func, ast.Name) else getattr(func, "attr", "")
            if isinstance(node, ast.Call) and word in ("log", "log2", "log10") and node.args:
                inner = node.args[0]
                parts = (
                    [inner, inner.left, inner.right] if isinstance(inner, ast.BinOp) else [inner]
                )
                found |= {part.id for part in parts if isinstance(part, ast.Name)}
    return frozenset(found)


def _states(names: Names, statements: Sequence[ast.stmt]) -> frozenset[str]:
    """Return the names that get a new value more than once, other than by a step downhill."""
    count: dict[str, int] = {}
    for statement in statements:
        for node in ast.walk(statement):
            if not isinstance(node, ast.Assign) or isinstance(node.value, ast.Constant):
                continue
            if names.uses_gradients(node.value):
                continue
            for target in node.targets:
                for one in target.elts if isinstance(target, ast.Tuple) else [target]:
                    word = getattr(one, "id", getattr(one, "attr", ""))
                    count[word] = count.get(word, 0) + 1
    return frozenset(word for word, times in count.items() if times > 1)


def _given(name: str, statements: Sequence[ast.stmt]) -> bool:
    """Whether a name gets values only from itself, as in ``y = y.reshape(-1, 1)``."""
    values = [
        node.value
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Assign)
        and any(isinstance(t, ast.Name) and t.id == name for t in node.targets)
    ]
    return all(
        is_data(v) or name in {n.id for n in ast.walk(v) if isinstance(n, ast.Name)} for v in values
    )


def _multiplies_by_stars(statements: Sequence[ast.stmt], called: set[str]) -> bool:
    """Whether a transpose is a factor of ``*``, in code without another matrix product."""
    nodes = [node for statement in statements for node in ast.walk(statement)]
    products = [n for n in nodes if isinstance(n, ast.BinOp)]
    if called & {"dot", "matmul", "mm"} or any(isinstance(n.op, ast.MatMult) for n in products):
        return False
    return any(
        isinstance(product.op, ast.Mult)
        and any(isinstance(part, ast.Attribute) and part.attr == "T"
                for part in (product.left, product.right))
        for product in products
    )  # fmt: skip


def derive(names: Names, statements: Sequence[ast.stmt]) -> None:
    """Find the names of the author's own that are computed from gradients."""
    assignments = [
        (node.targets[0].id, node.value)
        for statement in statements
        for node in ast.walk(statement)
        if isinstance(node, ast.Assign)
        and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name)
    ]
    for _ in range(len(assignments)):
        fresh = {
            name
            for name, value in assignments
            if name not in names.derived
            and name not in {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}
            and names.uses_gradients(value)
        }
        if not fresh:
            return
        names.derived |= fresh


def words_in(node: ast.AST) -> set[str]:
    """Return the names and attributes that an expression reads."""
    return {
        getattr(sub, "id", getattr(sub, "attr", ""))
        for sub in ast.walk(node)
        if isinstance(sub, ast.Name | ast.Attribute) and isinstance(sub.ctx, ast.Load)
    }


__all__ = ["OUTPUTS", "SHORT", "Names", "derive", "is_data", "is_label", "is_objective", "is_size",
           "names_of", "words_in"]  # fmt: skip
