"""A circuit as lines of text: a tree from the output back to the inputs."""

from __future__ import annotations

from collections.abc import Iterator

from chainrule.teaching.exercises.content import Circuit


def circuit_text(circuit: Circuit) -> str:
    """Return the drawing of a circuit as text; a value that is used again is not unfolded again.

    Examples
    --------
    >>> from chainrule.teaching.exercises.content import CircuitNode
    >>> x, f = CircuitNode("x", "", "3", "?", ()), CircuitNode("f", "x^2", "?", "1", ("x",))
    >>> print(circuit_text(Circuit((x, f), "f")))
    f = x^2 = ?     df/df = 1
    └─ x = 3        df/dx = ?
    """
    rows = list(_rows(circuit, circuit.output, "", "", set()))
    width = max(len(left) for left, _ in rows) + 5
    return "\n".join(f"{left:{width}}{right}".rstrip() for left, right in rows)


def _rows(
    circuit: Circuit, name: str, branch: str, indent: str, seen: set[str]
) -> Iterator[tuple[str, str]]:
    node = next(each for each in circuit.nodes if each.name == name)
    if name in seen:
        yield f"{branch}{name} (again)", ""
        return
    seen.add(name)
    formula = f" = {node.formula}" if node.formula else ""
    gradient = f"d{circuit.output}/d{name} = {node.gradient}"
    yield f"{branch}{name}{formula} = {node.value}", gradient
    for place, used in enumerate(node.uses):
        last = place == len(node.uses) - 1
        below = indent + ("└─ " if last else "├─ ")
        yield from _rows(circuit, used, below, indent + ("   " if last else "│  "), seen)
