"""The ECMAScript module around the statements of a plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from string import Template

from chainrule.calculus.graph.dims import is_tensor
from chainrule.calculus.graph.node import Symbol
from chainrule.language.codegen.documentation import backward_line, forward_lines, title_lines
from chainrule.language.codegen.drawing import drawn_inputs
from chainrule.language.codegen.javascript.functions import called
from chainrule.language.codegen.javascript.statements import INDENT, definition, statement
from chainrule.language.codegen.javascript.target import signatures
from chainrule.language.codegen.lines import one_line, shape_text
from chainrule.language.codegen.plan import Plan
from chainrule.language.codegen.target import WIDTH

LAYOUT = (
    "",
    "A matrix is `{ shape: [rows, columns], data }`, its numbers row by row in a",
    "Float64Array. `node FILE` runs the check; other modules import the functions.",
)

LAYOUT_OF_TENSORS = (
    "A tensor is the same with a longer shape, its last dimension running fastest.",
)

RUNTIME = "// ---- the functions of arrays that are called above " + "-" * 36 + "\n"

DRAW = Template("""/** Return small random inputs at which the cost is a finite number. */
export function draw(seed = 0) {
  let state = 1 + (((Math.trunc(seed) + 1) * 7919 * 7927) % 2147483646);
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  const filled = (shape, entry) => ({
    shape,
    data: Float64Array.from({ length: entriesOf(shape) }, entry),
  });
  const uniform = (low, ...shape) =>
    filled(shape, () => low + (1 - low) * random());
$whole  for (let attempt = 0; attempt < 100; attempt++) {
    const low = attempt < 50 ? -1 : 0.1; // only positive numbers, if others fail
    const inputs = {
$inputs
    };
$related    if (Number.isFinite(forward(inputs).$cost.data[0])) return inputs;
  }
  throw new Error("no inputs were found at which the cost is finite");
}
""")

WHOLE = """  const whole = (count, ...shape) =>
    filled(shape, () => Math.floor(count * random()));
"""

CHECK = Template("""/**
 * Compare every gradient with central differences; return the largest difference.
 *
 * Differences are relative to the largest entry of a gradient.
 */
