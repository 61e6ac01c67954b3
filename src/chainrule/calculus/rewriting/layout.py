"""The last look at a matrix form: transposes where they are fewest, terms together, plus first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from functools import reduce
from math import prod
from operator import and_, matmul

from chainrule.calculus.graph.dims import SCALAR
from chainrule.calculus.graph.node import Apply, Expr, Number, Symbol, transform, walk
from chainrule.calculus.ops import (
    add,
    broadcast,
    div,
    mul,
    neg,
    power,
    rebuild,
    reduce_mean,
    size,
    transpose,
)
from chainrule.calculus.rewriting.rule import is_op
from chainrule.calculus.rewriting.signs import numbered


def laid_out(matrix: Expr) -> Expr:
    """Lay a matrix form out as a person would.

    A transpose goes into a product where it meets another one, ``(W X^T)^T`` is ``X W^T``; terms
    that are equal, whichever way their transposes are written, become one with a number in front; a
    positive term is written first; scalars and fraction lines leave a matrix product.
    """
    if all(node.shape == SCALAR for node in walk(matrix)):
        return transform(matrix, _plus_first)  # numbers are written by their normal form
    return transform(transform(transform(matrix, _laid_out), _over_one_line), _terms_over_one_line)


def _plus_first(node: Expr) -> Expr:
    if not is_op(node, "add"):
        return node
    counts = Counter(node.args)
    terms = [count * term for term, count in counts.items()]
    return add(*sorted(terms, key=lambda term: is_op(term, "neg")))


def _laid_out(node: Expr) -> Expr:
    if isinstance(node, Apply) and node.op.elementwise and node.shape != SCALAR:
        alone = _unspread(node)
        if alone is not node and alone.shape == SCALAR:
            node = broadcast(_mean(alone) or alone, node.shape)  # a number, not equal entries
    if is_op(node, "transpose"):
        turned = _turned(node.args[0])
        return turned if _transposes(turned) <= _transposes(node) else node
    if is_op(node, "broadcast"):
        return _number_in_front(node)
    if is_op(node, "sum") and node.shape == SCALAR and is_op(node.args[0], "div"):
        top, below = node.args[0].args
        counted = _unspread(below) is _length(top)
        return reduce_mean(top) if counted else node
    if is_op(node, "matmul"):
        return _scalars_in_front(node)
    if is_op(node, "mul"):
        counts = Counter(sorted(node.args, key=_is_inner_product))
        return _line_below([power(factor, count) for factor, count in counts.items()])
    if is_op(node, "neg"):
        return neg(node.args[0])
    if is_op(node, "div"):
        alone = _unspread(node)
        mean = _mean(alone) if alone is not node else None
        return _reduced(node) if mean is None else broadcast(mean, node.shape)
    return (_summed_together(node) or _collected(node)) if is_op(node, "add") else node


def _summed_together(total: Expr) -> Expr | None:
    """Write ``(A/D) 1 - (B/D) 1`` as one sum of one fraction."""
    signed = [(term.args[0], -1) if is_op(term, "neg") else (term, 1) for term in total.args]
    if not all(is_op(term, "matmul") and is_op(term.args[0], "div") for term, _ in signed):
        return None
    ones, below = signed[0][0].args[1], signed[0][0].args[0].args[1]
    same = all(t.args[1] is ones and t.args[0].args[1] is below for t, _ in signed)
    if not (same and isinstance(ones, Number)):
        return None
    above = [sign * term.args[0].args[0] for term, sign in signed]
    if all(sign < 0 for _, sign in signed):
        return neg(div(add(*map(neg, above)), below) @ ones)
    return div(add(*sorted(above, key=lambda part: is_op(part, "neg"))), below) @ ones


def _number_in_front(repeated: Expr) -> Expr:
    """Take a number out of what is repeated: it joins the numbers of the whole."""
    number, body = _numbered(repeated.args[0])
    if number == 1 or isinstance(body, Number):
        return repeated
    return numbered(number, broadcast(body, repeated.shape))


def _is_turned_line(factor: Expr) -> bool:
    """Whether a factor is a vector that was turned and repeated: ``M .* (R 1)^T`` has it last."""
    inner = factor.args[0] if is_op(factor, "broadcast") else factor
    turned = is_op(inner, "transpose") and not isinstance(inner.args[0], Symbol)
    return turned and inner is not factor


def _collected(node: Expr) -> Expr:
    """Add up terms that differ in a number in front, or in how a transpose is written."""
    numbers: dict[object, Fraction] = {}
    bodies: dict[object, Expr] = {}
    for term in node.args:
        number, body = _numbered(term)
        key = _untransposed(body)
        numbers[key] = numbers.get(key, Fraction(0)) + number
        bodies.setdefault(key, body)
    shares = all(number.denominator > 1 for number in numbers.values())
    if len(numbers) == len(node.args) and not shares:
        return add(*sorted(node.args, key=lambda term: is_op(term, "neg")))
    return _added([(numbers[key], bodies[key]) for key in numbers], node)


def _added(terms: list[tuple[Fraction, Expr]], node: Expr) -> Expr:
    """Add terms with numbers in front; a fraction that all share goes over the whole."""
    kept = [(number, body) for number, body in terms if number]
    if not kept:
        return Number(0, node.shape)
    below = {number.denominator for number, _ in kept}
    shared = below.pop() if len(below) == 1 and len(kept) > 1 else 1
    ordered = sorted(kept, key=lambda term: term[0] < 0)
    total = broadcast(add(*(_multiplied(n * shared, body) for n, body in ordered)), node.shape)
    return div(total, Number(shared)) if shared > 1 else total


def _multiplied(number: Fraction, body: Expr) -> Expr:
    """Put a number in front of a term, above its line where it has one."""
    if not is_op(body, "div") or not _is_scalar(body.args[1]):
        return numbered(number, body)
    top, below = body.args
    written = _reduced(div(numbered(abs(number), top), below))
    return written if number > 0 else neg(written)


def _numbered(term: Expr) -> tuple[Fraction, Expr]:
    """Split the number in front off a term."""
    if is_op(term, "neg"):
        number, body = _numbered(term.args[0])
        return -number, body
    if is_op(term, "mul") and isinstance(front := term.args[0], Number):
        return front.value, mul(*term.args[1:])
    if is_op(term, "div") and isinstance(below := term.args[1], Number):
        number, body = _numbered(term.args[0])
        return number / below.value, body
    return Fraction(1), term


def _untransposed(expr: Expr, turned: bool = False) -> tuple[tuple[Expr, bool], ...]:
    """Return the factors of a product, each with whether it is transposed, its own moved there."""
    if is_op(expr, "transpose"):
        return _untransposed(expr.args[0], not turned)
    if is_op(expr, "matmul"):
        chain = _chain(expr)
        ordered = reversed(chain) if turned else chain
        return tuple(part for factor in ordered for part in _untransposed(factor, turned))
    return ((expr, turned and expr.shape != SCALAR),)


def _scalars_in_front(product: Expr) -> Expr:
    """Take scalar factors, and what stands below a line, out of a matrix product."""
    fronts, belows, sign = list[Expr](), list[Expr](), 1
    bare: list[Expr] = []
    for factor in product.args:
        if is_op(factor, "neg"):
            sign, factor = -sign, factor.args[0]
        if is_op(factor, "div") and _is_scalar(factor.args[1]):
            belows.append(_unspread(factor.args[1]))
            factor = factor.args[0]
        parts = factor.args if is_op(factor, "mul") else (factor,)
        matrices = [part for part in parts if not _is_scalar(part)]
        if matrices and len(matrices) < len(parts):
            fronts += [_unspread(part) for part in parts if _is_scalar(part)]
            factor = mul(*matrices)
        bare.append(factor)
    if not fronts and not belows and sign > 0:
        return product
    left, right = bare
    numbers = [_value(part) for part in fronts], [_value(part) for part in belows]
    number = Fraction(sign) * prod(numbers[0]) / prod(numbers[1])
    above = [part for part in fronts if not isinstance(part, Number)]
    below = [part for part in belows if not isinstance(part, Number)]
    scaled = mul(Number(number.numerator), *above, left @ right)
    if number.denominator == 1 and not below:
        return scaled
    return div(scaled, mul(Number(number.denominator), *below))


def _value(part: Expr) -> Fraction:
    """Return the value of a number, and 1 for anything else."""
    return part.value if isinstance(part, Number) else Fraction(1)


def _over_one_line(product: Expr) -> Expr:
    """Write a fraction in front of a scalar and a matrix as one fraction: (n/2) S."""
    if not is_op(product, "mul"):
        return product
    front, *rest = product.args
    scalars = [_unspread(part) for part in rest if _is_scalar(part)]
    matrices = [part for part in rest if not _is_scalar(part)]
    if not isinstance(front, Number) or front.value.denominator == 1 or not scalars:
        return product
    return mul(numbered(front.value, mul(*scalars)), *matrices)


def _terms_over_one_line(total: Expr) -> Expr:
    """Write what all terms of a sum have below their lines below one line, numbers in front."""
    if not is_op(total, "add") or total.shape == SCALAR:
        return total
    terms = [_fraction(term) for term in total.args]
    shared = reduce(and_, (Counter(below) for _, _, below in terms))
    if not shared or any(isinstance(top, Number) for _, top, _ in terms):
        return total
    sizes = {abs(number) for number, _, _ in terms}
    number = sizes.pop() if len(sizes) == 1 else Fraction(1)
    if all(n < 0 for n, _, _ in terms):
        number = -number
    inside = []
    for n, top, below in terms:
        left = list((Counter(below) - shared).elements())
        part = div(top, mul(Number(1), *left)) if left else top
        inside.append(_multiplied(n / number, part))
    whole = add(*sorted(inside, key=lambda part: is_op(part, "neg")))
    above = numbered(abs(number), whole)
    written = _reduced(div(above, mul(Number(1), *shared.elements())))
    return written if number > 0 else neg(written)


def _fraction(term: Expr) -> tuple[Fraction, Expr, list[Expr]]:
    """Split a term into its number, what stands above its line, and the numbers below."""
    number, body = _numbered(term)
    if not is_op(body, "div") or not _is_scalar(body.args[1]):
        return number, body, []
    inner, top = _numbered(body.args[0])
    below = _unspread(body.args[1])
    divisor, below = _numbered(below)
    factors = below.args if is_op(below, "mul") else (below,)
    single = [
        factor.args[0] if is_op(factor, "power") else factor
        for factor in factors
        for _ in range(_times(factor))
    ]
    return number * inner / divisor, top, [one for one in single if one is not Number(1)]


def _times(factor: Expr) -> int:
    """Return how often a factor stands in a product, as a whole power of another."""
    if not isinstance(factor, Apply) or not is_op(factor, "power"):
        return 1
    exponent = factor.attrs[0] if factor.attrs else Fraction(0)
    return int(exponent) if exponent.denominator == 1 and exponent > 0 else 1


def _is_inner_product(factor: Expr) -> bool:
    """Whether a factor is a product of vectors that is a number: ``w a^T b`` has it last."""
    return is_op(factor, "matmul") and factor.shape == SCALAR


def _line_below(parts: Iterable[Expr]) -> Expr:
    """Multiply; a scalar below one factor stands below the whole product."""
    factors = sorted(parts, key=_is_turned_line)
    lines = [_unspread(f) if _has_line(f) else None for f in factors]
    if not any(lines) or all(_is_scalar(factor) for factor in factors):
        front, *rest = factors
        lined = [part for part in rest if is_op(part, "div")]
        if isinstance(front, Number) and front.value > 0 and len(lined) == len(rest) == 1:
            return _multiplied(front.value, rest[0])
        return mul(*factors)
    above = (line.args[0] if line else factor for line, factor in zip(lines, factors, strict=True))
    return div(mul(*above), mul(*(_unspread(line.args[1]) for line in lines if line)))


def _mean(fraction: Expr) -> Expr | None:
    """Write the sum of all entries of a vector over their number, ``1^T y/n``, as the mean."""
    if not is_op(fraction, "div") or not is_op(fraction.args[0], "matmul"):
        return None
    top, bottom = fraction.args
    ones, vector = sorted(top.args, key=lambda arg: not isinstance(arg, Number))
    alone = isinstance(ones, Number) and ones.value == 1 and top.shape == SCALAR
    return reduce_mean(vector) if alone and bottom is _length(vector) else None


def _length(vector: Expr) -> Expr | None:
    """Return the number of entries of a vector; nothing for a matrix."""
    long = [dim for dim in vector.shape if dim != 1]
    return size(long[0]) if len(long) == 1 else None


def _has_line(factor: Expr) -> bool:
    """Whether a matrix is divided by a scalar, or a scalar is one over another."""
    bare = _unspread(factor)
    if not is_op(bare, "div") or not _is_scalar(bare.args[1]):
        return False
    return bare.shape != SCALAR or bare.args[0] is Number(1)


def _reduced(fraction: Expr) -> Expr:
    """Cancel the numbers in front above and below a line."""
    above, top = _numbered(fraction.args[0])
    below, bottom = _numbered(fraction.args[1])
    number = above / below
    if below == 1 or isinstance(bottom, Number) or above.denominator != 1:
        return fraction
    return div(mul(Number(number.numerator), top), mul(Number(number.denominator), bottom))


def _is_scalar(part: Expr) -> bool:
    """Whether a factor is the same number everywhere."""
    return isinstance(part, Number) or _unspread(part).shape == SCALAR


def _unspread(part: Expr) -> Expr:
    """Return the number that a factor is everywhere, if it is; else the factor."""
    if isinstance(part, Number):
        return Number(part.value)
    if is_op(part, "broadcast"):
        return part.args[0]
    if isinstance(part, Apply) and part.op.elementwise and part.shape != SCALAR:
        inner = tuple(_unspread(arg) for arg in part.args)
        if all(arg.shape == SCALAR for arg in inner):
            return rebuild(part, inner)
    return part


def _turned(expr: Expr) -> Expr:
    """Write a transpose as a product of transposes, the numbers and signs in front."""
    if is_op(expr, "neg"):
        return neg(_turned(expr.args[0]))
    if is_op(expr, "div") and _is_scalar(expr.args[1]):
        return div(_turned(expr.args[0]), _unspread(expr.args[1]))
    if is_op(expr, "mul"):
        scalars = [_unspread(part) for part in expr.args if _is_scalar(part)]
        matrices = [part for part in expr.args if not _is_scalar(part)]
        if scalars and matrices:
            return mul(*scalars, _turned(mul(*matrices)))
    if is_op(expr, "matmul"):
        return reduce(matmul, (transpose(factor) for factor in reversed(_chain(expr))))
    return transpose(expr)


def _chain(expr: Expr) -> list[Expr]:
    if is_op(expr, "matmul"):
        return [factor for arg in expr.args for factor in _chain(arg)]
    return [expr]


def _transposes(expr: Expr) -> int:
    """Count the transposes that are written, each as often as it is."""
    count: dict[Expr, int] = {}
    for node in walk(expr):
        ones = isinstance(node, Number) and node.shape[0] == 1 != node.shape[1]  # written 1^T
        written = is_op(node, "transpose") or ones
        count[node] = written + sum(count[arg] for arg in node.args)
    return count[expr]
