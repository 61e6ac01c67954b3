"""The check in a generated Python module: every gradient against central differences."""

from __future__ import annotations

import ast
from collections.abc import Mapping

from chainrule.calculus.graph.dims import is_tensor
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Symbol
from chainrule.language.codegen.dialects import Dialect, spelled
from chainrule.language.codegen.drawing import drawn_inputs

INDENT = "    "

DRAW = '''def draw(seed=0):
    """Return small random inputs at which the cost is a finite number."""
    {random}

    def uniform(low, *shape):
        return {uniform}
{whole}
    for low in [-1.0] * 50 + [0.1] * 50:  # only positive numbers, if others fail
        inputs = {{
{inputs}
        }}
{related}{finite}
            return inputs
    raise ValueError("no inputs were found at which the cost is finite")
'''

WHOLE = """
    def whole(count, *shape):
        return {whole}
"""

CHECK = '''def check(seed=0, step=1e-5):
    """Compare every gradient with central differences; return the largest difference.

    Differences are relative to the largest entry of a gradient.
    """
{setup}    inputs = draw(seed)
    cache = forward(**inputs)
    worst = 0.0
    for name, gradient in backward(cache).items():
        value = inputs[name] if name in inputs else cache[name]
        gap, size = 0.0, 1e-3
{loops}
{nudge}
{indent}ahead = forward(**{{**inputs, name: value + nudge}})["{cost}"]
{indent}behind = forward(**{{**inputs, name: value - nudge}})["{cost}"]
{indent}slope = float((ahead - behind)[0, 0]) / (2 * step)
{indent}gap = max(gap, abs(slope - float(gradient[{place}])))
{indent}size = max(size, abs(slope))
        print(f"{{name}}: {{gap / size:.1e}}")
        worst = max(worst, gap / size)
    return worst


if __name__ == "__main__":
    check()
'''


ENTRIES = """        for i in range(value.shape[0]):
            for j in range(value.shape[1]):"""
"""The loops over the entries of a matrix, ``value[i, j]``."""

ENTRIES_OF_TENSORS = """        places = [()]
        for length in value.shape:
            places = [(*place, k) for place in places for k in range(length)]
        for place in places:"""
"""The loop over the entries of a matrix or a tensor, ``value[place]``."""


def check_text(dialect: Dialect, model: Model, names: Mapping[Symbol, str]) -> str:
    """Write the functions `draw` and `check` of a module.

    Parameters
    ----------
    dialect : Dialect
        The target.
    model : Model
        The forward pass as it is run.
    names : mapping of Symbol to str
        The identifiers of its matrices.
    """
    draws, whole = [], False
    for each in drawn_inputs(model):
        kind = "uniform(low" if each.count is None else f"whole({each.count}"
        line = f'"{names[each.symbol]}": {kind}, {", ".join(map(str, each.shape))}),'
        draws.append(f"{INDENT * 3}{line}")
        whole = whole or each.count is not None
    related = [
        f"{INDENT * 2}{line}\n"
        for known in model.onehot
        for line in _shares(names[known.symbol], known.axis, dialect)
    ]
    for symbol in model.inputs:
        if symbol.symmetric:
            name = f'inputs["{names[symbol]}"]'
            related.append(f"{INDENT * 2}{name} = ({name} + {name}.T) / 2\n")
    tensors = any(is_tensor(symbol.shape) for symbol in model.symbols)
    place, indent = ("place", INDENT * 3) if tensors else ("i, j", INDENT * 4)
    cost = names[model.objective]
    finite = f'if {dialect.prefix}.isfinite(forward(**inputs)["{cost}"]).all():'
    quiet = [f"{INDENT * 2}{dialect.quiet}", f'{INDENT * 3}cost = forward(**inputs)["{cost}"]']
    if dialect.quiet:
        finite = f"if {dialect.prefix}.isfinite(cost).all():"
    lines = [*(quiet if dialect.quiet else ()), f"{INDENT * 2}{finite}"]
    return "\n\n".join(
        [
            DRAW.format(
                random=dialect.random.format(draws=100 * len(model.inputs)),
                uniform=dialect.uniform,
                whole=WHOLE.format(whole=dialect.whole) if whole else "",
                inputs="\n".join(draws),
                related="".join(related),
                finite="\n".join(lines),
            ),
            CHECK.format(
                setup="".join(f"{INDENT}{line}\n" for line in dialect.setup),
                loops=ENTRIES_OF_TENSORS if tensors else ENTRIES,
                indent=indent,
                nudge="\n".join(f"{indent}{line.format(place=place)}" for line in dialect.nudge),
                place=place,
                cost=cost,
            ),
        ]
    )


def _shares(name: str, axis: int, dialect: Dialect) -> list[str]:
    """Write the lines that normalise declared one-hot labels."""
    size = spelled(ast.parse(f'np.abs(inputs["{name}"])', mode="eval").body, dialect)
    total = spelled(
        ast.parse(f"np.sum(size, axis={axis}, keepdims=True)", mode="eval").body, dialect
    )
    return [f"size = {size}", f'inputs["{name}"] = size / {total}']
