/** With respect to which variables to differentiate, and how often. */
import { asked, derivation, ensureDerived, forward, order, stop } from "../../state/board";
import { start } from "../../protocol/globals";

function again(change: () => void): void {
  stop.value = 0;
  change();
  derivation.value = null;
  void ensureDerived();
}

export function Asked() {
  // An exported board ships one derivation per forward pass.
  if (start.tier === "static") return null;
  const able = forward.value?.can_ask ?? [];
  const now = asked.value ?? forward.value?.asked ?? [];
  const toggle = (name: string) => {
    const next = now.includes(name) ? now.filter((one) => one !== name) : [...now, name];
    if (next.length) again(() => (asked.value = able.filter((one) => next.includes(one))));
  };
  return (
    <fieldset class="asked">
      <legend>With respect to</legend>
      {able.length > 1 && able.map((name) => (
        <label key={name}>
          <input type="checkbox" checked={now.includes(name)} onChange={() => toggle(name)} /> {name}
        </label>
      ))}
      <label class="twice">
        <input type="checkbox" checked={order.value === 2} onChange={() => again(() => (order.value = order.value === 2 ? 1 : 2))} />
        {" "}second derivatives (Hessian)
      </label>
    </fieldset>
  );
}
