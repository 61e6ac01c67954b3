/** A forward pass, typeset: its inputs with shapes and roles, and its lines. */
import type { ForwardLine, Input, Shape } from "../types";
import { Formula } from "../formula/formula";
import { vectorised } from "../state/board";

export const shapeText = (shape: Shape) => shape.join(" × ");

interface Props {
  of: { title?: string; inputs: Input[]; lines: ForwardLine[]; reading?: string[] };
  /** With the table of inputs. */
  full?: boolean;
  /** With a cost as the sum over examples, unless the reader asks for the vectorised form. */
  sums?: boolean;
}

export function turnSums(): void {
  vectorised.value = !vectorised.value;
}

export function ForwardPass({ of, full, sums }: Props) {
  return (
    <div class="forward-pass">
      {full && of.title && <h2>{of.title}</h2>}
      <ol class="plain lines-of-pass">
        {of.lines.map((line) => (
          <li key={line.name}>
            <Formula of={(sums && !vectorised.value && line.summed) || line.math} />
            {sums && line.summed && (
              <button type="button" class="turn-sums" aria-pressed={vectorised.value} title="Key v" onClick={turnSums}>
                vectorised
              </button>
            )}
            <span class="shape">{shapeText(line.shape)}</span>
          </li>
        ))}
      </ol>
      {full && of.inputs.length > 0 && (
        <table class="inputs">
          <caption class="spoken">Inputs and their shapes</caption>
          <thead class="spoken">
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Shape</th>
              <th scope="col">Meaning</th>
            </tr>
          </thead>
          <tbody>
            {of.inputs.map((input) => (
              <tr key={input.name}>
                <th scope="row">
                  <span aria-hidden="true"><Formula of={input.math} inline /></span>
                  <span class="spoken">{input.math.spoken}</span>
                </th>
                <td class="shape">{shapeText(input.shape)}</td>
                <td>
                  {input.note || input.role}
                  {input.assumed && <span class="muted"> (assumed: {input.assumed})</span>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {full && (of.reading ?? []).map((sentence) => <p class="muted" key={sentence}>{sentence}</p>)}
    </div>
  );
}
