/** Print the whole derivation: filled in, blank to fill in, or the lines alone. */
import { revealed, goTo } from "./stops";

export function print(kind: "filled" | "blank" | "steps"): void {
  const here = revealed.value;
  const root = document.documentElement;
  goTo(Infinity);
  root.dataset.print = kind;
  // Two frames: one for the lines to appear, one for them to be fitted.
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      window.print();
      delete root.dataset.print;
      goTo(here);
    }),
  );
}
