/** Keys of the derivation. Single letters can be switched off (WCAG 2.1.4). */
import { letterKeys } from "../../state/preferences";

const FIELD = "input, textarea, select, [contenteditable], .editor-host";

export function listen(keys: Record<string, () => void>): () => void {
  const pressed = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target instanceof Element ? event.target : document.body;
    if (target.closest(FIELD)) return;
    // Space and Enter belong to the button that has the focus.
    if (target.closest("button, summary, a, [role=tab]") && (event.key === " " || event.key === "Enter")) return;
    if (event.key.length === 1 && event.key !== " " && letterKeys.value === "off") return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };
  document.addEventListener("keydown", pressed);
  return () => document.removeEventListener("keydown", pressed);
}
