/** The parts of a line as a list: what the keyboard uses where the pointer clicks on the formula. */
import type { Line } from "../../types";
import type { Place } from "../../formula/paths";
import { placeOf } from "../../formula/paths";
import { parseMath } from "../../protocol/trusted";

export interface Part {
  place: Place;
  text: string;
  symbol?: string;
}

const LONGEST = 28;

/** What a node reads like on a button. */
function label(node: Element): string {
  const words = (one: Element): string => {
    const kids = [...one.children];
    if (!kids.length) return (one.textContent ?? "").replace(/\u2061/g, "");
    if (one.localName === "mfrac") return `${words(kids[0]!)}/${words(kids[1]!)}`;
    const script = (at: number) => words(kids[at]!).replace(/\s/g, "");
    if (one.localName === "msup" && script(1) !== "⊤") return `${words(kids[0]!)}^${script(1)}`;
    if (one.localName === "msub") return `${words(kids[0]!)}_${script(1)}`;
    if (one.localName === "msubsup") return `${words(kids[0]!)}_${script(1)}^${script(2)}`;
    if (one.localName === "munderover") return `${words(kids[0]!)}_${words(kids[1]!)}`;
    return kids.map(words).join(one.localName === "mrow" ? " " : "");
  };
  const text = words(node).replace(/\s+/g, " ").replace(/\( /g, "(").replace(/ \)/g, ")").trim();
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
}

/** Every sub-expression once, in reading order. */
export function partsOf(line: Line): Part[] {
  const seen = new Set<string>();
  const parts: Part[] = [];
  for (const node of parseMath(line.mathml).querySelectorAll("[data-path]")) {
    const place = placeOf(node)!;
    const text = label(node);
    const key = `${place.side} ${text}`;
    if (!text || seen.has(key)) continue;
    seen.add(key);
    const symbol = node.getAttribute("data-symbol") ?? undefined;
    parts.push(symbol ? { place, text, symbol } : { place, text });
  }
  return parts;
}
