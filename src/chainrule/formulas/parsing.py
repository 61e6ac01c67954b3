"""The algebra of formulas, by formulaic: from a text to its target and its terms."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, Final

from chainrule.errors import DataError
from chainrule.formulas.expressions import OF_COLUMNS, Expression

_MOST_PRODUCTS: Final = 2_000
"""Products of a formula at most: a design of more of them is not meant."""

_MOST_WRITTEN: Final = 20_000
"""Products that a power is written out as at most, equal ones included."""

_COUNTED: Final = 1e9
_CHOSEN: Final = 20
_SHOWN: Final = 80
_MOST_POWER: Final = 100
_EXAMPLE = "such as 'y ~ a*b + bs(age, df=4) + log(income)'"


@dataclass(frozen=True)
class ParsedFormula:
    """A formula, read.

    Parameters
    ----------
    text : str
    target : str
        The column on the left.
    terms : tuple of tuple of str
        The factors of each term, without the intercept.
    """

    text: str
    target: str
    terms: tuple[tuple[str, ...], ...]

    @property
    def factors(self) -> tuple[str, ...]:
        """All factors, each once."""
        return tuple(dict.fromkeys(factor for term in self.terms for factor in term))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns on the right, each once."""
        return tuple(dict.fromkeys(n for factor in self.factors for n in columns_of(factor)))

    @property
    def categories(self) -> tuple[str, ...]:
        """The columns that are categories because the formula says so: C(column)."""
        called = ((Expression(f).call, f) for f in self.factors if not is_name(f))
        return tuple(columns_of(f)[0] for call, f in called if call is not None and call[0] == "C")


def parse(text: str) -> ParsedFormula:
    """Read a formula; its expressions are checked and nothing is evaluated.

    Raises
    ------
    DataError
        For what is not a formula, has no target or no intercept, or holds what is not allowed; or
        when formulaic is not installed.
    """
    found = _structure(text)
    left, right = getattr(found, "lhs", None), getattr(found, "rhs", found)
    if left is None:
        raise DataError(f"the formula {text!r} has no target: write {_EXAMPLE}.")
    try:
        targets = [[_written(factor) for factor in term.factors] for term in left]
        terms = [tuple(_written(factor) for factor in term.factors) for term in right]
    except (AttributeError, TypeError):
        raise DataError(
            f"the formula {text!r} has several parts: '|' and '[...]' are not for these models."
        ) from None
    if len(targets) != 1 or len(targets[0]) != 1:
        raise DataError(f"the formula {text!r} has {len(targets)} targets; name one column.")
    target = targets[0][0]
    name = target.strip("`")
    if not is_name(target):
        raise DataError(
            f"the target {target!r} of the formula is not a column. Transform it in the table, or "
            "choose a link."
        )
    if ("1",) not in terms:
        raise DataError(
            f"the formula {text!r} has no intercept, and these fits have one. Omit '0' and '-1'."
        )
    rest = tuple(term for term in terms if term != ("1",))
    if not rest:
        raise DataError(f"the formula {text!r} has no columns on the right: write {_EXAMPLE}.")
    parsed = ParsedFormula(text, name, rest)
    if name in parsed.columns:
        raise DataError(f"column {name!r} is on both sides of the formula {text!r}.")
    return parsed


def columns_of(factor: str) -> tuple[str, ...]:
    """Return the columns of a factor; reject what is not allowed in one."""
    if is_name(factor):
        return (factor.strip("`"),)
    expression = Expression(factor)
    call = expression.call
    if call is None:
        found = tuple(dict.fromkeys(expression.names()))
    else:
        function, arguments, _ = call
        if not arguments:
            raise DataError(f"{factor}: {function} is a function of a column.")
        found = tuple(dict.fromkeys(expression.names(arguments[0])))
    if not found:
        raise DataError(f"the formula holds {factor!r}, in which there is no column.")
    return found


def is_name(factor: str) -> bool:
    """Whether a factor is the name of a column: in backticks, unless it is an identifier."""
    return factor.isidentifier() or re.fullmatch("`[^`]+`", factor) is not None


def _written(factor: Any) -> str:  # noqa: ANN401
    """Return a factor of formulaic as text, names that are not identifiers in backticks."""
    text = str(factor.expr)
    is_lookup = str(getattr(factor.eval_method, "value", "")) == "lookup"
    return f"`{text}`" if is_lookup and not text.isidentifier() else text


