/** With respect to which variables to differentiate. */
import { asked, derivation, ensureDerived, forward, stop } from "../../state/board";

export function Asked() {
  const able = forward.value?.can_ask ?? [];
  const now = asked.value ?? forward.value?.asked ?? [];
  if (able.length < 2) return null;
  const toggle = (name: string) => {
    const next = now.includes(name) ? now.filter((one) => one !== name) : [...now, name];
    if (!next.length) return;
    stop.value = 0;
    asked.value = able.filter((one) => next.includes(one));
    derivation.value = null;
    void ensureDerived();
  };
  return (
    <fieldset class="asked">
      <legend>With respect to</legend>
      {able.map((name) => (
        <label key={name}>
          <input type="checkbox" checked={now.includes(name)} onChange={() => toggle(name)} /> {name}
        </label>
      ))}
    </fieldset>
  );
}
