/** Addresses of sub-expressions: a side of a line and a path of child positions. */

export interface Place {
  side: "left" | "right";
  path: string;
}

/** Where a node of a formula stands, or null for what belongs to no sub-expression. */
export function placeOf(node: Element | null): Place | null {
  const owner = node?.closest("[data-path]");
  if (!owner) return null;
  const side = owner.closest("[data-side]")?.getAttribute("data-side");
  return { side: side === "left" ? "left" : "right", path: owner.getAttribute("data-path") ?? "" };
}

/** All elements of one sub-expression; a formula that is broken over lines has several. */
export function elementsAt(root: Element, place: Place): Element[] {
  const sided = [...root.querySelectorAll(`[data-side="${place.side}"]`)];
  const roots = sided.length ? sided : [root];
  return roots.flatMap((one) => [...one.querySelectorAll(`[data-path="${CSS.escape(place.path)}"]`)]);
}
