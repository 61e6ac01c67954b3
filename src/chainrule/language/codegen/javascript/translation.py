"""JavaScript from the NumPy of an op's entry: syntax trees, never text.

Operators on arrays and functions of NumPy become calls of the runtime; arithmetic on numbers
(sizes, literals, places in a loop) stays arithmetic. What has no counterpart raises
`UntranslatableError`, which names it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

from chainrule.language.codegen.javascript.functions import NUMPY, functions
from chainrule.language.codegen.javascript.words import (
    AND,
    BUILTINS,
    CALL,
    CHOICE,
    COMPARISON,
    COMPARISONS,
    CONSTANTS,
    LIBRARY,
    METHODS,
    OPERATORS,
    OR,
    PLUS,
    POWER,
    SIGNS,
    TIMES,
    UNARY,
    local,
)
from chainrule.language.codegen.javascript.written import Kind, Scope, UntranslatableError, Written

PRECISION = "dtype"
"""The keyword that has no counterpart: every array holds numbers of 64 bits."""

LARGEST_EXACT = 2**53


def expression(tree: ast.expr, scope: Scope) -> Written:
    """Translate an expression in NumPy."""
    return Expressions(dict(scope.kinds), scope.signatures).visit(tree)


def signature(source: str) -> tuple[str, tuple[str, ...]]:
    """Return the name of a function in Python, and its parameters in JavaScript."""
    (function,) = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    return function.name, tuple(arg.arg for arg in function.args.args if arg.arg != PRECISION)


class Expressions:
    """Translates expressions; `kinds` grows with the statements around them."""

    def __init__(self, kinds: dict[str, Kind], signatures: Mapping[str, Sequence[str]]) -> None:
        self.kinds = kinds
        self.signatures = signatures

    def visit(self, node: ast.expr) -> Written:
        """Translate an expression."""
        translate: Callable[..., Written] | None = getattr(self, type(node).__name__, None)
        if translate is None:
            raise UntranslatableError(f"{ast.unparse(node)} ({type(node).__name__})")
        return translate(node)

    # ---- names and literals ----------------------------------------------------------------

    def Name(self, node: ast.Name) -> Written:
        """Write a variable."""
        return Written(local(node.id), kind=self.kinds.get(node.id, Kind.UNKNOWN))

    def Constant(self, node: ast.Constant) -> Written:
        """Write a literal; integers that doubles do not hold are rounded."""
        value = node.value
        if value is None:
            return Written("null")
        if isinstance(value, bool):
            return Written(str(value).lower(), kind=Kind.NUMBER)
        if isinstance(value, int | float):
            exact = abs(value) <= LARGEST_EXACT and value == int(value)
            text = str(int(value)) if exact else repr(float(value)).replace("inf", "Infinity")
            return Written(text, kind=Kind.NUMBER)
        if isinstance(value, str):
            return Written(_quoted(value))
        raise UntranslatableError(f"the constant {value!r}")

    def JoinedStr(self, node: ast.JoinedStr) -> Written:
        """Write a string with values in it as a template."""
        text = ""
        for part in node.values:
            if isinstance(part, ast.Constant):
                text += _template(str(part.value))
            elif isinstance(part, ast.FormattedValue) and part.format_spec is None:
                value = self.visit(part.value)
                number = value.text if value.kind is Kind.NUMBER else f"item({value.text})"
                text += f"${{{number}}}"
            else:
                raise UntranslatableError(f"the format in {ast.unparse(node)}")
        return Written(f"`{text}`")

    def Tuple(self, node: ast.Tuple | ast.List) -> Written:
        """Write a tuple or a list as an array of JavaScript."""
        parts = [self.visit(part) for part in node.elts]
        plain = all(part.kind is Kind.NUMBER for part in parts)
        text = ", ".join(part.text for part in parts)
        return Written(f"[{text}]", kind=Kind.NUMBERS if plain else Kind.LIST)

    List = Tuple

    def ListComp(self, node: ast.ListComp | ast.GeneratorExp) -> Written:
        """Write a comprehension as maps of lists."""
        outer = dict(self.kinds)
        sources = []
        for loop in node.generators:
            source = self.visit(loop.iter)
            self.bind(loop.target, element(source, loop.iter))
            tests = "".join(
                f".filter(({self.target(loop.target)}) => {self.condition(test).text})"
                for test in loop.ifs
            )
            sources.append((source.inside(CALL) + tests, self.target(loop.target)))
        value = self.visit(node.elt)
        text = value.text
        for depth, (source_text, target) in enumerate(reversed(sources)):
            text = f"{source_text}.{'flatMap' if depth else 'map'}(({target}) => {text})"
        self.kinds = outer
        return Written(text, kind=Kind.NUMBERS if value.kind is Kind.NUMBER else Kind.LIST)

    GeneratorExp = ListComp

    # ---- operators -------------------------------------------------------------------------

    def UnaryOp(self, node: ast.UnaryOp) -> Written:
        """Write a sign or a negation."""
        if isinstance(node.op, ast.Not):
            return Written(f"!{self.condition(node.operand).inside(UNARY)}", UNARY, Kind.NUMBER)
        operand = self.visit(node.operand)
        if isinstance(node.op, ast.UAdd):
            return operand
        if isinstance(node.op, ast.Invert):
            return self._runtime("logicalNot", [operand])
        if operand.kind is Kind.NUMBER:
            return Written(f"-{operand.inside(POWER)}", UNARY, Kind.NUMBER)
        return self._runtime("neg", [operand])

    def BinOp(self, node: ast.BinOp) -> Written:
        """Write arithmetic on numbers as it is, and on arrays as a call."""
        folded = _quotient_of_large(node)
        if folded is not None:
            return Written(folded, kind=Kind.NUMBER)
        name = OPERATORS.get(type(node.op))
        if name is None:
            raise UntranslatableError(f"the operator in {ast.unparse(node)}")
        if isinstance(node.op, ast.Add) and _is_negative(node.right):
            assert isinstance(node.right, ast.UnaryOp)
            return self.BinOp(ast.BinOp(node.left, ast.Sub(), node.right.operand))
        left, right = self.visit(node.left), self.visit(node.right)
        if left.kind is right.kind is Kind.NUMBER:
            return self._arithmetic(node, left, right)
        if isinstance(node.op, ast.Add | ast.Mult) and _opens(left, name):
            return Written(f"{left.text[:-1]}, {right.text})")
        return self._runtime(name, [left, right])

    def _arithmetic(self, node: ast.BinOp, left: Written, right: Written) -> Written:
        match node.op:
            case ast.Pow():
                text = f"{left.inside(CALL)} ** {right.inside(UNARY)}"
                return Written(text, POWER - 2, Kind.NUMBER)
            case ast.FloorDiv():
                text = f"Math.floor({left.inside(TIMES)} / {right.inside(TIMES + 1)})"
                return Written(text, kind=Kind.NUMBER)
            case ast.Mod() | ast.MatMult() | ast.BitAnd() | ast.BitOr() | ast.BitXor():
                return Written(self._runtime(OPERATORS[type(node.op)], [left, right]).text)
        sign, level = SIGNS[type(node.op)]
        return Written(f"{left.inside(level)} {sign} {right.inside(level + 1)}", level, Kind.NUMBER)

    def Compare(self, node: ast.Compare) -> Written:
        """Write a comparison: a mask where arrays are compared."""
        pairs = self._pairs(node)
        if len(pairs) == 1:
            return pairs[0]
        if any(pair.kind is not Kind.NUMBER for pair in pairs):
            raise UntranslatableError(f"the chain {ast.unparse(node)} of arrays")
        return self._both(pairs)

    def _pairs(self, node: ast.Compare) -> list[Written]:
        terms = [node.left, *node.comparators]
        return [
            self._compared(op, left, right)
            for op, left, right in zip(node.ops, terms[:-1], terms[1:], strict=True)
        ]

    def _both(self, pairs: Sequence[Written]) -> Written:
        """Join comparisons of numbers that must all hold."""
        return Written(" && ".join(pair.inside(COMPARISON) for pair in pairs), AND, Kind.NUMBER)

    def _compared(self, op: ast.cmpop, first: ast.expr, second: ast.expr) -> Written:
        left, right = self.visit(first), self.visit(second)
        if isinstance(op, ast.Is | ast.IsNot):
            sign = "===" if isinstance(op, ast.Is) else "!=="
            return Written(f"{left.inside(CALL)} {sign} {right.text}", COMPARISON, Kind.NUMBER)
        if type(op) not in COMPARISONS:
            raise UntranslatableError(f"{type(op).__name__} of {left.text}")
        sign, name = COMPARISONS[type(op)]
        if left.kind is right.kind is Kind.NUMBER:
            text = f"{left.inside(PLUS)} {sign} {right.inside(PLUS)}"
            return Written(text, COMPARISON, Kind.NUMBER)
        return self._runtime(name, [left, right])

    def BoolOp(self, node: ast.BoolOp) -> Written:
        """Write a conjunction or a disjunction of conditions."""
        both = isinstance(node.op, ast.And)
        level = AND if both else OR
        parts = [self.condition(value).inside(COMPARISON) for value in node.values]
        return Written(f" {'&&' if both else '||'} ".join(parts), level, Kind.NUMBER)

    def IfExp(self, node: ast.IfExp) -> Written:
        """Write a choice."""
        test = self.condition(node.test).inside(OR)
        first, second = self.visit(node.body), self.visit(node.orelse)
        kind = first.kind if first.kind is second.kind else Kind.UNKNOWN
        return Written(f"{test} ? {first.inside(OR)} : {second.inside(CHOICE)}", CHOICE, kind)

    def condition(self, node: ast.expr) -> Written:
        """Translate an expression whose truth decides."""
        if isinstance(node, ast.Compare) and len(node.ops) > 1:
            return self._both([_decided(pair) for pair in self._pairs(node)])
        return _decided(self.visit(node))

    # ---- attributes and parts --------------------------------------------------------------

    def Attribute(self, node: ast.Attribute) -> Written:
        """Write a constant of the library, or an attribute of an array."""
        path = _path(node)
        if path in CONSTANTS:
            kind = Kind.UNKNOWN if path == "newaxis" else Kind.NUMBER
            return Written(CONSTANTS[path], kind=kind)
        if path:
            raise UntranslatableError(f"{LIBRARY}.{path}")
        owner = self.visit(node.value)
        match node.attr:
            case "T":
                return self._runtime("transpose", [owner])
            case "shape":
                return Written(f"{owner.inside(CALL)}.shape", kind=Kind.NUMBERS)
            case "ndim":
                return Written(f"{owner.inside(CALL)}.shape.length", kind=Kind.NUMBER)
            case "size":
                return Written(f"{owner.inside(CALL)}.data.length", kind=Kind.NUMBER)
        raise UntranslatableError(f"the attribute .{node.attr}")

    def Subscript(self, node: ast.Subscript) -> Written:
        """Write an element of a list, or a part of an array."""
        owner = self.visit(node.value)
        if owner.kind in (Kind.NUMBERS, Kind.LIST):
            return self._of_list(owner, node.slice)
        entries = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        index = [self._index(entry) for entry in entries]
        return Written(f"part({', '.join([owner.text, *index])})")

    def _of_list(self, owner: Written, index: ast.expr) -> Written:
        if isinstance(index, ast.Slice):
            if index.step is not None:
                raise UntranslatableError(f"a step in a list: {ast.unparse(index)}")
            bounds = [self.visit(part).text for part in (index.lower, index.upper) if part]
            if index.upper and not index.lower:
                bounds.insert(0, "0")
            return Written(f"{owner.inside(CALL)}.slice({', '.join(bounds)})", kind=owner.kind)
        place = self.visit(index)
        kind = Kind.NUMBER if owner.kind is Kind.NUMBERS else Kind.UNKNOWN
        if place.text.startswith("-"):
            return Written(f"{owner.inside(CALL)}.at({place.text})", kind=kind)
        return Written(f"{owner.inside(CALL)}[{place.text}]", kind=kind)

    def _index(self, entry: ast.expr) -> str:
        if isinstance(entry, ast.Slice):
            bounds = [entry.lower, entry.upper, entry.step]
            while bounds and bounds[-1] is None:
                bounds.pop()
            texts = ["null" if bound is None else self.visit(bound).text for bound in bounds]
            return f"[{', '.join(texts)}]"
        if isinstance(entry, ast.Constant) and entry.value is Ellipsis:
            return '"..."'
        if isinstance(entry, ast.Compare | ast.List | ast.BoolOp):
            raise UntranslatableError(f"the index [{ast.unparse(entry)}]")
        return self.visit(entry).text

    # ---- calls -----------------------------------------------------------------------------

    def Call(self, node: ast.Call) -> Written:
        """Write a call of the library, of an array, or of a function of the module."""
        path = _path(node.func)
        if path:
            if path not in NUMPY:
                raise UntranslatableError(f"{LIBRARY}.{path}")
            return self._numpy(path, node.args, node.keywords)
        if isinstance(node.func, ast.Attribute):
            return self._method(node.func, node)
        if not isinstance(node.func, ast.Name):
            raise UntranslatableError(f"the call {ast.unparse(node)}")
        name = node.func.id
        if name not in self.signatures and name in BUILTINS:
            return self._builtin(name, node)
        return self._own(name, node)

    def _numpy(
        self, path: str, args: Sequence[ast.expr], keywords: Sequence[ast.keyword]
    ) -> Written:
        row = functions()[NUMPY[path]]
        given = [self.visit(arg) for arg in args]
        if row.math and all(arg.kind is Kind.NUMBER for arg in given) and not keywords:
            return Written(f"{row.math}({_joined(given)})", kind=Kind.NUMBER)
        if path == "einsum" and "->" not in given[0].text:
            raise UntranslatableError("np.einsum without ->; write the indices of the result")
        rest = any(parameter.startswith("...") for parameter in row.parameters)
        lead = given if rest else given[: len(row.parameters)]
        options = dict(zip(row.options, given[len(lead) :], strict=False))
        if len(options) < len(given) - len(lead):
            raise UntranslatableError(f"np.{path} with {len(given)} arguments")
        for keyword in keywords:
            if keyword.arg == PRECISION and _is_float(keyword.value):
                continue
            if keyword.arg == "kind" and path in ("sort", "argsort"):
                continue  # sorting in JavaScript is always stable
            if keyword.arg in row.options:
                options[keyword.arg] = self.visit(keyword.value)
            elif keyword.arg in row.parameters[len(lead) : len(lead) + 1]:
                lead.append(self.visit(keyword.value))
            else:
                raise UntranslatableError(f"the option {keyword.arg} of np.{path}")
        return self._runtime(row.name, lead, options)

    def _method(self, function: ast.Attribute, node: ast.Call) -> Written:
        name = function.attr
        if name in ("copy", "conj"):
            return self.visit(function.value)
        if name == "astype" and all(map(_is_float, node.args)):
            return self.visit(function.value)
        args = list(node.args)
        if name in ("reshape", "transpose") and len(args) > 1:
            args = [ast.Tuple(args, ast.Load())]
        if name == "reshape" and args and isinstance(args[0], ast.Constant | ast.UnaryOp):
            args = [ast.Tuple(args, ast.Load())]
        path = "ravel" if name == "flatten" else name
        if path not in METHODS:
            raise UntranslatableError(f"the method .{name}()")
        return self._numpy(path, [function.value, *args], node.keywords)

    def _builtin(self, name: str, node: ast.Call) -> Written:
        args = [self.visit(arg) for arg in node.args]
        numbers = all(arg.kind is Kind.NUMBER for arg in args)
        match name:
            case "range" if numbers and args:
                both = args if len(args) > 1 else [Written("0"), *args]
                return Written(f"range({_joined(both)})", kind=Kind.NUMBERS)
            case "len" if args[0].kind in (Kind.NUMBERS, Kind.LIST):
                return Written(f"{args[0].inside(CALL)}.length", kind=Kind.NUMBER)
            case "len":
                return Written(f"{args[0].inside(CALL)}.shape[0]", kind=Kind.NUMBER)
            case "min" | "max" | "abs" if numbers:
                return Written(f"Math.{name}({_joined(args)})", kind=Kind.NUMBER)
            case "float" | "int":
                one = args[0].text if numbers else f"item({args[0].text})"
                text = one if name == "float" else f"Math.trunc({one})"
                return Written(text, args[0].level if text == args[0].text else CALL, Kind.NUMBER)
            case "list" | "tuple" if args[0].kind in (Kind.NUMBERS, Kind.LIST):
                return args[0]
            case "reversed" if args[0].kind in (Kind.NUMBERS, Kind.LIST):
                return Written(f"[...{args[0].text}].reverse()", kind=args[0].kind)
        raise UntranslatableError(f"{ast.unparse(node)}")

    def _own(self, name: str, node: ast.Call) -> Written:
        """Call a function that the module defines; keywords go to their positions."""
        given = [self.visit(arg).text for arg in node.args]
        parameters = self.signatures.get(name, ())
        options = {k.arg: self.visit(k.value).text for k in node.keywords if k.arg != PRECISION}
        for parameter in parameters[len(given) :]:
            if options:
                given.append(options.pop(parameter, "undefined"))
        if options:
            raise UntranslatableError(f"the keywords of {ast.unparse(node)}")
        return Written(f"{local(name)}({', '.join(given)})")

    def _runtime(
        self, name: str, args: Sequence[Written], options: Mapping[str, Written] | None = None
    ) -> Written:
        texts = [arg.text for arg in args]
        named = {key: value for key, value in (options or {}).items() if value.text != "null"}
        if named:
            pairs = (k if k == v.text else f"{k}: {v.text}" for k, v in named.items())
            texts.append(f"{{ {', '.join(pairs)} }}")
        kind = Kind.LIST if name == "slogdet" else Kind.UNKNOWN
        return Written(f"{name}({', '.join(texts)})", kind=kind)

    # ---- targets of loops and assignments --------------------------------------------------

    def bind(self, target: ast.expr, kind: Kind) -> None:
        """Note the kind of a variable, or of several."""
        match target:
            case ast.Name():
                self.kinds[target.id] = kind
            case ast.Tuple():
                inner = Kind.NUMBER if kind is Kind.NUMBERS else Kind.UNKNOWN
                for part in target.elts:
                    self.bind(part, inner)

    def target(self, target: ast.expr) -> str:
        """Write a variable, or several between brackets."""
        if isinstance(target, ast.Tuple):
            return f"[{', '.join(map(self.target, target.elts))}]"
        if not isinstance(target, ast.Name):
            raise UntranslatableError(f"assigning to {ast.unparse(target)}")
        return local(target.id)


def _decided(written: Written) -> Written:
    """Return the truth of an expression, which JavaScript would grant any array."""
    if written.kind is Kind.NUMBER:
        return written
    return Written(f"truth({written.text})", kind=Kind.NUMBER)


def element(source: Written, node: ast.expr) -> Kind:
    """Return the kind of what a loop runs over."""
    if source.kind not in (Kind.NUMBERS, Kind.LIST):
        raise UntranslatableError(f"a loop over {ast.unparse(node)}, which may be an array")
    return Kind.NUMBER if source.kind is Kind.NUMBERS else Kind.UNKNOWN


def _path(node: ast.expr) -> str:
    """Return the path of a name of the library: ``linalg.inv``; empty for anything else."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    is_library = isinstance(node, ast.Name) and node.id == LIBRARY
    return ".".join(reversed(parts)) if is_library else ""


