/** What a reader chose once for this browser: colours, editor, single-letter keys. */
import { effect, signal, type Signal } from "@preact/signals";

function kept<T extends string>(name: string, first: T): Signal<T> {
  const key = `chainrule-${name}`;
  let stored: string | null = null;
  try {
    stored = localStorage.getItem(key);
  } catch {
    // Storage is switched off: the choice lasts as long as the page.
  }
  const value = signal((stored as T) ?? first);
  effect(() => {
    try {
      localStorage.setItem(key, value.value);
    } catch {
      // As above.
    }
  });
  return value;
}

export const colours = kept<"auto" | "light" | "dark">("colours", "auto");
export const editor = kept<"rich" | "plain">("editor", "rich");
export const letterKeys = kept<"on" | "off">("letter-keys", "on");

effect(() => {
  document.documentElement.dataset.colours = colours.value;
});
