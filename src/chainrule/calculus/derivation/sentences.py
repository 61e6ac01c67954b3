"""The reasons of a derivation: what the chain rule, a factor and a change of shape are due to."""

from __future__ import annotations

from collections.abc import Mapping

from chainrule.calculus.derivation.chain import ChainFactor, ChainRule, Paths
from chainrule.calculus.graph.dims import Index, is_tensor, written
from chainrule.calculus.graph.model import Model
from chainrule.calculus.graph.node import Apply, Entry, Expr, Number, Symbol, walk
from chainrule.calculus.indexing.rules import BATCHED, EINSUM, STACK
from chainrule.calculus.ops import TABLE


def chain_sentence(chain: ChainRule, paths: Paths, layers: Mapping[Symbol, Expr]) -> str:
    """Return the reason for the chain rule of a variable: its path, or that there are several.

    Parameters
    ----------
    chain : ChainRule
        The chain rule.
    paths : Paths
        The paths of the forward pass.
    layers : mapping of Symbol to Expr
        Intermediate values whose gradient is known, with the gradient's name or number.
    """
    variable, objective = chain.variable, paths.model.objective
    consumers = paths.consumers(variable)
    if isinstance(chain.form, Number):
        return f"{objective.name} does not depend on {variable.name}, so the gradient is zero"
    forks = len(consumers) > 1 or chain.paths > len(
        {link.target for link in chain.links} | set(chain.moved)
    )
    if forks or (isinstance(chain.form, Apply) and chain.form.op is TABLE["add"]):
        flat = {s for s, g in layers.items() if isinstance(g, Number) and not g.value}
        still = "".join(f", and that through {t.name} adds 0" for t in consumers if t in flat)
        return f"{variable.name} reaches {objective.name} along several paths; paths add{still}"
    return _path_sentence(chain, objective, layers)


def _path_sentence(chain: ChainRule, objective: Symbol, layers: Mapping[Symbol, Expr]) -> str:
    numbers = {
        layer.name: form.value
        for layer, form in layers.items()
        if isinstance(form, Number) and layer is not chain.variable
    }
    route = [chain.variable.name, *(target.name for target in chain.moved)]
    for link in reversed(chain.links):
        if link.target.name not in route:
            route.append(link.target.name)
    sums = [i for link in chain.links for i in link.bound]
    known = [t for t in route if t in numbers]
    end = objective.name if known else route[-1]
    sentence = f"{chain.variable.name} reaches {end} through {' → '.join(route)}"
    for name in known:
        sentence += f", where ∂{end}/∂{name} = {numbers[name]}"
    if sums:
        over = ", ".join(f"the {i.dim} paths {i.name} = 1..{i.dim}" for i in sums)
        sentence += f", along {over}; the sum belongs to the chain rule"
    return sentence


def factor_sentence(link: ChainFactor, model: Model) -> str:
    """Return the reason for the answer of one factor."""
    why = "; ".join(reason.because for reason in link.reasons)
    if not why:
        why = f"{link.target.name} is {_matrix_of(link.partial.wrt).name} itself"
    free = [i for i in _indices(link.partial.wrt) if i in _indices(link.partial.of)]
    if link.target is model.objective and _is_sum_of_entries(link, model):
        i = _indices(link.partial.wrt)[0]
        why += (
            f"; {i.name} is the free index here: only term {i.name} of the objective contains "
            "this entry, so no sum stands in front of the factor"
        )
    elif free:
        out, at = (_shared(side, free) for side in (link.partial.of, link.partial.wrt))
        why += f"; {out} depends on {at} alone"
    if link.repeats and link.bound:
        why += f"; {link.target.name} uses it once for every {link.bound[0].name}"
    return why


def _shared(side: Expr, free: list[Index]) -> str:
    """Return the part of a matrix that the indices in `free` give: an entry, a row or a column."""
    places = _indices(side)
    if set(places) <= set(free) or len(places) > 2:
        return "entry " + "".join(i.name for i in places if i in free)
    return f"{'row' if places[0] in free else 'column'} {free[0].name}"


def _is_sum_of_entries(link: ChainFactor, model: Model) -> bool:
    """Whether the objective is a sum of entries of which one depends on the variable."""
    value: Expr = model.values[link.target]
    while isinstance(value, Apply) and value.op.elementwise and len(value.args) == 1:
        value = value.args[0]
    reduces = isinstance(value, Apply) and value.op.rule == "sum rule" and len(value.args) == 1
    alone = len(_indices(link.partial.wrt)) == 1
    return reduces and alone and not bound_indices(link.answer)


def shape_sentence(variable: Symbol, before: Expr, matrix: Expr) -> tuple[str, str]:
    """Return the rule and the reason by which an index form becomes a whole matrix."""
    for node in walk(matrix):
        if isinstance(node, Apply) and node.op is TABLE["einsum"]:
            return EINSUM
        if isinstance(node, Apply) and node.op is TABLE["matmul"] and is_tensor(node.shape):
            return BATCHED
    transposed = _transposed(matrix)
    rule, why = STACK
    names = [t for t in transposed if isinstance(t, Symbol)]
    if names and not _transposed(before):
        rule = "transpose: the gradient has the shape of its variable"
        why = (
            f"{variable.name} is {written(variable.shape)} and so is its gradient; "
            + " and ".join(f"{t.name} is {written(t.shape)}" for t in names)
            + ", so it enters as "
            + " and ".join(f"{t.name}^T" for t in names)
        )
    elif names:
        why = (
            f"the gradient has the shape of {variable.name}, {written(variable.shape)}: "
            f"every row of {names[0].name} is a column of {names[0].name}^T"
        )
    else:
        why = f"the gradient has the shape of {variable.name}, {written(variable.shape)}"
    return rule, why


def _transposed(form: Expr) -> list[Expr]:
    return [
        node.args[0]
        for node in walk(form)
        if isinstance(node, Apply) and node.op is TABLE["transpose"]
    ]


def bound_indices(form: Expr) -> set[Index]:
    """Return the indices that a form sums over."""
    return {node.index for node in walk(form) if hasattr(node, "index")}


def _matrix_of(side: Expr) -> Symbol:
    matrix = side.matrix if isinstance(side, Entry) else side
    assert isinstance(matrix, Symbol)
    return matrix


def _indices(expr: Expr) -> list[Index]:
    places = expr.places if isinstance(expr, Entry) else ()
    return [place for place in places if isinstance(place, Index)]


__all__ = ["bound_indices", "chain_sentence", "factor_sentence", "shape_sentence"]
