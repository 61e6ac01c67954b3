"""One code, three libraries: the NumPy of an op's row, spelled for a target.

A row knows its op in NumPy and nothing else. What Torch and JAX call otherwise stands here, as one
short table a target; a syntax tree is translated, never a text.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

NUMPY = "np"
"""How rows call the library."""

SCATTER = "np.add.at"
"""NumPy's name for adding up at places, which other libraries do in other ways."""

_SIMPLE = r"[A-Za-z_][\w.]*|\d+(?:\.\d*)?"
_POWER = re.compile(rf"(?<![\w.)\]])({_SIMPLE}) \*\* (-?(?:{_SIMPLE}))(?![\w.(\[])")
_MESSAGE = re.compile(r"""\(f'([^'"\\]*)'\)""")
_TEXT = re.compile(r"(?<=[(=])'([a-zA-Z,>-]+)'")
_SLICE = re.compile(r"(?<=[\[ ])([\w.][\w.*+ -]*):([\w.][\w.*+ -]*)(?=[,\]])")


@dataclass(frozen=True)
class Dialect:
    """A library and how it differs from NumPy.

    Parameters
    ----------
    name : str
        What users call the target.
    imports : tuple of str
        The only imports of a module.
    prefix : str
        Its namespace in code.
    functions, keywords : mapping of str to str
        What it calls otherwise.
    second : mapping of str to str
        Functions whose second argument it wants by a keyword: a maximum or minimum with a number.
    plain : mapping of str to str
        Functions that take matrices only: how they are written of a size.
    number : str
        How a number of Python becomes an array without axes.
    arrays : frozenset of str
        Functions of the library whose first argument must be an array.
    fresh : mapping of str to tuple of str
        Functions that make an array from sizes, with what they take over from the inputs:
        precision and device.
    options : str
        The dictionary of precision and device in the passes, where a library needs both.
    precision : str
        The floating-point type of an array, or of the numbers in it when they are integers.
    scalar : str
        How a function of a number becomes a number of Python, whose precision never prevails.
    traced : str
        Whether an array stands for unknown values, so that checks of them are left out.
    everything : str
        The axis that means all axes; nothing when leaving the axis out does.
    random, uniform : str
        Of a module's `draw`: the source of random numbers, and a matrix of them from `low` to 1.
    nudge, setup : tuple of str
        Body of its `check`: a matrix that is zero but for one entry, and what comes first.
    quiet : str
        Opens a block in which a cost may be infinite without a warning.
    whole : str
        Of a module's `draw`: a matrix of whole numbers from 0 up to `count`.
    scatter : str
        The statement that adds `values` up at the `places` of the rows of `total`; NumPy's own
        when nothing is given.
    note : str
        What its users should know.
    """

    name: str
    imports: tuple[str, ...]
    prefix: str
    random: str
    uniform: str
    whole: str
    nudge: tuple[str, ...]
    scatter: str = ""
    setup: tuple[str, ...] = ()
    quiet: str = ""
    note: str = ""
    functions: Mapping[str, str] = field(default_factory=dict)
    keywords: Mapping[str, str] = field(default_factory=dict)
    second: Mapping[str, str] = field(default_factory=dict)
    plain: Mapping[str, str] = field(default_factory=dict)
    number: str = ""
    arrays: frozenset[str] = frozenset()
    fresh: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    options: str = ""
    precision: str = ""
    scalar: str = ""
    traced: str = ""
    everything: str = ""


_ARRAYS = frozenset(
    {"abs", "arctan", "cos", "cosh", "exp", "expm1", "floor", "log", "log10", "log1p", "log2"}
    | {"maximum", "minimum", "sign", "sin", "sinh", "square", "tan", "tanh"}
)
"""Functions that take numbers of Python in NumPy and JAX, and in Torch do not."""

_FRESH = dict.fromkeys(("eye", "full", "ones", "zeros"), ("dtype",))

DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        dialect.name: dialect
        for dialect in (
            Dialect(
                "numpy",
                ("import numpy as np",),
                "np",
                random="rng = np.random.default_rng(seed)",
                uniform="rng.uniform(low, 1, shape)",
                whole="rng.integers(0, count, shape)",
                nudge=("nudge = np.zeros_like(value)", "nudge[{place}] = step"),
                quiet='with np.errstate(all="ignore"):',
                plain={"sqrt": "size ** 0.5"},
                arrays=_ARRAYS,
                scalar="float(number)",
                fresh=_FRESH,
                precision="np.result_type(array, 0.0)",
            ),
            Dialect(
                "torch",
                ("import torch",),
                "torch",
                random="rng = torch.Generator().manual_seed(seed)",
                uniform="low + (1 - low) * torch.rand(shape, generator=rng, dtype=torch.float64)",
                whole="torch.randint(0, count, shape, generator=rng)",
                scatter="total.index_add_(0, places, values)",
                nudge=("nudge = torch.zeros_like(value)", "nudge[{place}] = step"),
                functions={"max": "amax", "expand_dims": "unsqueeze", "transpose": "permute"},
                keywords={"axis": "dim", "keepdims": "keepdim"},
                second={"maximum": "clamp(min)", "minimum": "clamp(max)"},
                plain={"sqrt": "size ** 0.5"},
                arrays=_ARRAYS,
                number="torch.tensor(number, dtype=torch.float64)",
                scalar="float(number)",
                fresh={
                    **dict.fromkeys(_FRESH, ("dtype", "device")),
                    "arange": ("device",),
                },
                options="like",
                precision="torch.result_type(array, 0.0)",
                everything="(0, 1)",
            ),
            Dialect(
                "jax",
                ("import jax", "import jax.numpy as jnp"),
                "jnp",
                random="keys = iter(jax.random.split(jax.random.key(seed), {draws}))",
                uniform="jax.random.uniform(next(keys), shape, minval=low)",
                whole="jax.random.randint(next(keys), shape, 0, count)",
                scatter="total = total.at[places].add(values)",
                nudge=("nudge = jnp.zeros_like(value).at[{place}].set(step)",),
                setup=('jax.config.update("jax_enable_x64", True)  # differences need float64',),
                fresh=_FRESH,
                precision="jnp.result_type(array, 0.0)",
                traced="isinstance(array, jax.core.Tracer)",
                note="JAX computes in float32 unless `jax_enable_x64` is set, as `check()` does.",
            ),
        )
    }
)
"""The targets, by name."""


def spelled(
    tree: ast.expr, dialect: Dialect, sizes: Container[str] = (), *, follow: bool = False
) -> str:
    """Write an expression in NumPy for a target, on one line and formatted.

    Parameters
    ----------
    tree : ast.expr
        In NumPy; the names in it are settled.
    dialect : Dialect
        The target.
    sizes : container of str, optional
        The names that are sizes: whole numbers of Python, no matrices.
    follow : bool, optional
        Whether new arrays take precision and device from the variables of a module.
    """
    return _formatted(ast.unparse(_Translator(dialect, sizes, follow=follow).visit(tree)))


def spelled_function(source: str, dialect: Dialect) -> str:
    """Write the definition of a helper for a target; its first argument is an array.

    The arrays that it makes have the precision and the device of that argument.
    """
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    first = function.args.args[0].arg
    written = _Translator(dialect, array=first).visit(function)
    return _formatted(ast.unparse(ast.fix_missing_locations(written)))


def defined_name(source: str) -> str:
    """Return the name of the function that a helper defines."""
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    return function.name


