/** The graph of a forward pass: values forward, gradients back, formula and number on each edge. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Failure } from "../../types";
import { Formula } from "../../formula/formula";
import { Fault } from "../../parts/fault";
import { MatrixTable, short } from "../../parts/matrix-table";
import { asFailure, call } from "../../protocol/call";
import { announced, problem, text } from "../../state/board";
import { listen } from "../derive/keys";
import { Drawing } from "./drawing";
import { NodeList } from "./node-list";
import { at, events, folded, go, graph, now, type Event } from "./sweep";

const failure = signal<Failure | null>(null);
let of = "";

/** Graphs larger than this open folded by layers. */
const LARGE = 18;

async function load(): Promise<void> {
  const key = JSON.stringify(problem());
  if (of === key) return;
  of = key;
  at.value = 0;
  try {
    const result = await call("graph", { ...problem(), order: 1 });
    failure.value = null;
    folded.value = new Set(result.nodes.length > LARGE ? result.groups.map(({ id }) => id) : []);
    graph.value = result;
  } catch (error) {
    graph.value = null;
    failure.value = asFailure(error);
    of = "";
  }
}

function sentence(event: Event): string {
  if (event.kind === "forward") return `Forward: ${event.node.id} is computed.`;
  const { source, target } = event.edge;
  return `Backward: the gradient of ${target} reaches ${source}.`;
}

function Told({ event }: { event: Event }) {
  return (
    <div class="told">
      <p class="muted">
        <span aria-hidden="true">{event.kind === "forward" ? "→ " : "← "}</span>
        {sentence(event)}
      </p>
      {event.kind === "forward" ? (
        <>
          {event.node.line && <Formula of={event.node.line} />}
          <MatrixTable of={event.node.value} label={`Value of ${event.node.id}`} />
        </>
      ) : (
        <>
          {event.edge.factor && <Formula of={event.edge.factor} />}
          {event.edge.number !== null && <span class="number">{short(event.edge.number)}</span>}
          {event.node.gradient_line && <Formula of={event.node.gradient_line} />}
          {event.node.gradient && <MatrixTable of={event.node.gradient} label={`Gradient with respect to ${event.node.id}`} />}
        </>
      )}
    </div>
  );
}

const next = () => go(at.value + 1);
const back = () => go(at.value - 1);

export function Graph() {
  useEffect(() => void load(), [text.value]);
  useEffect(() => listen({ " ": next, ArrowRight: next, ArrowLeft: back, Home: () => go(0), End: () => go(Infinity) }), []);
  const event = now.value;
  useEffect(() => {
    if (event) announced.value = sentence(event);
  }, [event]);
  const data = graph.value;
  const count = events.value.length;
  return (
    <div class="graph-view">
      <h1>Graph</h1>
      {failure.value && <Fault failure={failure.value} />}
      {!data && !failure.value && <p class="muted" role="status">Evaluating the graph…</p>}
      {data && (
        <>
          <div class="controls">
            <button type="button" onClick={back} aria-disabled={at.value === 0}><span aria-hidden="true">←</span> Back</button>
            <button type="button" class="main" onClick={next} aria-disabled={at.value === count}>
              Step <span aria-hidden="true">→</span>
            </button>
            <button type="button" onClick={() => go(Infinity)}>All</button>
            <button type="button" onClick={() => go(0)}>Reset</button>
            <span class="muted count">{at.value} / {count}</span>
            {data.groups.length > 1 && (
              <button
                type="button"
                aria-pressed={folded.value.size > 0}
                onClick={() => (folded.value = new Set(folded.value.size ? [] : data.groups.map(({ id }) => id)))}
              >
                Folded by layers
              </button>
            )}
          </div>
          <Drawing />
          <section class="telling" aria-label="Current step">
            {event ? <Told event={event} /> : (
              <p class="muted">Press Step or <kbd>Space</kbd>: values go forward first, then gradients come back.</p>
            )}
          </section>
          <NodeList />
        </>
      )}
    </div>
  );
}
