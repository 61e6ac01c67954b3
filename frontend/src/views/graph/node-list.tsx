/** The same graph as a list; arrow keys follow its edges. */
import type { GraphNode } from "../../types";
import { Formula } from "../../formula/formula";
import { MatrixTable } from "../../parts/matrix-table";
import { graph, now, reached } from "./sweep";

const focus = (id: string) => document.getElementById(`node-${id}`)?.focus();

function Row({ node }: { node: GraphNode }) {
  const data = graph.value!;
  const { values, gradients } = reached.value;
  const to = data.edges.filter(({ source }) => source === node.id).map(({ target }) => target);
  const from = data.edges.filter(({ target }) => target === node.id).map(({ source }) => source);
  const follow = (event: KeyboardEvent) => {
    const next = { ArrowRight: to[0], ArrowLeft: from[0] }[event.key];
    const rows = data.nodes.map(({ id }) => id);
    const beside = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const target = beside ? rows[rows.indexOf(node.id) + beside] : next;
    if (!target) return;
    event.preventDefault();
    event.stopPropagation();
    focus(target);
  };
  const known = values.has(node.id);
  return (
    <li
      id={`node-${node.id}`}
      tabIndex={-1}
      data-symbol={node.id}
      class={now.value?.node.id === node.id ? "current" : ""}
      onKeyDown={follow}
    >
      <div class="row-line">
        {node.line ? <Formula of={node.line} /> : <Formula of={node.math} />}
        {node.kind === "input" && <span class="muted">{node.role}</span>}
      </div>
      <dl>
        <dt>Value</dt>
        <dd>{known ? <MatrixTable of={node.value} label={`Value of ${node.id}`} /> : "not computed yet"}</dd>
        {node.gradient && (
          <>
            <dt>Gradient</dt>
            <dd>{gradients.has(node.id) ? <MatrixTable of={node.gradient} label={`Gradient with respect to ${node.id}`} /> : "not reached yet"}</dd>
          </>
        )}
        {to.length > 0 && (
          <>
            <dt>Goes to</dt>
            <dd>
              {to.map((id) => (
                <button key={id} type="button" class="small" data-symbol={id} onClick={() => focus(id)}>{id}</button>
              ))}
            </dd>
          </>
        )}
      </dl>
    </li>
  );
}

export function NodeList() {
  return (
    <section aria-labelledby="list-title">
      <h2 id="list-title">Nodes</h2>
      <p class="muted">In a row, <kbd>→</kbd> and <kbd>←</kbd> follow the edges.</p>
      <ol class="plain node-list">
        {graph.value!.nodes.map((node) => <Row key={node.id} node={node} />)}
      </ol>
    </section>
  );
}
