"""The check that a module brings along: every gradient against central differences."""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.graph.dims import Shape, Size, base_names, measured
from chainrule.graph.sizes import assigned
from chainrule.interpreters.code.dialects import Dialect
from chainrule.interpreters.code.lines import INDENT

SMALL = (3, 5, 2, 4)
"""Sizes of the dimensions in turn: unequal, so that a missing transpose cannot hide."""

DRAW = '''def draw(seed=0):
    """Return small random inputs at which the cost is a finite number."""
    {random}

    def uniform(low, *shape):
        return {uniform}

    for low in [-1.0] * 50 + [0.1] * 50:  # only positive numbers, if others fail
        inputs = {{
{inputs}
        }}
{finite}
            return inputs
    raise ValueError("no inputs were found at which the cost is finite")
'''

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
        for i in range(value.shape[0]):
            for j in range(value.shape[1]):
{nudge}
                ahead = forward(**{{**inputs, name: value + nudge}})["{cost}"]
                behind = forward(**{{**inputs, name: value - nudge}})["{cost}"]
                slope = float((ahead - behind)[0, 0]) / (2 * step)
                gap = max(gap, abs(slope - float(gradient[i, j])))
                size = max(size, abs(slope))
        print(f"{{name}}: {{gap / size:.1e}}")
        worst = max(worst, gap / size)
    return worst


if __name__ == "__main__":
    check()
'''


def check_text(dialect: Dialect, inputs: Mapping[str, Shape], cost: str) -> str:
    """Write the functions `draw` and `check` of a module.

    Parameters
    ----------
    dialect : Dialect
        The target.
    inputs : mapping of str to Shape
        The arguments of `forward`.
    cost : str
        The name of the cost in the cache.
    """
    dims = [dim for shape in inputs.values() for dim in shape]
    names = list(dict.fromkeys(name for dim in dims for name in base_names(dim)))
    sizes = assigned(names, [dim for dim in dims if isinstance(dim, Size)], SMALL, (6, 7, 8, 9))
    draws = []
    for name, shape in inputs.items():
        rows, columns = (measured(dim, sizes) for dim in shape)
        draws.append(f'{INDENT * 3}"{name}": uniform(low, {rows}, {columns}),')
    finite = f'if {dialect.prefix}.isfinite(forward(**inputs)["{cost}"]).all():'
    quiet = [f"{INDENT * 2}{dialect.quiet}", f'{INDENT * 3}cost = forward(**inputs)["{cost}"]']
    if dialect.quiet:
        finite = f"if {dialect.prefix}.isfinite(cost).all():"
    lines = [*(quiet if dialect.quiet else ()), f"{INDENT * 2}{finite}"]
    return "\n\n".join(
        [
            DRAW.format(
                random=dialect.random.format(draws=100 * len(inputs)),
                uniform=dialect.uniform,
                inputs="\n".join(draws),
                finite="\n".join(lines),
            ),
            CHECK.format(
                setup="".join(f"{INDENT}{line}\n" for line in dialect.setup),
                nudge="\n".join(f"{INDENT * 4}{line}" for line in dialect.nudge),
                cost=cost,
            ),
        ]
    )
