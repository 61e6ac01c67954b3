/**
 * What moves between two lines: terms that stay travel to their new place, terms that cancel are
 * struck out, what is substituted or new fades in. The origin of each part comes from the
 * derivation (`provenance`); where it gives none, equal parts of both lines are matched.
 */
import type { Provenance } from "../types";
import { elementsAt } from "./paths";

/** Without paths, whatever is a term, a factor or a symbol. */
const PARTS = "[data-path], mi, mn, msub, msup, msubsup, mfrac, mrow, munderover";
const TIME = 480;
const EASE = "cubic-bezier(.3, 0, .15, 1)";

export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

interface Move {
  from: Element;
  to: Element;
}

/** Largest equal parts first; each part of either line is used once. */
function equalParts(before: Element, after: Element): Move[] {
  const parts = (root: Element) =>
    [...root.querySelectorAll(PARTS)].sort(
      (a, b) => b.querySelectorAll("*").length - a.querySelectorAll("*").length,
    );
  const key = (node: Element) =>
    node.outerHTML.replace(/ (?:data-path|class|form|alttext)="[^"]*"/g, "");
  const free = new Map<string, Element[]>();
  for (const node of parts(before)) free.set(key(node), [...(free.get(key(node)) ?? []), node]);
  const taken = new Set<Element>();
  const inTaken = (node: Element) => {
    for (const one of taken) if (one.contains(node)) return true;
    return false;
  };
  const moves: Move[] = [];
  for (const to of parts(after)) {
    if (inTaken(to)) continue;
    const from = free.get(key(to))?.find((one) => !inTaken(one));
    if (!from) continue;
    moves.push({ from, to });
    taken.add(to).add(from);
  }
  return moves;
}

function given(before: Element, after: Element, origins: Provenance[]): Move[] {
  const moves: Move[] = [];
  const done: Element[] = [];
  const outermost = [...origins].sort((a, b) => a.path.length - b.path.length);
  for (const { kind, path, origin } of outermost) {
    if (kind !== "kept" && kind !== "moved") continue;
    const [to] = elementsAt(after, { side: "right", path });
    if (origin === null) continue;
    const [source] = elementsAt(before, { side: "right", path: origin });
    if (!to || !source || done.some((one) => one.contains(to))) continue;
    moves.push({ from: source, to });
    done.push(to);
  }
  return moves;
}

function strike(node: Element): void {
  node.classList.add("cancelled");
  setTimeout(() => node.classList.remove("cancelled"), TIME * 3);
}

/** Animate from the formula in `before` to the one in `after`. */
export function move(before: Element, after: Element, origins: Provenance[]): void {
  if (still()) return;
  const moves = origins.length ? given(before, after, origins) : equalParts(right(before), right(after));
  for (const { kind, origin } of origins) {
    if (kind === "cancelled" && origin !== null) elementsAt(before, { side: "right", path: origin }).forEach(strike);
  }
  for (const { from, to } of moves) {
    const a = from.getBoundingClientRect();
    const b = to.getBoundingClientRect();
    if (!a.width || !b.width) continue;
    if (Math.hypot(a.left - b.left, a.top - b.top) < 1) continue;
    const shift = `translate(${a.left - b.left}px, ${a.top + a.height / 2 - b.top - b.height / 2}px)`;
    to.animate([{ transform: shift }, { transform: "none" }], { duration: TIME, easing: EASE });
  }
  const placed = moves.map(({ to }) => to);
  for (const node of right(after).querySelectorAll(`${PARTS}, mo`)) {
    const owner = node.closest("[data-path]")?.getAttribute("data-path");
    // The operator around a part that changed stands as it stood.
    if (origins.some(({ kind, path }) => kind === "around" && path === owner)) continue;
    const covered = placed.some((one) => one.contains(node) || node.contains(one));
    if (!covered) {
      node.animate([{ opacity: 0 }, { opacity: 0, offset: 0.3 }, { opacity: 1 }], { duration: TIME });
    }
  }
  const substituted = origins.filter(({ kind }) => kind === "substituted" || kind === "introduced");
  for (const { path } of substituted) {
    for (const node of elementsAt(after, { side: "right", path })) {
      node.classList.add("fresh");
      setTimeout(() => node.classList.remove("fresh"), TIME * 3);
    }
  }
}

const right = (root: Element) => root.querySelector('[data-side="right"]') ?? root;
