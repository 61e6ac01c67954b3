"""Windows that slide over a matrix: convolution and pooling are products and reductions of them.

Every window becomes a column, its entries row by row (im2col); `fold` adds columns back up where
their windows lie (col2im). Convolution is meant as networks mean it: the kernel is not turned.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from chainrule.calculus.graph.dims import Dim, Shape, divided, minus, plus, possible, times, written
from chainrule.calculus.graph.node import Apply, Expr, Number, Position
from chainrule.calculus.graph.op import Law, Layout, Mistake, Notation, Op, closed
from chainrule.calculus.ops.arrangement import reshape, stack
from chainrule.calculus.ops.extremes import reduce_max
from chainrule.calculus.ops.linear import matmul, transpose
from chainrule.calculus.ops.reduction import COLUMNS, ROWS, broadcast, reduce_mean, reduce_sum
from chainrule.errors import ShapeError

Padding: TypeAlias = Dim | str
"""How many zeros stand at each end, or ``"valid"`` for none, ``"same"``, ``"full"``."""


def windows(
    x: Expr,
    height: Dim,
    width: Dim,
    down: Dim = 1,
    across: Dim = 1,
    stride: Dim | None = None,
) -> Expr:
    """Make a column of every window, going down by `down` rows and across by `across` columns.

    `stride` says both, but for a side along which windows have a single entry.

    Raises
    ------
    ShapeError
        When the windows do not fill the matrix.
    """
    down, across = _strides(height, width, down, across, stride)
    return Apply(WINDOWS, (x,), (height, width, down, across))


def fold(
    g: Expr,
    height: Dim,
    width: Dim,
    rows: Dim,
    columns: Dim,
    down: Dim = 1,
    across: Dim = 1,
    stride: Dim | None = None,
) -> Expr:
    """Add the columns of `g` up where the windows of a (rows, columns) matrix lie."""
    down, across = _strides(height, width, down, across, stride)
    attrs = (height, width, down, across, rows, columns)
    wanted = _windows_shape(((rows, columns),), attrs)
    if g.shape != wanted and all(own in (1, w) for own, w in zip(g.shape, wanted, strict=True)):
        g = broadcast(g, wanted)  # the same for every place in a window, or in every window
    return Apply(FOLD, (g,), attrs)


def _strides(
    height: Dim, width: Dim, down: Dim, across: Dim, stride: Dim | None
) -> tuple[Dim, Dim]:
    if stride is None:
        return down, across
    return (1 if height == 1 else stride), (1 if width == 1 else stride)


def padded(x: Expr, size: Dim, axis: int = COLUMNS) -> Expr:
    """Put zeros before and behind a matrix."""
    if size == 0:
        return x
    zeros = Number(0, (size, x.shape[1]) if axis == ROWS else (x.shape[0], size))
    return stack((zeros, x, zeros), axis)


def conv1d(x: Expr, w: Expr, stride: Dim = 1, padding: Padding = "valid") -> Expr:
    """Let kernels slide over a sequence: y_i = sum_k w_k x_(i + k - 1).

    A sequence of channels lies in rows, and then every row of `w` is a kernel over all channels.
    Two columns are a sequence and a kernel that stand.

    Raises
    ------
    ShapeError
        When the kernels do not fit the channels, or the windows do not fill the sequence.
    """
    if x.shape[1] == 1 and w.shape[1] == 1 and x.shape[0] != 1:
        return transpose(conv1d(transpose(x), transpose(w), stride, padding))
    channels = x.shape[0]
    width = divided(w.shape[1], channels)
    if width is None:
        raise ShapeError(
            f"a kernel over {channels} channels has {channels} k columns; w is {written(w.shape)}"
        )
    x = padded(x, _ends(width, padding))
    return matmul(w, windows(x, channels, width, 1, stride))


def convolve(a: Expr, w: Expr) -> Expr:
    """Let a kernel slide with its ends over the edges, turned round: the adjoint of `conv1d`."""
    if a.shape[1] == 1 and w.shape[1] == 1 and a.shape[0] != 1:
        return transpose(convolve(transpose(a), transpose(w)))
    if a.shape[0] != 1 or w.shape[0] != 1:
        raise ShapeError(
            f"two sequences are convolved, not {written(a.shape)} and {written(w.shape)}"
        )
    width = w.shape[1]
    return fold(matmul(transpose(w), a), 1, width, 1, minus(plus(a.shape[1], width), 1))


def conv2d(x: Expr, kernel: Expr, stride: Dim = 1, padding: Padding = "valid") -> Expr:
    """Let a kernel slide over a picture."""
    height, width = kernel.shape
    x = padded(padded(x, _ends(height, padding), ROWS), _ends(width, padding), COLUMNS)
    places = (_count(x.shape[0], height, stride), _count(x.shape[1], width, stride))
    flat = reshape(kernel, (1, times(height, width)))
    return reshape(matmul(flat, windows(x, height, width, stride, stride)), places)


def maxpool(x: Expr, size: Dim, across: Dim | None = None, stride: Dim | None = None) -> Expr:
    """Keep the largest entry of every window; by default the windows do not overlap."""
    return _pooled(reduce_max, x, size, across, stride)


def avgpool(x: Expr, size: Dim, across: Dim | None = None, stride: Dim | None = None) -> Expr:
    """Keep the mean of every window; by default the windows do not overlap."""
    return _pooled(reduce_mean, x, size, across, stride)


def _pooled(
    reduce: Callable[[Expr, int], Expr], x: Expr, size: Dim, across: Dim | None, stride: Dim | None
) -> Expr:
    height, width = (1 if dim == 1 and across is None else size for dim in x.shape)
    width = width if across is None else across
    down, over = (height, width) if stride is None else (stride, stride)
    down, over = (1 if height == 1 else down), (1 if width == 1 else over)
    places = (_count(x.shape[0], height, down), _count(x.shape[1], width, over))
    return reshape(reduce(windows(x, height, width, down, over), ROWS), places)


def _ends(width: Dim, padding: Padding) -> Dim:
    """Return how many zeros stand at each end."""
    if padding == "valid":
        return 0
    if padding == "full":
        return minus(width, 1)
    if padding == "same":
        half = divided(minus(width, 1), 2)
        if half is None:
            raise ShapeError(
                f"padding=same needs a kernel of odd width, such as 3 or 2r + 1, not {width}"
            )
        return half
    return padding


def _count(size: Dim, window: Dim, stride: Dim) -> Dim:
    """Return how many windows fit along a dimension."""
    found = divided(size, window) if window == stride else None
    if found is None:
        steps = divided(minus(size, window), stride)
        found = None if steps is None else plus(steps, 1)
    if found is None or not possible(found):
        raise ShapeError(
            f"windows of {window}, {stride} apart, do not fill {size}; declare a size that they "
            f"fill, such as {times(window, 'r') if window == stride else plus(window, stride)}"
        )
    return found


def _counts(shape: Shape, attrs: tuple[Any, ...]) -> Shape:
    height, width, down, across = attrs[:4]
    return _count(shape[0], height, down), _count(shape[1], width, across)


def _windows_shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    return times(attrs[0], attrs[1]), times(*_counts(shapes[0], attrs))


def _fold_shape(shapes: tuple[Shape, ...], attrs: tuple[Any, ...]) -> Shape:
    whole = (attrs[4], attrs[5])
    wanted = _windows_shape((whole,), attrs)
    if shapes[0] != wanted:
        raise ShapeError(
            f"the windows of {written(whole)} are {written(wanted)}, "
            f"and this is {written(shapes[0])}"
        )
    return whole


def _taken(size: int, window: int, stride: int) -> list[slice]:
    """Return, for each place in a window, where it lies in all windows along a dimension."""
    last = (size - window) // stride * stride
    return [slice(place, place + last + 1, stride) for place in range(window)]


def _windows_value(xp: Any, x: Any, attrs: tuple[int, ...]) -> Any:  # noqa: ANN401
    height, width, down, across = attrs
    lines = [
        x[rows, columns].reshape((1, -1))
        for rows in _taken(x.shape[0], height, down)
        for columns in _taken(x.shape[1], width, across)
    ]
    return xp.concatenate(lines, axis=0)


def _fold_value(xp: Any, g: Any, attrs: tuple[int, ...]) -> Any:  # noqa: ANN401
    height, width, down, across, rows, columns = attrs
    standing, lying = xp.eye(rows), xp.eye(columns)
    total = xp.full((rows, columns), 0)
    line = 0
    for down_here in _taken(rows, height, down):
        for across_here in _taken(columns, width, across):
            left, right = standing[:, down_here], lying[across_here, :]
            block = g[line : line + 1, :].reshape((left.shape[1], right.shape[0]))
            total = total + left @ block @ right
            line += 1
    return total


def _window_options(attrs: tuple[Any, ...]) -> str:
    height, width, down, across = attrs
    return f"{height}, {width}{_stride_option(height, width, down, across)}"


def _fold_options(attrs: tuple[Any, ...]) -> str:
    *window, rows, columns = attrs
    return f"{window[0]}, {window[1]}, {rows}, {columns}{_stride_option(*window)}"


def _stride_option(height: Dim, width: Dim, down: Dim, across: Dim) -> str:
    if (down, across) == (1, 1):
        return ""
    strides = {dim for dim, size in ((down, height), (across, width)) if size != 1 or dim != 1}
    return f", stride={strides.pop()}" if len(strides) == 1 else f", {down}, {across}"


def _window_places(
    shape: Shape, attrs: tuple[Any, ...], row: Position, col: Position
) -> tuple[str, ...] | None:
    """Write the place of an entry in the sequence itself: x_(i + k - 1)."""
    if shape[0] != 1 or attrs[3] != 1 or row is None or col is None:
        return None
    return (f"({col}+{row}-1)",)


WINDOWS: Op = Op(
    name="windows",
    shape=_windows_shape,
    value=lambda xp, x, *, out_shape, attrs: _windows_value(xp, x, attrs),
    vjp=lambda g, out, args, attrs: (Apply(FOLD, (g,), (*attrs, *args[0].shape)),),
    index=closed,
    moves=True,
    notation=Notation(
        Layout.FUNCTION,
        "windows",
        r"\operatorname{windows}",
        spoken="the windows of",
        options=_window_options,
        places=_window_places,
    ),
    code=lambda x, *, attrs: f"windows({x}, {', '.join(str(a) for a in attrs)})",
    helper='''
def windows(x, height, width, down, across):
    """Return every window of x as a column, its entries row by row."""
    tops = range(0, x.shape[0] - height + 1, down)
    lefts = range(0, x.shape[1] - width + 1, across)
    bands = [x[r : r + height] for r in tops]
    found = [band[:, c : c + width].reshape(-1) for band in bands for c in lefts]
    return np.stack(found, axis=1)
''',
    rule="window rule",
    because=(
        "an entry lies in several windows, so it is used several times, and the gradients of its "
        "uses add up at its place"
    ),
    laws=(
        Law(
            "windows of one entry are the entries",
            lambda x: windows(x, 1, 1),
            lambda x: reshape(x, (1, times(*x.shape))),
        ),
        Law(
            "the whole is one window",
            lambda x: windows(x, *x.shape),
            lambda x: reshape(x, (times(*x.shape), 1)),
        ),
    ),
    mistakes=(
        Mistake(
            "windows not added up",
            "the gradient has the shape of the whole matrix: add the windows up where they lie",
            lambda g, out, args, attrs: (g,),
        ),
    ),
)

FOLD: Op = Op(
    name="fold",
    shape=_fold_shape,
    value=lambda xp, g, *, out_shape, attrs: _fold_value(xp, g, attrs),
    vjp=lambda g, out, args, attrs: (windows(g, *attrs[:4]),),
    index=closed,
    moves=True,
    notation=Notation(
        Layout.FUNCTION,
        "fold",
        r"\operatorname{fold}",
        spoken="the windows added up, of",
        options=_fold_options,
    ),
    code=lambda g, *, attrs: (
        f"fold({g}, {', '.join(str(a) for a in (*attrs[:2], *attrs[4:], *attrs[2:4]))})"
    ),
    helper='''
def fold(g, height, width, rows, columns, down, across):
    """Add the columns of g up where the windows of a matrix lie."""
    cells = np.arange(rows * columns).reshape(rows, columns)
    tops = range(0, rows - height + 1, down)
    lefts = range(0, columns - width + 1, across)
    bands = [cells[r : r + height] for r in tops]
    found = [band[:, c : c + width].reshape(-1) for band in bands for c in lefts]
    total = np.zeros(rows * columns, dtype=g.dtype)
    np.add.at(total, np.stack(found, axis=1).reshape(-1), g.reshape(-1))
    return total.reshape(rows, columns)
''',
    rule="fold rule",
    because="an entry of a window is added at one place, so it receives the gradient of that place",
    laws=(
        Law(
            "adding up keeps the total",
            lambda g: reduce_sum(Apply(FOLD, (g,), (g.shape[0], 1, 1, 1, g.shape[0], g.shape[1]))),
            lambda g: reduce_sum(g),
        ),
    ),
    mistakes=(
        Mistake(
            "not read by windows",
            "the gradient of every window is the part of the upstream gradient under it",
            lambda g, out, args, attrs: (g,),
        ),
    ),
)

ROWS_HERE = (WINDOWS, FOLD)
"""The rows of this file, for the table."""
