/** Numbers: move an entry of an input, and every line shows its value. */
import { batch, signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { Failure, Formula as FormulaData, Input, Line, Matrix, Numbers as NumbersData } from "../../types";
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

/** A line with its value; a slider changes the value alone, and the formula is not set again. */
function Valued({ of, children }: { of: Line | FormulaData; children: ComponentChildren }) {
  const formula = useMemo(() => <Formula of={of} />, [of]);
  return (
    <li>
      {formula}
      <span class="value">{children}</span>
    </li>
  );
}

/** The editor of an input; the others stay as they are while one changes. */
function OneInput({ input, value }: { input: Input; value: Matrix }) {
  return useMemo(
    () => <InputEditor input={input} value={value} onChange={(next) => change(input.name, next)} />,
    [input, value],
  );
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
            <OneInput key={input.name} input={input} value={inputs.value[input.name]!} />
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
              <Valued key={line.name} of={line.math}>
                <MatrixTable of={now.values[line.name] ?? []} label={`Value of ${line.name}`} />
              </Valued>
            ))}
          </ol>
          <h2>Gradients</h2>
          <ol class="plain valued">
            {data?.gradients.filter((one) => now.gradients[one.name]).map((one) => (
              <Valued key={one.name} of={one.line}>
                <MatrixTable of={now.gradients[one.name]!} label={`Gradient with respect to ${one.name}`} />
              </Valued>
            ))}
          </ol>
          <h2>Every line of the derivation</h2>
          <ol class="plain valued">
            {data?.steps.map((step) => {
              const value = values.get(step.id);
              return (
                <Valued key={step.id} of={step.line}>
                  {value && (value.value !== null || value.term !== null) ? <span class="number">{short(value.value ?? value.term)}</span> : <span class="muted">–</span>}
                </Valued>
              );
            })}
          </ol>
        </section>
      )}
    </div>
  );
}
