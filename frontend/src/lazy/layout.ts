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
  edges: { x: number; y: number }[][];
}
export interface LayoutBundle {
  layout(boxes: Box[], edges: [string, string][], direction: "LR" | "TB"): Placed;
}

function layout(boxes: Box[], edges: [string, string][], direction: "LR" | "TB"): Placed {
  const graph = new Graph();
  graph.setGraph({ rankdir: direction, nodesep: 26, ranksep: direction === "LR" ? 96 : 84, marginx: 12, marginy: 12 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, width, height } of boxes) graph.setNode(id, { width, height });
  for (const [source, target] of edges) graph.setEdge(source, target);
  place(graph);
  const { width, height } = graph.graph();
  return {
    width: width ?? 0,
    height: height ?? 0,
    nodes: Object.fromEntries(boxes.map(({ id }) => [id, graph.node(id)])),
    edges: edges.map(([source, target]) => graph.edge(source, target).points),
  };
}

register("layout", { layout } satisfies LayoutBundle);
