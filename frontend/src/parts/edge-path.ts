/** The curve of an edge through the points that the layout gives it. */
export function pathOf(points: { x: number; y: number }[]): string {
  const [first, ...rest] = points;
  let path = `M${first!.x},${first!.y}`;
  for (let at = 0; at < rest.length - 1; at += 1) {
    const here = rest[at]!;
    const after = rest[at + 1]!;
    const last = at === rest.length - 2;
    path += ` Q${here.x},${here.y} ${last ? after.x : (here.x + after.x) / 2},${last ? after.y : (here.y + after.y) / 2}`;
  }
  return rest.length === 1 ? `${path} L${rest[0]!.x},${rest[0]!.y}` : path;
}