class _Translator(ast.NodeTransformer):
    """Translates to a dialect.

    Inside a helper, `array` is the argument whose precision and device new arrays take over; in
    a pass, they are the variables `dtype` and `device`. Code outside a module follows neither.
    """

    def __init__(
        self,
        dialect: Dialect,
        sizes: Container[str] = (),
        *,
        array: str = "",
        follow: bool = False,
    ) -> None:
        self.dialect = dialect
        self.sizes = sizes
        self.array = array
        self.follow = follow or bool(array)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Give the library its name in the target, also where a part of it is called."""
        return ast.Name(self.dialect.prefix, node.ctx) if _is_library(node) else node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        """Write ``a - b`` for ``a + -b``."""
        left, right = self.visit(node.left), self.visit(node.right)
        negative = isinstance(right, ast.UnaryOp) and isinstance(right.op, ast.USub)
        if isinstance(node.op, ast.Add) and negative:
            return ast.BinOp(left, ast.Sub(), right.operand)
        return ast.BinOp(left, node.op, right)

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """Write ``np.add.at`` as the target adds up at places."""
        call = node.value
        if not (isinstance(call, ast.Call) and ast.unparse(call.func) == SCATTER):
            return self.generic_visit(node)
        if not self.dialect.scatter:
            return node
        given = dict(zip(("total", "places", "values"), call.args, strict=True))
        (statement,) = ast.parse(self.dialect.scatter).body
        renamed = _Renamer({name: self.visit(arg) for name, arg in given.items()}).visit(statement)
        assert isinstance(renamed, ast.stmt)
        return renamed

    def visit_If(self, node: ast.If) -> ast.AST:
        """Leave checks of values out where the values are unknown."""
        checks = any(isinstance(line, ast.Raise) for line in node.body)
        self.generic_visit(node)
        if not (checks and self.dialect.traced):
            return node
        traced = self._filled(self.dialect.traced, array=ast.Name(self.array))
        known = ast.UnaryOp(ast.Not(), traced)
        return ast.If(ast.BoolOp(ast.And(), [known, node.test]), node.body, node.orelse)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Give a function of the library the target's name and keywords."""
        args = [self.visit(arg) for arg in node.args]
        function, dialect = node.func, self.dialect
        if not (isinstance(function, ast.Attribute) and _is_library(function.value)):
            plain = self._takes_arrays(function) and all(map(self._is_number, args))
            if self._takes_arrays(function):
                args[:1] = [self._array(arg) for arg in args[:1]]
            keywords = [ast.keyword(k.arg, self._keyword(k)) for k in node.keywords]
            return self._scalar(ast.Call(self.visit(function), args, keywords), plain)
        if function.attr in dialect.plain and self._is_number(args[0]):
            return self._filled(dialect.plain[function.attr], size=args[0])
        plain = function.attr in dialect.arrays and all(map(self._is_number, args))
        if function.attr in dialect.arrays:
            args[0] = self._array(args[0])
        name = dialect.functions.get(function.attr, function.attr)
        keywords = [
            ast.keyword(dialect.keywords.get(k.arg or "", k.arg), self._axis(k))
            for k in node.keywords
            if not (_is_none(k.value) and not dialect.everything)
        ]
        if function.attr in dialect.second:
            name, keyword = dialect.second[function.attr].rstrip(")").split("(")
            keywords.append(ast.keyword(keyword, args.pop()))
        keywords += self._taken_over(function.attr, {keyword.arg for keyword in keywords})
        library = ast.Name(dialect.prefix)
        call = ast.Call(ast.Attribute(library, name, ast.Load()), args, keywords)
        return self._scalar(call, plain)

    def _keyword(self, keyword: ast.keyword) -> ast.expr:
        """Write the value of a keyword; a floating-point type is that of the inputs."""
        if self.follow and keyword.arg == "dtype" and ast.unparse(keyword.value) == "float":
            return ast.parse(self._source("dtype"), mode="eval").body
        return self.visit(keyword.value)  # type: ignore[no-any-return]

    def _taken_over(self, function: str, given: Container[str | None]) -> list[ast.keyword]:
        """Return what an array that a function makes takes over from the inputs."""
        if not self.follow:
            return []
        names = [name for name in self.dialect.fresh.get(function, ()) if name not in given]
        if len(names) > 1 and self.dialect.options and not self.array:
            return [ast.keyword(None, ast.Name(self.dialect.options))]
        return [
            ast.keyword(name, ast.parse(self._source(name), mode="eval").body) for name in names
        ]

    def _source(self, keyword: str) -> str:
        """Return where new arrays take their precision or their device from."""
        return f"{self.array}.{keyword}" if self.array else keyword

    def _scalar(self, call: ast.Call, plain: bool) -> ast.expr:
        """Make a number of Python of a function of one."""
        if not (plain and self.follow and self.dialect.scalar):
            return call
        return self._filled(self.dialect.scalar, number=call)

    @staticmethod
    def _filled(formula: str, **given: ast.expr) -> ast.expr:
        """Put expressions in the place of the names of a formula."""
        tree = ast.parse(formula, mode="eval").body
        return _Renamer(given).visit(tree)  # type: ignore[no-any-return]

    def _takes_arrays(self, function: ast.expr) -> bool:
        """Whether a function is a helper of the module, or one of a part of the target."""
        if isinstance(function, ast.Name):
            return not hasattr(builtins, function.id)
        root = function
        while isinstance(root, ast.Attribute):
            root = root.value
        return isinstance(root, ast.Name) and root.id in (self.dialect.name, self.dialect.prefix)

    def _array(self, arg: ast.expr) -> ast.expr:
        """Make an array of a number, where the target takes arrays only."""
        if not (self.dialect.number and self._is_number(arg)):
            return arg
        return self._filled(self.dialect.number, number=arg)

    def _is_number(self, arg: ast.expr) -> bool:
        """Whether an argument is a number of Python: of literals, sizes and π or e."""
        match arg:
            case ast.Constant():
                return True
            case ast.Name():
                return arg.id in self.sizes
            case ast.Attribute():
                return ast.unparse(arg) in (f"{self.dialect.prefix}.pi", f"{self.dialect.prefix}.e")
            case ast.UnaryOp():
                return self._is_number(arg.operand)
            case ast.BinOp():
                return self._is_number(arg.left) and self._is_number(arg.right)
        return False

    def _axis(self, keyword: ast.keyword) -> ast.expr:
        if _is_none(keyword.value):
            return ast.parse(self.dialect.everything, mode="eval").body
        return self.visit(keyword.value)  # type: ignore[no-any-return]


class _Renamer(ast.NodeTransformer):
    """Puts expressions in the place of names."""

    def __init__(self, given: Mapping[str, ast.expr]) -> None:
        self.given = given

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Replace a name; a target of an assignment stays a target."""
        found = self.given.get(node.id, node)
        if isinstance(found, ast.Name):
            return ast.Name(found.id, node.ctx)
        return found


def _is_library(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == NUMPY


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _formatted(code: str) -> str:
    """Set quotes, and spaces around powers and the colons of slices, as formatters do."""
    code = _TEXT.sub(r'"\1"', code)
    return _MESSAGE.sub(r'(f"\1")', _SLICE.sub(_spaced, _POWER.sub(r"\1**\2", code)))


def _spaced(bounds: re.Match[str]) -> str:
    """Put spaces around the colon between bounds that are computed."""
    first, end = bounds.groups()
    return f"{first} : {end}" if " " in first + end else f"{first}:{end}"
