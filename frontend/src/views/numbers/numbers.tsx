/** Numbers: move an entry of an input, and every line shows its value. */
import { batch, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Failure, Matrix, Numbers as NumbersData } from "../../types";
import { Formula } from "../../formula/formula";
import { Fault } from "../../parts/fault";
import { MatrixTable, short } from "../../parts/matrix-table";
import { latest } from "../../protocol/call";
import { derivation, ensureDerived, forward, problem, text } from "../../state/board";
import { InputEditor } from "./input-editor";

const numbers = signal<NumbersData | null>(null);
const failure = signal<Failure | null>(null);
const inputs = signal<Record<string, Matrix>>({});
const chosen = signal<Record<string, number>>({});
let of = "";

const evaluate = latest(
  "numbers",
  (result) =>
    batch(() => {
      numbers.value = result;
      failure.value = null;
      if (!Object.keys(inputs.value).length) inputs.value = result.inputs;
      chosen.value = result.chosen;
    }),
  (error) => (failure.value = error),
);

function refresh(seed?: number): void {
  const point = seed === undefined ? { inputs: inputs.value, chosen: chosen.value } : { seed };
  evaluate({ ...problem(), ...point });
}

function redraw(seed: number): void {
  inputs.value = {};
  chosen.value = {};
  refresh(seed);
}

let seed = 0;

function change(name: string, value: Matrix): void {
  inputs.value = { ...inputs.value, [name]: value };
  refresh();
}

export function Numbers() {
  useEffect(() => {
    void ensureDerived();
    const key = JSON.stringify(problem());
    if (of !== key) {
      of = key;
      numbers.value = null;
      redraw((seed = 0));
    }
  }, [text.value]);
  const now = numbers.value;
  const data = derivation.value;
  const values = new Map(now?.steps.map((one) => [one.id, one]));
  return (
    <div class="numbers-view">
      <section class="inputs-column" aria-labelledby="inputs-title">
        <div class="heading">
          <h1 id="inputs-title">Numbers</h1>
          <button type="button" onClick={() => redraw((seed += 1))}>New example</button>
        </div>
        {failure.value && <Fault failure={failure.value} />}
        {!now && !failure.value && <p class="muted" role="status">Evaluating…</p>}
        {forward.value?.inputs.map((input) =>
          inputs.value[input.name] ? (
            <InputEditor key={input.name} input={input} value={inputs.value[input.name]!} onChange={(value) => change(input.name, value)} />
          ) : null,
        )}
        {now && Object.entries(now.chosen).length > 0 && (
          <fieldset class="chosen">
            <legend>Entry that index forms show</legend>
            {Object.entries(now.chosen).map(([dim, at]) => (
              <label key={dim}>
                {dim}{" "}
                <select
                  value={at}
                  onChange={(event) => {
                    chosen.value = { ...chosen.value, [dim]: Number(event.currentTarget.value) };
                    refresh();
                  }}
                >
                  {Array.from({ length: now.sizes[dim] ?? at + 1 }, (_, one) => (
                    <option key={one} value={one}>{one + 1}</option>
                  ))}
                </select>
              </label>
            ))}
          </fieldset>
        )}
      </section>
      {now && (
        <section class="values-column" aria-label="Values">
          <h2>Forward pass</h2>
          <ol class="plain valued">
            {forward.value?.lines.map((line) => (
              <li key={line.name}>
                <Formula of={line.math} />
                <span class="value"><MatrixTable of={now.values[line.name] ?? []} label={`Value of ${line.name}`} /></span>
              </li>
            ))}
          </ol>
          <h2>Gradients</h2>
          <ol class="plain valued">
            {data?.gradients.filter((one) => now.gradients[one.name]).map((one) => (
              <li key={one.name}>
                <Formula of={one.line} />
                <span class="value"><MatrixTable of={now.gradients[one.name]!} label={`Gradient with respect to ${one.name}`} /></span>
              </li>
            ))}
          </ol>
          <h2>Every line of the derivation</h2>
          <ol class="plain valued">
            {data?.steps.map((step) => {
              const value = values.get(step.id);
              return (
                <li key={step.id}>
                  <Formula of={step.line} />
                  <span class="value">{value && (value.value !== null || value.term !== null) ? <span class="number">{short(value.value ?? value.term)}</span> : <span class="muted">–</span>}</span>
                </li>
              );
            })}
          </ol>
        </section>
      )}
    </div>
  );
}
