/** Blocks of a question, a hint or a solution. */
import type { Block } from "../types";
import { Formula } from "../formula/formula";
import { CircuitDrawing } from "./circuit";
import { ForwardPass } from "../views/forward-pass";

export function Blocks({ of }: { of: Block[] }) {
  return (
    <>
      {of.map((block, at) => {
        if (block.type === "prose") return <p key={at}>{block.text}</p>;
        if (block.type === "code") return <pre key={at} class="code" tabIndex={0} role="group" aria-label="Code">{block.text}</pre>;
        if (block.type === "circuit") return block.circuit && <CircuitDrawing key={at} of={block.circuit} />;
        if (block.type === "forward") return block.forward && <ForwardPass key={at} of={block.forward} full />;
        return (
          <div key={at} class="equation">
            {block.label && <span class="label">{block.label}</span>}
            {block.line ? <Formula of={block.line} /> : <span>{block.text}</span>}
            {block.note && <span class="muted">{block.note}</span>}
          </div>
        );
      })}
    </>
  );
}
