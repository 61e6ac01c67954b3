"""Circuits as SVG: inputs on the left, the output on the right, values above, gradients below."""

from __future__ import annotations

from html import escape

from chainrule.teaching.exercises.content import Circuit

COLUMN, ROW = 150, 70
WIDTH, HEIGHT = 96, 30
MARGIN = 12


def circuit_svg(circuit: Circuit) -> str:
    """Return the drawing of a circuit."""
    depth: dict[str, int] = {}
    for node in circuit.nodes:
        depth[node.name] = 1 + max((depth[name] for name in node.uses), default=-1)
    rows: dict[int, int] = {}
    place: dict[str, tuple[float, float]] = {}
    for node in circuit.nodes:
        column = depth[node.name]
        rows[column] = rows.get(column, 0) + 1
        above = [place[name][1] for name in node.uses]
        y = sum(above) / len(above) if above else MARGIN + ROW * (rows[column] - 0.5)
        taken = [place[n][1] for n in place if depth[n] == column]
        while any(abs(y - other) < ROW for other in taken):
            y += ROW / 2
        place[node.name] = (MARGIN + COLUMN * column, y)
    width = MARGIN * 2 + COLUMN * max(depth.values()) + WIDTH
    height = max(y for _, y in place.values()) + ROW / 2 + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" role="img" '
        f'aria-label="{escape(spoken(circuit))}" font-family="var(--sans)" font-size="13">'
    ]
    for node in circuit.nodes:
        x, y = place[node.name]
        for name in node.uses:
            left, top = place[name]
            parts.append(
                f'<path d="M{left + WIDTH:g} {top:g} L{x:g} {y:g}" stroke="currentColor" '
                'fill="none"/>'
            )
    for node in circuit.nodes:
        x, y = place[node.name]
        label = f"{node.name} = {node.formula}" if node.formula else node.name
        middle = x + WIDTH / 2
        parts.append(
            f'<rect x="{x:g}" y="{y - HEIGHT / 2:g}" width="{WIDTH}" height="{HEIGHT}" rx="6" '
            'fill="var(--paper, white)" stroke="currentColor"/>'
            f'<text x="{middle:g}" y="{y + 4:g}" text-anchor="middle" fill="currentColor">'
            f"{escape(label)}</text>"
            f'<text x="{x:g}" y="{y - HEIGHT / 2 - 4:g}" fill="var(--accent, #06c)">'
            f"{escape(node.value)}</text>"
            f'<text x="{x:g}" y="{y + HEIGHT / 2 + 13:g}" fill="var(--accent-2, #b30)">'
            f"d{escape(circuit.output)}/d{escape(node.name)} = {escape(node.gradient)}</text>"
        )
    return "".join(parts) + "</svg>"


def spoken(circuit: Circuit) -> str:
    """Return a circuit in words, for those who do not see the drawing."""
    said = []
    for node in circuit.nodes:
        formula = f" = {node.formula}" if node.formula else ""
        value = "is asked for" if node.value == "?" else f"is {node.value}"
        said.append(f"{node.name}{formula} {value}")
    return "Circuit: " + "; ".join(said)
