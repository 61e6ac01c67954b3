/** One input: its entries as number boxes, and a slider for the entry that was used last. */
import { useSignal } from "@preact/signals";
import type { Input, Matrix } from "../../types";
import { Formula } from "../../formula/formula";
import { short } from "../../parts/matrix-table";

interface Props {
  input: Input;
  value: Matrix;
  onChange: (value: Matrix) => void;
}

const MOST = 30;

const replaced = (value: Matrix, i: number, j: number, entry: number): Matrix =>
  value.map((row, a) => (a === i ? row.map((old, b) => (b === j ? entry : old)) : row));

export function InputEditor({ input, value, onChange }: Props) {
  const at = useSignal<[number, number]>([0, 0]);
  const rows = value.length;
  const columns = value[0]?.length ?? 0;
  const [i, j] = [Math.min(at.value[0], rows - 1), Math.min(at.value[1], columns - 1)];
  const now = value[i]?.[j] ?? 0;
  const label = rows * columns === 1 ? input.name : `${input.name}, row ${i + 1}, column ${j + 1}`;
  // Labels and masks are 0 or 1 and stay so.
  const binary = value.flat().every((entry) => entry === 0 || entry === 1) && input.role === "label";
  const reach = Math.max(3, Math.ceil(Math.abs(now)));
  return (
    <fieldset class="input-editor" data-symbol={input.name}>
      <legend>
        <Formula of={input.math} inline /> <span class="muted">{input.note || input.role}{input.shape.length > 2 && "; its slices below one another"}</span>
      </legend>
      {rows * columns <= MOST ? (
        <table class="entries" aria-label={`Entries of ${input.name}`}>
          <tbody>
            {value.map((row, a) => (
              <tr key={a}>
                {row.map((entry, b) => (
                  <td key={b} class={a === i && b === j && rows * columns > 1 ? "chosen-entry" : ""}>
                    <input
                      type="number"
                      step={binary ? 1 : 0.1}
                      aria-label={`${input.name}, row ${a + 1}, column ${b + 1}`}
                      value={Number((entry ?? 0).toPrecision(4))}
                      onFocus={() => (at.value = [a, b])}
                      onInput={(event) => {
                        const typed = event.currentTarget.valueAsNumber;
                        if (Number.isFinite(typed)) onChange(replaced(value, a, b, typed));
                      }}
                    />
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      ) : (
        <p class="muted">{rows} × {columns} entries; the slider moves the first.</p>
      )}
      <input
        type="range"
        min={binary ? 0 : -reach}
        max={binary ? 1 : reach}
        step={binary ? 1 : 0.01}
        value={now}
        aria-label={label}
        aria-valuetext={`${label} = ${short(now)}`}
        onInput={(event) => onChange(replaced(value, i, j, event.currentTarget.valueAsNumber))}
      />
    </fieldset>
  );
}
