/** Small repairs of how browsers set MathML. */

const TALL = "mfrac, munderover, munder, mtable, msqrt, mroot";
const FENCES = /^[()[\]{}|‖]$/u;

/** Brackets around one line of text keep the size of the text: stretched ones stand loose. */
export function tidy(math: Element): void {
  for (const fence of math.querySelectorAll("mo")) {
    if (!FENCES.test(fence.textContent ?? "")) continue;
    const row = fence.parentElement!;
    if (!row.querySelector(TALL)) fence.setAttribute("stretchy", "false");
  }
}
