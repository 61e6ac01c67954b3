/**
 * MathML Core does not break lines. A formula wider than its box is cut into several `<math>`
 * pieces before its operators, which wrap like words; what still does not fit is set smaller,
 * and only below a readable size does the box scroll.
 */

const INFIX = /^[=+−±⊙⊘·×⊗,<>≤≥≈∈→|]$/u;
const SMALLEST = 0.62;
/** A formula that fits at this size is set smaller, not broken. */
const RATHER_SMALLER = 0.8;

interface Token {
  node: Element;
  /** The rows that contained the node, outermost first. */
  rows: Element[];
}

const width = (node: Element) => node.getBoundingClientRect().width;

function tokens(row: Element, limit: number, rows: Element[]): Token[] {
  return [...row.children].flatMap((child) =>
    child.localName === "mrow" && width(child) > limit
      ? tokens(child, limit, [...rows, child])
      : [{ node: child, rows }],
  );
}

const breaksBefore = ({ node }: Token) =>
  node.localName === "mo" &&
  node.getAttribute("form") !== "prefix" &&
  INFIX.test(node.textContent?.trim() ?? "");

/** Put a token into a piece, inside shallow copies of the rows that contained it. */
function place(piece: Element, token: Token): void {
  let parent = piece;
  for (const row of token.rows) {
    const last = parent.lastElementChild;
    if (last && (last as Copied).copied === row) {
      parent = last;
    } else {
      const copy = row.cloneNode(false) as Copied;
      copy.copied = row;
      parent.append(copy);
      parent = copy;
    }
  }
  parent.append(token.node.cloneNode(true));
}
type Copied = Element & { copied?: Element };

function pieces(math: Element, limit: number): Element[] {
  const made: Element[] = [];
  let current: Element | undefined;
  for (const [at, token] of tokens(math, limit, []).entries()) {
    if (!current || (at > 0 && breaksBefore(token))) {
      current = math.cloneNode(false) as Element;
      current.removeAttribute("alttext");
      made.push(current);
      if (at > 0) token.node.setAttribute("form", "infix");
    }
    place(current, token);
  }
  return made;
}

/** Show `math` in `box`, and return what had to be done to it. */
export function fit(box: HTMLElement, math: Element): "whole" | "broken" | "scrolls" {
  box.style.fontSize = "";
  box.classList.remove("broken", "scrolls");
  box.replaceChildren(math);
  const room = box.clientWidth;
  const natural = width(math);
  if (room === 0 || natural <= room) return "whole";
  if (natural * RATHER_SMALLER <= room) {
    box.style.fontSize = `${(room / natural) * 0.99}em`;
    return "whole";
  }
  // Rows that fit on a line of their own stay whole.
  const broken = pieces(math, room * 0.75);
  let free = room;
  if (broken.length > 1) {
    box.classList.add("broken");
    box.replaceChildren(...broken.flatMap((piece) => [piece, document.createTextNode(" ")]));
    free -= parseFloat(getComputedStyle(box).paddingLeft);
  }
  const scale = free / Math.max(...[...box.children].map(width));
  if (scale < 1) box.style.fontSize = `${Math.max(SMALLEST, scale * 0.99)}em`;
  // Brackets and accents may stand out of their element's own width.
  const over = box.scrollWidth / room;
  const size = Math.min(1, scale) / Math.max(1, over);
  if (over > 1) box.style.fontSize = `${Math.max(SMALLEST, size * 0.99)}em`;
  if (size < SMALLEST) {
    box.classList.add("scrolls");
    return "scrolls";
  }
  return broken.length > 1 ? "broken" : "whole";
}
