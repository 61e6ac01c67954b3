"""Provenance: where each sub-expression of a line comes from in the line before.

Nodes are interned, so one node may occur at several places. A place is therefore named by its
path: the position of the argument at each level, from the root. A replacement that the rewriting
recorded gives the place at which the line changed; everything outside it stays. Inside it, and in
steps without a record, equal sub-expressions are matched, the largest first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from chainrule.calculus.graph.node import Apply, Entry, Expr, Number, Symbol, Total, walk
from chainrule.calculus.graph.op import Layout
from chainrule.calculus.graph.paths import Path, Placed, places
from chainrule.calculus.graph.replacement import Replacement


class OriginKind(Enum):
    """The change of a sub-expression between two lines."""

    KEPT = "kept"  # the same expression in the same place
    MOVED = "moved"  # the same expression in another place, or once more
    AROUND = "around"  # the same operator, around arguments of which one changed
    REWRITTEN = "rewritten"  # what the rule made of another expression
    SUBSTITUTED = "substituted"  # part of an answer that was put in for what stood there
    INTRODUCED = "introduced"  # not in the line before


@dataclass(frozen=True)
class Origin:
    """The origin of one sub-expression.

    Parameters
    ----------
    kind : OriginKind
        What happened to it.
    source : tuple of int or None
        Its path in the line before; nothing where it was introduced.
    """

    kind: OriginKind
    source: Path | None


@dataclass(frozen=True)
class Provenance:
    """The origins of all sub-expressions of a line.

    Parameters
    ----------
    rule : str
        The rule that made the line.
    origins : mapping of tuple of int to Origin
        By the path in the new line, every path once, in reading order.
    cancelled : tuple of tuple of int
        The paths of the largest sub-expressions of the line before of which nothing is left.
    recorded : bool
        Whether the rewriting recorded the place that changed; otherwise the two lines were
        compared.
    answered_in : int or None
        The number of the step whose answer was put in.
    """

    rule: str
    origins: Mapping[Path, Origin]
    cancelled: tuple[Path, ...]
    recorded: bool
    answered_in: int | None = None


def answered(rule: str, answer: Expr) -> Provenance:
    """Return the provenance of an answer, of which nothing stands in the question."""
    introduced = Origin(OriginKind.INTRODUCED, None)
    origins = dict.fromkeys((path for path, _ in places(answer)), introduced)
    origins[()] = Origin(OriginKind.REWRITTEN, ())
    return Provenance(rule, origins, (), recorded=True)


def traced(
    rule: str, before: Expr, after: Expr, replacement: Replacement | None = None
) -> Provenance:
    """Return the provenance of a rewritten line.

    Parameters
    ----------
    rule : str
        The rule that made the line.
    before, after : Expr
        The line before, and the line.
    replacement : Replacement, optional
        What the rewriting recorded.
    """
    trace = _Trace(replacement)
    if before is after:
        trace.carry((), after, (), OriginKind.KEPT)
    elif replacement is None:
        trace.recorded = False
        trace.align(((), before), ((), after))
    else:
        hole = Symbol("the part replaced", replacement.before.shape)
        trace.guided(((), before), ((), after), replacement.around(hole), hole)
    origins = {path: trace.origins[path] for path, _ in places(after)}
    return Provenance(
        rule,
        origins,
        _cancelled(before, origins),
        trace.recorded,
        None if replacement is None else replacement.answered_in,
    )


class _Trace:
    """Collects the origins of one line."""

    def __init__(self, replacement: Replacement | None) -> None:
        self.origins: dict[Path, Origin] = {}
        self.recorded = True
        answered = replacement is not None and replacement.answered_in is not None
        self.replaced = (
            (replacement.before, replacement.after) if replacement else (Number(0), Number(0))
        )
        self.answer = replacement.after if answered and replacement is not None else None
        self.asked = replacement.before if answered and replacement is not None else None
        self.asked_at: Path = ()

    def note(self, path: Path, kind: OriginKind, source: Path | None) -> None:
        self.origins[path] = Origin(kind, source)

    def carry(self, source: Path, expr: Expr, target: Path, kind: OriginKind) -> None:
        """Note that a whole sub-expression comes from an equal one."""
        for path, _ in places(expr):
            self.note(target + path, kind, source + path)

    def put_in(self, source: Path, expr: Expr, target: Path) -> None:
        """Note that a sub-expression belongs to an answer."""
        for path, _ in places(expr):
            self.note(target + path, OriginKind.SUBSTITUTED, source)

    # ---- along a recorded replacement ------------------------------------------------------

    def guided(self, old: Placed, new: Placed, frame: Expr, hole: Symbol) -> None:
        """Follow the frame, in which the hole stands for the part that was replaced."""
        (o, before), (n, after) = old, new
        if frame is hole:
            self.filled([old], [new], o)
            return
        if before is frame is after:
            self.carry(o, after, n, OriginKind.KEPT)
            return
        if _is_sign(before) and not _is_sign(frame):
            o, before = (*o, 0), before.args[0]
        if _is_sign(after) and not _is_sign(frame):
            self.note(n, OriginKind.REWRITTEN, old[0])
            n, after = (*n, 0), after.args[0]
        holes = [k for k, arg in enumerate(frame.args) if hole in set(walk(arg))]
        alike = _same_head(frame, before) and _same_head(frame, after)
        if alike and len(holes) == 1 and self._around_slice((o, before), (n, after), frame, hole):
            return
        if alike and holes and self._around_parts((o, before), (n, after), frame, hole):
            return
        # The builders have merged the part with what stands around it.
        self.recorded = False
        self.align((o, before), (n, after))

    def _around_slice(self, old: Placed, new: Placed, frame: Expr, hole: Symbol) -> bool:
        """Follow a sum or a product of which neighbouring arguments took the place of the part."""
        (o, before), (n, after) = old, new
        (k,) = (k for k, arg in enumerate(frame.args) if hole in set(walk(arg)))
        behind = len(frame.args) - k - 1
        ends = len(before.args) - behind, len(after.args) - behind
        if min(ends) < k:
            return False
        for args, end in ((before.args, ends[0]), (after.args, ends[1])):
            if args[:k] != frame.args[:k] or args[end:] != frame.args[k + 1 :]:
                return False
        self.note(n, OriginKind.AROUND, o)
        for j in range(k):
            self.carry((*o, j), after.args[j], (*n, j), OriginKind.KEPT)
        for j in range(behind):
            source, target = (*o, ends[0] + j), (*n, ends[1] + j)
            self.carry(source, after.args[ends[1] + j], target, OriginKind.KEPT)
        olds = [((*o, j), before.args[j]) for j in range(k, ends[0])]
        news = [((*n, j), after.args[j]) for j in range(k, ends[1])]
        if len(olds) == len(news) == 1:
            self.guided(olds[0], news[0], frame.args[k], hole)
        else:
            self.filled(olds, news, o)
        return True

    def _around_parts(self, old: Placed, new: Placed, frame: Expr, hole: Symbol) -> bool:
        """Follow an operation of which several arguments hold the part."""
        (o, before), (n, after) = old, new
        slices: list[tuple[Expr, list[Placed], list[Placed]]] = []
        starts = [0, 0]
        for arg in frame.args:
            pair: list[list[Placed]] = []
            for side, (path, whole, part) in enumerate(
                ((o, before, self.replaced[0]), (n, after, self.replaced[1]))
            ):
                # A sum in a sum is one sum: its terms took the place of the part.
                count = len(part.args) if arg is hole and _same_head(part, frame) else 1
                first, starts[side] = starts[side], starts[side] + count
                inside = enumerate(whole.args[first : first + count], first)
                pair.append([((*path, k), inner) for k, inner in inside])
            slices.append((arg, pair[0], pair[1]))
        if starts != [len(before.args), len(after.args)]:
            return False
        self.note(n, OriginKind.AROUND, o)
        for arg, olds, news in slices:
            if arg is hole:
                self.filled(olds, news, o)
            else:
                self.guided(olds[0], news[0], arg, hole)
        return True

    def filled(self, olds: Sequence[Placed], news: Sequence[Placed], source: Path) -> None:
        """Note what stands in the place of the part."""
        if self.answer is not None:
            for path, expr in news:
                self.put_in(olds[0][0] if olds else source, expr, path)
        elif len(olds) == len(news) == 1:
            self.align(olds[0], news[0])
        else:
            self.region(olds, news, source)

    # ---- by comparison ---------------------------------------------------------------------

    def align(self, old: Placed, new: Placed) -> None:
        """Compare two expressions from their roots down."""
        (o, before), (n, after) = old, new
        if before is after:
            self.carry(o, after, n, OriginKind.KEPT)
        elif before is self.asked and self.answer is not None:
            self.put_in(o, after, n)
        elif _same_head(before, after):
            self.note(n, OriginKind.AROUND, o)
            olds = [((*o, k), arg) for k, arg in enumerate(before.args)]
            news = [((*n, k), arg) for k, arg in enumerate(after.args)]
            if _in_any_order(after) or len(olds) != len(news):
                self.match(olds, news, o)
            else:
                for pair in zip(olds, news, strict=True):
                    self.align(*pair)
        else:
            self.region([old], [new], o)

    def match(self, olds: Sequence[Placed], news: Sequence[Placed], source: Path) -> None:
        """Compare the arguments of two sums or products."""
        kept = _common_subsequence([e for _, e in olds], [e for _, e in news])
        for j, k in kept:
            self.carry(olds[j][0], olds[j][1], news[k][0], OriginKind.KEPT)
        left = [p for j, p in enumerate(olds) if j not in {j for j, _ in kept}]
        waiting = []
        for k, new in enumerate(news):
            if any(k == other for _, other in kept):
                continue
            same = next((old for old in left if old[1] is new[1]), None)
            if same is None:
                waiting.append(new)
            else:
                left.remove(same)
                self.carry(same[0], same[1], new[0], OriginKind.MOVED)
        if len(left) != len(waiting):
            self.region(left, waiting, source)
            return
        for new in waiting:
            shared = [len(_leaves(old[1]) & _leaves(new[1])) for old in left]
            self.align(left.pop(shared.index(max(shared))), new)

    def region(self, olds: Sequence[Placed], news: Sequence[Placed], source: Path) -> None:
        """Match equal sub-expressions, the largest first, and what stands around them by these."""
        there: dict[Expr, list[Path]] = {}
        for root, expr in olds:
            for path, part in places(expr, root):
                there.setdefault(part, []).append(path)
                if part is self.asked:
                    self.asked_at = path
        for paths in there.values():
            paths.sort(key=len)  # a whole argument before a part of another one
        here = [placed for path, expr in news for placed in places(expr, path)]
        used: set[Path] = set()
        found: set[Path] = set()
        for again in (False, True):  # an expression may stand in the new line more often
            for path, part in sorted(here, key=lambda placed: -_size(placed[1])):
                if _overlaps(path, found) or (again and isinstance(part, Number)):
                    continue
                free = (p for p in there.get(part, ()) if again or not _overlaps(p, used))
                place = next(free, None)
                if place is None or part is self.asked:
                    continue
                used.add(place)
                found.add(path)
                self.carry(place, part, path, OriginKind.MOVED)
        for root, expr in news:
            self._put_together(root, expr, [path for path, _ in olds])
        if len(olds) == len(news) == 1 and self.origins[news[0][0]].kind not in (
            OriginKind.MOVED,
            OriginKind.SUBSTITUTED,
        ):
            self.note(news[0][0], OriginKind.REWRITTEN, source)

    def _put_together(self, path: Path, expr: Expr, roots: Sequence[Path]) -> None:
        """Note what stands around matched sub-expressions, from the arguments up."""
        if path in self.origins:
            return
        if self.answer is not None and self.asked is not None and expr in set(walk(self.answer)):
            self.put_in(self.asked_at, expr, path)
            return
        for k, arg in enumerate(expr.args):
            self._put_together((*path, k), arg, roots)
        sources = [
            origin.source
            for k in range(len(expr.args))
            if (origin := self.origins[(*path, k)]).source is not None
        ]
        if not sources:
            self.note(path, OriginKind.INTRODUCED, None)
            return
        common = sources[0]
        for other in sources[1:]:
            length = 0
            while common[: length + 1] == other[: length + 1] and length < len(common):
                length += 1
            common = common[:length]
        if len(sources) == 1 and len(common) > min(len(root) for root in roots):
            common = common[:-1]  # the expression around the only argument that was there
        self.note(path, OriginKind.REWRITTEN, common)


def _cancelled(before: Expr, origins: Mapping[Path, Origin]) -> tuple[Path, ...]:
    """Return the largest sub-expressions of a line that no sub-expression of the next is from."""
    whole = OriginKind.AROUND, OriginKind.REWRITTEN
    parts = {o.source for o in origins.values() if o.source is not None and o.kind not in whole}
    roots = {o.source for o in origins.values() if o.source is not None and o.kind in whole}
    above = {source[:k] for source in parts | roots for k in range(len(source) + 1)}

    def gone(path: Path, expr: Expr) -> Iterator[Path]:
        if path in parts:
            return
        if path not in above:
            yield path
            return
        inner = [(*path, k) for k in range(len(expr.args))]
        if path in roots and not any(p in above for p in inner):
            return  # rewritten as a whole
        for k, arg in enumerate(expr.args):
            yield from gone((*path, k), arg)

    return tuple(gone((), before))


def _is_sign(expr: Expr) -> bool:
    return isinstance(expr, Apply) and expr.op.notation.layout is Layout.PREFIX


def _in_any_order(expr: Expr) -> bool:
    return isinstance(expr, Apply) and expr.op.notation.layout in (Layout.SUM, Layout.PRODUCT)


def _same_head(a: Expr, b: Expr) -> bool:
    """Whether two expressions are the same operation, whatever its arguments are."""
    if isinstance(a, Apply) and isinstance(b, Apply):
        return a.op is b.op and a.attrs == b.attrs
    if isinstance(a, Total) and isinstance(b, Total):
        return a.index == b.index
    if isinstance(a, Entry) and isinstance(b, Entry):
        return (a.row, a.col) == (b.row, b.col)
    return False


def _leaves(expr: Expr) -> frozenset[Expr]:
    return frozenset(node for node in walk(expr) if not node.args and not isinstance(node, Number))


def _size(expr: Expr) -> int:
    return 1 + sum(_size(arg) for arg in expr.args)


def _overlaps(path: Path, others: set[Path]) -> bool:
    """Whether a path leads into, or contains, one of some others."""
    return any(path[: len(o)] == o or o[: len(path)] == path for o in others)


def _common_subsequence(olds: Sequence[Expr], news: Sequence[Expr]) -> list[tuple[int, int]]:
    """Return the longest common subsequence, as pairs of positions."""
    lengths = [[0] * (len(news) + 1) for _ in range(len(olds) + 1)]
    for j in reversed(range(len(olds))):
        for k in reversed(range(len(news))):
            lengths[j][k] = (
                lengths[j + 1][k + 1] + 1
                if olds[j] is news[k]
                else max(lengths[j + 1][k], lengths[j][k + 1])
            )
    pairs, j, k = [], 0, 0
    while j < len(olds) and k < len(news):
        if olds[j] is news[k]:
            pairs.append((j, k))
            j, k = j + 1, k + 1
        elif lengths[j + 1][k] >= lengths[j][k + 1]:
            j += 1
        else:
            k += 1
    return pairs


__all__ = [
    "Origin",
    "OriginKind",
    "Provenance",
    "answered",
    "traced",
]
