"use strict";
// No formula is cut: one that is wider than its place breaks at operators, then gets smaller.
// Without this script it scrolls in its place.
const fitFormulas = (() => {
  const BREAKS = new Set(["=", "+", "−", "⊙", "·", ","]);
  const LEAST = 0.5;
  const originals = new WeakMap();
  const NS = "http://www.w3.org/1998/Math/MathML";
  const make = (tag) => document.createElementNS(NS, tag);

  // The symbols of a formula from left to right, each with how deep its row is nested.
  const tokens = (row, depth = 0) => [...row.children].flatMap((child) =>
    child.localName === "mrow" ? tokens(child, depth + 1) : [{ node: child, depth }]);

  const breakable = ({ node }) =>
    node.localName === "mo" && node.getAttribute("form") !== "prefix" && BREAKS.has(node.textContent.trim());

  const broken = (math, room) => {
    const parts = tokens(math).map((token) => ({ ...token, box: token.node.getBoundingClientRect() }));
    const lines = [];
    let from = 0;
    while (from < parts.length) {
      const left = parts[from].box.left;
      const indent = lines.length ? 2 * parseFloat(getComputedStyle(math).fontSize) : 0;
      const wide = parts.findIndex((part, k) => k > from && part.box.right - left + indent > room);
      if (wide < 0) { lines.push(parts.slice(from)); break; }
      const could = parts.map((part, k) => ({ part, k })).filter(({ part, k }) => k > from && k <= wide && breakable(part));
      const late = could.filter(({ part }) => part.box.left - left > 0.4 * room);
      const among = late.length ? late : could;
      const least = Math.min(...among.map(({ part }) => part.depth));
      const at = among.length
        ? among.filter(({ part }) => part.depth === least).at(-1).k
        : parts.findIndex((part, k) => k > wide && breakable(part)); // too wide for its line
      if (at < 0) { lines.push(parts.slice(from)); break; }
      lines.push(parts.slice(from, at));
      from = at;
    }
    if (lines.length < 2) return false;
    const table = make("mtable");
    table.setAttribute("style", "text-align:left");
    lines.forEach((line, k) => {
      const row = make("mtr"), cell = make("mtd");
      cell.setAttribute("style", "text-align:left;padding-inline:0");
      if (k) {
        const space = make("mspace");
        space.setAttribute("width", "2em");
        cell.append(space);
      }
      cell.append(...line.map(({ node }) => node));
      row.append(cell);
      table.append(row);
    });
    math.replaceChildren(table);
    return true;
  };

  // A cell of a table grows with what it holds, so the room ends where the table's frame ends.
  const roomOf = (place) => {
    const style = getComputedStyle(place);
    const own = place.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const frame = place.closest("td") && place.closest(".forward");
    return frame ? Math.min(own, frame.getBoundingClientRect().left + frame.clientWidth - place.getBoundingClientRect().left) : own;
  };

  const fit = (math, place) => {
    if (originals.has(math)) math.replaceChildren(...originals.get(math).map((node) => node.cloneNode(true)));
    math.style.fontSize = "";
    const room = roomOf(place);
    const width = () => math.getBoundingClientRect().width;
    if (room <= 0 || width() <= room) return;
    if (!originals.has(math)) originals.set(math, [...math.children].map((node) => node.cloneNode(true)));
    broken(math, room);
    const again = (broad, most) => {
      broad.replaceChildren(...originals.get(broad).map((node) => node.cloneNode(true)));
      if (width() > most) broken(broad, most);
    };
    const full = parseFloat(getComputedStyle(math).fontSize);
    for (let scale = 1; scale > LEAST && width() > room; scale -= 0.05) {
      math.style.fontSize = `${scale * full}px`;
      if (scale > 0.8) again(math, room);
    }
  };

  return (root) => {
    for (const place of root.querySelectorAll(".question, .answer, .gradient, .formula"))
      if (place.getClientRects().length)
        for (const math of place.querySelectorAll(":scope > math, :scope > .remark > math")) fit(math, place);
  };
})();