export function check(seed = 0, step = 1e-5) {
  const inputs = draw(seed);
  const cache = forward(inputs);
  let worst = 0;
  for (const [name, gradient] of Object.entries(backward(cache))) {
    const value = inputs[name] ?? cache[name];
    const costAt = (place, nudge) => {
      const moved = { shape: value.shape, data: Float64Array.from(value.data) };
      moved.data[place] += nudge;
      return forward({ ...inputs, [name]: moved }).$cost.data[0];
    };
    let [gap, size] = [0, 1e-3];
    for (let place = 0; place < value.data.length; place++) {
      const slope = (costAt(place, step) - costAt(place, -step)) / (2 * step);
      gap = Math.max(gap, Math.abs(slope - gradient.data[place]));
      size = Math.max(size, Math.abs(slope));
    }
    console.log(`$${name}: $${(gap / size).toExponential(1)}`);
    worst = Math.max(worst, gap / size);
  }
  return worst;
}
""")

MAIN = """{
  const fs = globalThis.process?.getBuiltinModule?.("node:fs");
  const started = globalThis.process?.argv?.[1] ?? "";
  const file = fs?.existsSync(started) ? fs.realpathSync(started) : "";
  if (file && file === import.meta.filename) check();
}
"""


def javascript_module(plan: Plan) -> str:
    """Write a plan as an ECMAScript module without imports."""
    pieces = [_forward(plan), _backward(plan), _draw(plan), CHECK.substitute(cost=plan.cost)]
    layout = (*LAYOUT, *LAYOUT_OF_TENSORS) if _has_tensors(plan) else LAYOUT
    head = _comment([*title_lines(plan, _quoted), *layout])
    return "\n".join([head, assembled(pieces, plan.helpers, plan.own), MAIN])


def javascript_expression(plan: Plan) -> str:
    """Write a plan as an expression for scripts that are not modules: ``{ forward, backward }``."""
    pieces = [
        piece.replace("export function", "function") for piece in (_forward(plan), _backward(plan))
    ]
    code = assembled(pieces, plan.helpers, plan.own)
    return f'(() => {{\n"use strict";\n{code}\nreturn {{ forward, backward }};\n}})()'


def assembled(pieces: Sequence[str], helpers: Mapping[str, str], own: Mapping[str, str]) -> str:
    """Put the functions that pieces of code call around them.

    Parameters
    ----------
    pieces : sequence of str
        Definitions in JavaScript.
    helpers, own : mapping of str to str
        The definitions of ops that they call: in NumPy, and in JavaScript.
    """
    known = signatures(helpers)
    above = [definition(helpers[name], known) for name in sorted(helpers)]
    above += [own[name].strip() + "\n" for name in sorted(own)]
    runtime = [row.text for row in called([*above, *pieces])]
    return "\n".join([*above, *pieces, RUNTIME, *runtime])


def _has_tensors(plan: Plan) -> bool:
    return any(is_tensor(symbol.shape) for symbol in plan.model.symbols)


def _forward(plan: Plan) -> str:
    inputs = [plan.names[s] for s in plan.model.inputs]
    optional = [plan.names[s] for s in plan.program.given]
    verify = "verifyTensors" if _has_tensors(plan) else "verifyInputs"
    return "\n".join(
        [
            _comment(forward_lines(plan, _quoted)).rstrip(),
            *_listed("export function forward({", [*inputs, *optional], "}) {", ""),
            *_listed(f"{verify}({{", inputs, "});", INDENT),
            *(INDENT + statement(line) for line in plan.forward_sizes()),
            *plan.forward.statements,
            *_listed("return {", [plan.names[s] for s in plan.cache], "};", INDENT),
            "}",
            "",
        ]
    )


def _backward(plan: Plan) -> str:
    names = plan.names
    loads = [f"const {names[s]} = cache.{names[s]}; // {shape_text(s.shape)}" for s in plan.loads]
    returned = [f"{names[s]}: {name}" for s, name in plan.gradients.items()]
    return "\n".join(
        [
            f"/** {backward_line(plan)} */",
            "export function backward(cache) {",
            *(INDENT + line for line in loads),
            *(INDENT + statement(line) for line in plan.backward_sizes()),
            *plan.backward.statements,
            *_listed("return {", returned, "};", INDENT),
            "}",
            "",
        ]
    )


def _draw(plan: Plan) -> str:
    inputs, whole = [], ""
    for each in drawn_inputs(plan.model):
        kind = "uniform(low" if each.count is None else f"whole({each.count}"
        inputs.append(
            f"{INDENT * 3}{plan.names[each.symbol]}: {kind}, {', '.join(map(str, each.shape))}),"
        )
        whole = whole or ("" if each.count is None else WHOLE)
    related = (
        line for known in plan.model.onehot for line in _shares(plan, known.symbol, known.axis)
    )
    return DRAW.substitute(
        whole=whole,
        inputs="\n".join(inputs),
        related="".join(f"{INDENT * 2}{line}\n" for line in related),
        cost=plan.cost,
    )


def _shares(plan: Plan, symbol: Symbol, axis: int) -> Iterator[str]:
    """Write the lines that normalise declared one-hot labels."""
    name = f"inputs.{plan.names[symbol]}"
    yield f"{name} = abs({name});"
    yield f"{name} = div({name}, sum({name}, {{ axis: {axis}, keepdims: true }}));"


def _listed(opening: str, parts: list[str], closing: str, indent: str) -> list[str]:
    """Write parts between braces: on one line if they fit, else one per line."""
    line = f"{indent}{opening} {', '.join(parts)} {closing}"
    if len(line) <= WIDTH:
        return [line]
    return [f"{indent}{opening}", *(f"{indent}{INDENT}{part}," for part in parts), indent + closing]


def _comment(lines: list[str]) -> str:
    return "\n".join(["/**", *(f" * {line}".rstrip() for line in lines), " */", ""])


def _quoted(text: str) -> str:
    """Make somebody's words fit to stand in a comment, which they must not end."""
    return one_line(text).replace("*/", "* /")
