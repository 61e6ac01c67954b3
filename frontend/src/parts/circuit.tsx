/** A circuit with numbers: inputs on the left, values above the boxes, gradients below them. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Block } from "../types";
import { pathOf } from "./edge-path";
import { loadBundle } from "../protocol/trusted";
import type { LayoutBundle, Placed } from "../lazy/layout";

type Circuit = NonNullable<Block["circuit"]>;
type Value = Circuit["nodes"][number];

/** Below this size numbers are not readable, and the drawing scrolls. */
const SMALLEST = 0.7;

const asked = (number: string) => (number === "?" ? "asked for" : number);

function spokenOf({ nodes, output }: Circuit): string[] {
  return nodes.map(({ name, formula, value, gradient }) => {
    const gives = formula ? `${name} = ${formula}` : name;
    return `${gives}: value ${asked(value)}, d${output}/d${name} ${asked(gradient)}`;
  });
}

function Box({ of, output }: { of: Value; output: string }) {
  const number = (text: string) => (text === "?" ? "asked-number" : "");
  return (
    <>
      <span class={`circuit-value ${number(of.value)}`}>{of.value}</span>
      <span class="circuit-name">{of.formula ? `${of.name} = ${of.formula}` : of.name}</span>
      <span class="circuit-gradient">
        d{output}/d{of.name} = <span class={number(of.gradient)}>{of.gradient}</span>
      </span>
    </>
  );
}

type Point = { x: number; y: number };

/** Let an edge begin and end at the middle of the sides of its boxes. */
function touch(placed: Placed, at: number, source: string, target: string, reach: Map<string, Point>): void {
  const [from, to] = [placed.nodes[source]!, placed.nodes[target]!];
  const [out, into] = [reach.get(source)!, reach.get(target)!];
  placed.edges[at]!.points = [
    { x: from.x + out.x, y: from.y + out.y },
    ...placed.edges[at]!.points.slice(1, -1),
    { x: to.x - into.x, y: to.y - into.y },
  ];
}

export function CircuitDrawing({ of }: { of: Circuit }) {
  const frame = useRef<HTMLDivElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const placed = useSignal<Placed | null>(null);
  const scale = useSignal(1);
  const links = of.nodes.flatMap(({ name, uses }) => uses.map((source) => ({ source, target: name, width: 0, height: 0 })));

  useEffect(() => {
    let gone = false;
    const place = async () => {
      const { layout } = await loadBundle<LayoutBundle>("layout");
      await document.fonts.ready;
      if (gone || !host.current || !frame.current) return;
      const found = [...host.current.querySelectorAll<HTMLElement>("[data-box]")];
      const boxes = found.map((box) => ({ id: box.dataset.box!, width: box.offsetWidth, height: box.offsetHeight }));
      const room = frame.current.clientWidth;
      const across = room >= 560;
      const result = layout(boxes, links, across ? "LR" : "TB");
      // Across, an edge goes from box to box, and not to the numbers that stand above and below.
      const reach = new Map(found.map((box) => {
        const name = box.querySelector<HTMLElement>(".circuit-name")!;
        return [box.dataset.box!, across ? { x: name.offsetWidth / 2, y: 0 } : { x: 0, y: box.offsetHeight / 2 }];
      }));
      links.forEach(({ source, target }, at) => touch(result, at, source, target, reach));
      placed.value = result;
      scale.value = Math.max(SMALLEST, Math.min(1, room / result.width));
    };
    void place();
    const observer = new ResizeObserver(() => void place());
    observer.observe(frame.current!);
    return () => {
      gone = true;
      observer.disconnect();
    };
  }, [of]);

  const result = placed.value;
  const size = result && { width: `${result.width}px`, height: `${result.height}px`, transform: `scale(${scale.value})` };
  return (
    <>
      <ul class="spoken">{spokenOf(of).map((said) => <li key={said}>{said}</li>)}</ul>
      <div
        class="drawing-frame circuit"
        ref={frame}
        aria-hidden="true"
        style={result ? { height: `${result.height * scale.value}px` } : {}}
      >
        <div class="drawing" ref={host} style={size ?? {}}>
          {result && (
            <svg width={result.width} height={result.height}>
              {links.map(({ source, target }, at) => (
                <path key={`${source}>${target}`} d={pathOf(result.edges[at]!.points)} class="edge" />
              ))}
            </svg>
          )}
          {of.nodes.map((node) => {
            const spot = result?.nodes[node.name];
            return (
              <div
                key={node.name}
                data-box={node.name}
                class={`circuit-box ${spot ? "" : "unplaced"}`}
                style={spot ? { left: `${spot.x}px`, top: `${spot.y}px` } : {}}
              >
                <Box of={node} output={of.output} />
              </div>
            );
          })}
        </div>
      </div>
    </>
  );
}
