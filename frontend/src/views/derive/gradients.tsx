/** The results, once every line is revealed. */
import type { Derivation } from "../../types";
import { Formula } from "../../formula/formula";
import { form, order } from "../../state/board";
import { shapeText } from "../forward-pass";

export function Gradients({ of }: { of: Derivation }) {
  const rows = of.gradients.filter((one) => !one.layer);
  const known = new Set(of.forward.can_ask);
  return (
    <section class="gradients" aria-labelledby="gradients-title">
      <h2 id="gradients-title">{order.value === 2 ? "Gradients and second derivatives" : "Gradients"}</h2>
      <ul class="plain">
        {rows.map((one) => (
          <li key={one.name}>
            <Formula of={form.value === "index" && one.index ? one.index : one.line} />
            <span class="shape">{shapeText(one.shape)}{known.has(one.name) && `, the shape of ${one.name}`}</span>
            {one.why_no_matrix && <p class="muted">{one.why_no_matrix}</p>}
          </li>
        ))}
      </ul>
      <p class="muted">{of.summary}</p>
    </section>
  );
}