def _structure(text: str) -> Any:  # noqa: ANN401
    try:
        from formulaic.parser import DefaultFormulaParser
    except ImportError:
        raise DataError(
            "reading a formula needs formulaic. Install it with: pip install 'chainrule[formula]'."
        ) from None
    try:
        parser = DefaultFormulaParser()
        _check_tokens(text, list(parser.get_tokens(text)))
        _refuse_many_products(text, parser.get_ast(text))
        return parser.get_terms(text)
    except DataError:
        raise
    except Exception as error:  # of many kinds, those of Python's own parser included
        first = str(error).strip().splitlines() or ["it cannot be read"]
        raise DataError(
            f"the formula {text!r} cannot be read: {first[0].rstrip('.')}. Write it {_EXAMPLE}."
        ) from None


def _check_tokens(text: str, tokens: list[Any]) -> None:
    """Reject the dot, and powers that are too high for any use."""
    words = [str(token) for token in tokens]
    operators = [getattr(token.kind, "value", "") == "operator" for token in tokens]
    for place, (word, is_operator) in enumerate(zip(words, operators, strict=True)):
        if is_operator and word == ".":
            raise DataError(
                f"the formula {text!r} holds '.', which stands for all columns elsewhere. Name the "
                "columns, or fit all of them with --target and without --formula."
            )
        if is_operator and word in ("**", "^") and place + 1 < len(words):
            power = words[place + 1]
            if power.isdigit() and int(power) > _MOST_POWER:
                raise DataError(
                    f"the formula {text!r} has the power {power}. Choose a lower one: a power "
                    "above the number of columns adds nothing."
                )


@dataclass(frozen=True)
class _Size:
    """How many terms a part of a formula has, at most, and how many of them are products.

    Parameters
    ----------
    terms, products : float
    written : float
        The products that a power inside is written out as, equal ones included.
    """

    terms: float = 1.0
    products: float = 0.0
    written: float = 0.0


def _refuse_many_products(text: str, tree: Any) -> None:  # noqa: ANN401
    """Reject a formula with too many products to write out, before they are."""
    found = _size(tree)
    many = max(found.products, found.written)
    if found.products > _MOST_PRODUCTS or found.written > _MOST_WRITTEN:
        count = f"{many:,.0f}" if many < _COUNTED else f"about {many:.1e}"
        shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
        raise DataError(
            f"the formula {shown!r} has too many products: it stands for {count} of them, and at "
            f"most {_MOST_PRODUCTS:,} are written out. Each '*' doubles the terms, for a*b is "
            "a + b + a:b. Name the products that matter, or take all pairs: (a + b + c)**2."
        )


def _size(root: Any) -> _Size:  # noqa: ANN401
    """Return the size of a syntax tree of formulaic, without recursion: formulas may be long."""
    done: dict[int, _Size] = {}
    stack = [root]
    while stack:
        node = stack[-1]
        parts = list(getattr(node, "args", ()))
        waiting = [part for part in parts if id(part) not in done]
        if waiting:
            stack += waiting
            continue
        stack.pop()
        symbol = getattr(getattr(node, "operator", None), "symbol", "")
        done[id(node)] = _joined(str(symbol), parts, [done[id(part)] for part in parts])
    return done[id(root)]


def _joined(symbol: str, parts: list[Any], sizes: list[_Size]) -> _Size:
    if not sizes:
        return _Size()
    written = max(size.written for size in sizes)
    counts = [size.terms for size in sizes]
    plain = sum(size.terms - size.products for size in sizes)
    if symbol == ":":
        return _Size(math.prod(counts), math.prod(counts), written)
    if symbol == "*":
        terms = math.prod(count + 1 for count in counts) - 1
        return _Size(terms, terms - plain, written)
    if symbol in ("/", "in"):
        return _Size(sum(counts), max(counts), written)
    if symbol in ("**", "^"):
        power = str(parts[1])  # formulaic names what is wrong with one that is no number
        times = int(power) if power.isdigit() else 1
        base = min(counts[0], _COUNTED)
        # The different products: choices of up to so many of the terms.
        different = float(sum(math.comb(int(base), k) for k in range(1, min(times, _CHOSEN) + 1)))
        plain = sizes[0].terms - sizes[0].products
        return _Size(different, different - plain, max(written, float(base) ** min(times, _CHOSEN)))
    return _Size(sum(counts), sum(size.products for size in sizes), written)


__all__ = ["OF_COLUMNS", "ParsedFormula", "columns_of", "is_name", "parse"]
