/** The drawing: boxes placed by dagre, edges as SVG. Hidden from readers, who have the list. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Graph as GraphData, GraphEdge, GraphNode } from "../../types";
import { Formula } from "../../formula/formula";
import { text } from "../../state/board";
import { short } from "../../parts/matrix-table";
import { pathOf } from "../../parts/edge-path";
import { loadBundle } from "../../protocol/trusted";
import type { LayoutBundle, Placed } from "../../lazy/layout";
import { boxOf, events, folded, go, graph, now, reached } from "./sweep";

/** A number, or the shape of what is larger. */
function brief(value: (number | null)[][] | null): string {
  if (!value) return "";
  const rows = value.length;
  const columns = value[0]?.length ?? 0;
  if (rows === 1 && columns === 1) return short(value[0]![0]!);
  if (rows === 1 && columns <= 3) return `[${value[0]!.map(short).join(" ")}]`;
  return `${rows} × ${columns}`;
}

function NodeBox({ node }: { node: GraphNode }) {
  const { values, gradients } = reached.value;
  return (
    <>
      <span class="node-name"><Formula of={node.math} inline /></span>
      <span class={`node-value ${values.has(node.id) ? "" : "later"}`}>{brief(node.value)}</span>
      {node.gradient && (
        <span class={`node-gradient ${gradients.has(node.id) ? "" : "later"}`}>∂ {brief(node.gradient)}</span>
      )}
    </>
  );
}

interface DrawnLink {
  name: string;
  source: string;
  target: string;
  /** The edge of the graph, where the link stands for exactly one. */
  edge: GraphEdge | null;
}

/** Labels on every edge keep a small graph readable, and make a large one too wide. */
const MOST_LABELS = 10;

/** The edges between boxes: those inside a folded group vanish, parallel ones become one. */
function linksOf(data: GraphData): DrawnLink[] {
  const links = new Map<string, DrawnLink>();
  for (const edge of data.edges) {
    const [source, target] = [boxOf(edge.source), boxOf(edge.target)];
    if (source === target) continue;
    const name = `${source}>${target}`;
    links.set(name, { name, source, target, edge: links.has(name) ? null : edge });
  }
  return [...links.values()];
}

export function Drawing() {
  const host = useRef<HTMLDivElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const placed = useSignal<Placed | null>(null);
  const scale = useSignal(1);
  const indent = useSignal(0);
  const data = graph.value!;
  const boxes = [...new Set(data.nodes.map((node) => boxOf(node.id)))];
  const links = linksOf(data);
  const labelled = links.filter(({ edge }) => edge?.factor).length <= MOST_LABELS;
  const key = `${boxes.join()} ${links.map(({ name }) => name).join()} ${text.value}`;

  useEffect(() => {
    let gone = false;
    const place = async () => {
      const { layout } = await loadBundle<LayoutBundle>("layout");
      await document.fonts.ready;
      if (gone || !host.current || !frame.current) return;
      const sizes = [...host.current.querySelectorAll<HTMLElement>("[data-box]")].map((node) => ({
        id: node.dataset.box!,
        width: Math.max(node.offsetWidth, 60),
        height: node.offsetHeight,
      }));
      const room = frame.current.clientWidth;
      const labels = new Map(
        [...host.current.querySelectorAll<HTMLElement>("[data-label]")].map((node) => [node.dataset.label, node]),
      );
      const wanted = links.map(({ name, source, target }) => ({
        source,
        target,
        width: labels.get(name)?.offsetWidth ?? 0,
        height: labels.get(name)?.offsetHeight ?? 0,
      }));
      const result = layout(sizes, wanted, room < 700 ? "TB" : "LR");
      placed.value = result;
      scale.value = Math.max(0.55, Math.min(1.15, (room - 4) / result.width));
      indent.value = Math.max(0, (room - result.width * scale.value) / 2);
    };
    void place();
    const observer = new ResizeObserver(() => void place());
    observer.observe(frame.current!);
    return () => {
      gone = true;
      observer.disconnect();
    };
  }, [key]);

  const event = now.value;
  const active = event?.kind === "backward" ? [boxOf(event.edge.source), boxOf(event.edge.target)].join(">") : "";
  const activeNode = event ? boxOf(event.node.id) : "";
  const known = reached.value;
  const back = new Set([...known.edges].map((edge) => edge.split(">").map(boxOf).join(">")));
  const result = placed.value;
  // The drawing repeats the list below: the pointer may use it, the focus never enters it.
  const jump = (id: string) => {
    const found = events.value.findIndex((one) => one.kind === "forward" && one.node.id === id);
    if (found >= 0) go(found + 1);
  };
  return (
    <div class="drawing-frame" ref={frame} aria-hidden="true" style={result ? { height: `${result.height * scale.value + 8}px` } : {}}>
      <div
        class="drawing"
        ref={host}
        style={result ? { width: `${result.width}px`, height: `${result.height}px`, transform: `translateX(${indent.value}px) scale(${scale.value})` } : {}}
      >
        {result && (
          <svg width={result.width} height={result.height}>
            <defs>
              <marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
                <path d="M0,0 L10,5 L0,10 z" class="tip" />
              </marker>
            </defs>
            {links.map(({ name }, index) => {
              const returned = back.has(name);
              const drawn = result.edges[index];
              return drawn ? (
                <path
                  key={name}
                  d={pathOf(drawn.points)}
                  class={`edge ${returned ? "returned" : ""} ${name === active ? "active" : ""}`}
                  marker-end={returned ? undefined : "url(#tip)"}
                  marker-start={returned ? "url(#tip)" : undefined}
                />
              ) : null;
            })}
          </svg>
        )}
        {boxes.map((box) => {
          const node = data.nodes.find((one) => one.id === box);
          const group = data.groups.find((one) => `group ${one.id}` === box);
          const spot = result?.nodes[box];
          return (
            <div
              key={box}
              data-box={box}
              data-symbol={node?.id}
              class={`node ${node?.kind ?? "group"} ${box === activeNode ? "active" : ""} ${spot ? "" : "unplaced"}`}
              style={spot ? { left: `${spot.x}px`, top: `${spot.y}px` } : {}}
              onClick={() => {
                if (node) jump(node.id);
                else if (group) folded.value = new Set([...folded.value].filter((one) => one !== group.id));
              }}
            >
              {node ? <NodeBox node={node} /> : <span class="node-name">{group?.title}</span>}
            </div>
          );
        })}
        {links.map(({ name, edge }, index) => {
          if (!edge?.factor || (!labelled && name !== active)) return null;
          const spot = result?.edges[index];
          const shown = spot && (back.has(name) || name === active);
          return (
            <div
              key={name}
              data-label={name}
              class={`edge-label ${name === active ? "active" : ""} ${shown ? "" : "unplaced"}`}
              style={spot ? { left: `${spot.x}px`, top: `${spot.y}px` } : {}}
            >
              <Formula of={edge.factor} inline />
              {edge.number !== null && <span class="number">{short(edge.number)}</span>}
            </div>
          );
        })}
      </div>
    </div>
  );
}
