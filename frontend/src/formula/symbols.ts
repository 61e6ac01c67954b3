/** Point at a symbol, and every occurrence of it on the page is marked. */

let shown = "";

function mark(name: string): void {
  if (name === shown) return;
  shown = name;
  for (const node of document.querySelectorAll(".same")) node.classList.remove("same");
  if (!name) return;
  for (const node of document.querySelectorAll(`[data-symbol="${CSS.escape(name)}"]`)) {
    node.classList.add("same");
  }
}

const symbolAt = (target: EventTarget | null) =>
  (target instanceof Element && target.closest("[data-symbol]")?.getAttribute("data-symbol")) || "";

export function followSymbols(): void {
  document.addEventListener("pointerover", (event) => mark(symbolAt(event.target)));
  document.addEventListener("focusin", (event) => mark(symbolAt(event.target)));
}
