/** Places of a graph's nodes, by dagre. */
import { Graph, layout as place } from "@dagrejs/dagre";
import { register } from "./register";

export interface Box {
  id: string;
  width: number;
  height: number;
}
export interface Placed {
  width: number;
  height: number;
  nodes: Record<string, { x: number; y: number }>;
  edges: { points: { x: number; y: number }[]; x: number; y: number }[];
}
export interface Link {
  source: string;
  target: string;
  /** Room for a label; 0 for none. */
  width: number;
  height: number;
}
export interface LayoutBundle {
  layout(boxes: Box[], links: Link[], direction: "LR" | "TB"): Placed;
}

function layout(boxes: Box[], links: Link[], direction: "LR" | "TB"): Placed {
  const graph = new Graph();
  graph.setGraph({ rankdir: direction, nodesep: 34, ranksep: direction === "LR" ? 44 : 40, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of boxes) graph.setNode(id, { width, height });
  for (const { source, target, width, height } of links) {
    graph.setEdge(source, target, { width, height, labelpos: "c" });
  }
  place(graph);
  const { width, height } = graph.graph();
  return {
    width: width ?? 0,
    height: height ?? 0,
    nodes: Object.fromEntries(boxes.map(({ id }) => [id, graph.node(id)])),
    edges: links.map(({ source, target }) => {
      const { points, x, y } = graph.edge(source, target);
      return { points, x: x ?? points[1]!.x, y: y ?? points[1]!.y };
    }),
  };
}

register("layout", { layout } satisfies LayoutBundle);