def _is_float(node: ast.expr) -> bool:
    """Whether an expression names a type of floating-point numbers, which all data have."""
    match node:
        case ast.Name():
            return node.id in ("float", PRECISION)
        case ast.Attribute():
            return node.attr in (PRECISION, "float64", "float32")
    return False


def _is_negative(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)


def _quotient_of_large(node: ast.BinOp) -> str | None:
    """Divide two integers of which one is too large for a number of JavaScript."""
    match node:
        case ast.BinOp(ast.Constant(value=int(above)), ast.Div(), ast.Constant(value=int(below))):
            if below and max(abs(above), abs(below)) > LARGEST_EXACT:
                return repr(float(Fraction(above, below)))
    return None


def _opens(left: Written, name: str) -> bool:
    """Whether a text is one call of `name`, to which another argument can be added."""
    if not left.text.startswith(f"{name}("):
        return False
    depth = 0
    for place, glyph in enumerate(left.text):
        depth += (glyph in "([{") - (glyph in ")]}")
        if depth == 0 and glyph == ")":
            return place == len(left.text) - 1
    return False


def _joined(args: Iterable[Written]) -> str:
    return ", ".join(arg.text for arg in args)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _template(text: str) -> str:
    return text.replace("\\", "\\\\").replace("`", "\\`").replace("${", "\\${")
