"""Every op in the code of every library of Python: run where installed, named right elsewhere.

The values come from the formulas of `tests/calculus/ops/formulas.py`, which are not the rows' own.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.calculus.ops.formulas import FORMULAS
from tests.calculus.ops.samples import Sample, close, samples
from tests.language.codegen.library_names import METHODS, RECORDED

from chainrule.calculus.graph.node import Apply
from chainrule.calculus.graph.op import Op
from chainrule.calculus.ops import TABLE
from chainrule.language.codegen.dialects import DIALECTS, spelled_function
from chainrule.language.codegen.lines import FunctionBody
from chainrule.language.codegen.module import target_named
from chainrule.language.codegen.names import Identifiers

ROWS = tuple(TABLE.values())


def emitted(s: Sample, target: str) -> str:
    """Return a module with a function `value` that is one use of a row."""
    dialect = DIALECTS[target]
    names = {symbol: symbol.name for symbol in s.arguments}
    lines = FunctionBody(
        target_named(target),
        names,
        {name: name for name in s.sizes},
        Identifiers(names.values()),
    )
    lines.assign("result", s.node)
    helpers = [spelled_function(text, dialect) for text in lines.trees.helpers.values()]
    head = [*dialect.imports, *sorted(lines.trees.imports)]
    head += [f"dtype = {dialect.prefix}.float64", 'like = {"dtype": dtype}']
    sizes = [f"    {name} = {size}" for name, size in s.sizes.items()]
    body = [*sizes, *lines.statements, "    return result"]
    return "\n".join([*head, *helpers, f"def value({', '.join(names.values())}):", *body, ""])


def attributes(source: str) -> Iterator[str]:
    """Yield every attribute that code uses: a dotted path from a library, else a bare name."""
    tree = ast.parse(source)
    inside = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            path = ast.unparse(node)
            library = path.partition(".")[0] in ("np", "torch", "jax", "jnp")
            if library and all(part.isidentifier() for part in path.split(".")):
                if id(node) not in inside:
                    yield path
            else:
                yield node.attr


def unrecorded(row: Op, target: str) -> set[str]:
    """Return the names in the code of a row that are not recorded of the library."""
    used = {name for s in samples(row) for name in attributes(emitted(s, target))}
    return {name for name in used if name not in RECORDED[target] | METHODS}


@pytest.mark.parametrize("target", [t for t in DIALECTS if t != "numpy"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_code_of_an_op_names_what_the_library_has(row: Op, target: str) -> None:
    assert unrecorded(row, target) == set()


@pytest.mark.parametrize("target", DIALECTS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_code_of_an_op_gives_its_value(row: Op, target: str) -> None:
    library = importlib.import_module(target) if target == "numpy" else pytest.importorskip(target)
    if target == "jax":
        library.config.update("jax_enable_x64", True)
    enter = library.from_numpy if target == "torch" else np.asarray
    for s in samples(row):
        space: dict[str, Any] = {}
        exec(emitted(s, target), space)
        found = space["value"](*(enter(np.array(a)) for a in s.arrays))
        shape = s.size(s.node.shape)
        assert close(found, FORMULAS[row.name](*s.arrays, attrs=s.attrs, shape=shape), 1e-12)


@pytest.mark.parametrize("target", [t for t in DIALECTS if t != "numpy"])
def test_recorded_names_exist(target: str) -> None:
    pytest.importorskip(target)
    missing = []
    for path in RECORDED[target]:
        root, *rest = path.replace("jnp.", "jax.numpy.").split(".")
        found: Any = importlib.import_module(root)
        for k, part in enumerate(rest, 1):
            if not hasattr(found, part):
                with suppress(ImportError):
                    importlib.import_module(".".join([root, *rest[:k]]))
            found = getattr(found, part, None)
        if found is None:
            missing.append(path)
    assert not missing


def test_a_numpy_function_that_a_library_lacks_is_found_without_that_library() -> None:
    tanh = TABLE["tanh"]
    wrong = replace(
        tanh,
        code=lambda x, *, attrs: f"each({x})",
        helper="def each(z):\n    return np.vectorize(float)(z)\n",
    )
    assert isinstance(samples(wrong)[0].node, Apply)
    assert unrecorded(wrong, "torch") == {"torch.vectorize"}
    assert unrecorded(tanh, "torch") == set()
