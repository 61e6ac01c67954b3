/** The order in which values go forward and gradients come back, one press at a time. */
import { computed, signal } from "@preact/signals";
import type { Graph, GraphEdge, GraphNode } from "../../types";

export const graph = signal<Graph | null>(null);
export const at = signal(0);
export const folded = signal<Set<string>>(new Set());

export type Event =
  | { kind: "forward"; node: GraphNode }
  | { kind: "backward"; edge: GraphEdge; node: GraphNode };

export const events = computed<Event[]>(() => {
  const data = graph.value;
  if (!data) return [];
  const nodes = new Map(data.nodes.map((node) => [node.id, node]));
  const edges = new Map(data.edges.map((edge) => [`${edge.source}>${edge.target}`, edge]));
  const forward = data.forward
    .map((id) => nodes.get(id)!)
    .filter((node) => node.kind !== "input")
    .map((node): Event => ({ kind: "forward", node }));
  const backward = data.backward.flatMap(([source, target]): Event[] => {
    const edge = edges.get(`${source}>${target}`);
    return edge ? [{ kind: "backward", edge, node: nodes.get(source!)! }] : [];
  });
  return [...forward, ...backward];
});

export const now = computed<Event | null>(() => events.value[at.value - 1] ?? null);

export interface Reached {
  values: Set<string>;
  gradients: Set<string>;
  edges: Set<string>;
}

/** What is known after the current press. A gradient is complete when no edge will add to it. */
export const reached = computed<Reached>(() => {
  const data = graph.value;
  const done = events.value.slice(0, at.value);
  const later = events.value.slice(at.value);
  const values = new Set(data?.nodes.filter(({ kind }) => kind === "input").map(({ id }) => id));
  const gradients = new Set<string>();
  const edges = new Set<string>();
  for (const event of done) {
    if (event.kind === "forward") {
      values.add(event.node.id);
    } else {
      edges.add(`${event.edge.source}>${event.edge.target}`);
      const more = later.some((one) => one.kind === "backward" && one.edge.source === event.edge.source);
      if (!more) gradients.add(event.edge.source);
      gradients.add(event.edge.target);
    }
  }
  return { values, gradients, edges };
});

export function go(to: number): void {
  at.value = Math.max(0, Math.min(events.value.length, to));
}

/** The box that stands for a node: itself, or its folded group. */
export function boxOf(id: string): string {
  const group = graph.value?.nodes.find((node) => node.id === id)?.group;
  return group && folded.value.has(group) ? `group ${group}` : id;
}
