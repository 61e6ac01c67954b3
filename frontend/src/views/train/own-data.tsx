/** One's own CSV: read in the page, never sent anywhere but to this machine. */
import { signal } from "@preact/signals";
import { announced } from "../../state/board";
import { labelColumns, MOST_ROWS, numericColumns, readTable } from "./csv";
import { own, pair, train } from "./state";

const trouble = signal("");

async function take(file: File | undefined): Promise<void> {
  if (!file) return;
  try {
    const table = readTable(await file.text());
    const [label] = labelColumns(table).slice(-1);
    const numeric = numericColumns(table).filter((column) => column !== label);
    if (label === undefined) throw new Error("No column has exactly two values: the label must have two classes.");
    if (numeric.length < 2) throw new Error("Fewer than two columns hold numbers in every row besides the label.");
    own.value = { table, label };
    pair.value = [numeric[0]!, numeric[1]!];
    trouble.value = "";
    await train();
  } catch (error) {
    trouble.value = (error as Error).message;
    announced.value = trouble.value;
  }
}

function Column({ name, value, able, set }: { name: string; value: number; able: number[]; set: (column: number) => void }) {
  return (
    <label>
      {name}
      <select value={value} onChange={(event) => { set(Number(event.currentTarget.value)); void train(); }}>
        {able.map((column) => <option key={column} value={column}>{own.value!.table.columns[column]}</option>)}
      </select>
    </label>
  );
}

export function OwnData() {
  const data = own.value;
  return (
    <div class="own-data">
      {data && (
        <>
          <Column name="Horizontal" value={pair.value[0]} able={numericColumns(data.table).filter((one) => one !== pair.value[1])} set={(one) => (pair.value = [one, pair.value[1]])} />
          <Column name="Vertical" value={pair.value[1]} able={numericColumns(data.table).filter((one) => one !== pair.value[0])} set={(one) => (pair.value = [pair.value[0], one])} />
          <Column name="Label" value={data.label} able={labelColumns(data.table)} set={(one) => (own.value = { ...data, label: one })} />
        </>
      )}
      <label class="file-button">
        {data ? "Another CSV" : "Your own CSV"} <input type="file" class="spoken" accept=".csv,.tsv,.txt,text/csv" onChange={(event) => void take(event.currentTarget.files?.[0])} />
      </label>
      {data && (
        <button type="button" class="quiet" onClick={() => { own.value = null; pair.value = [0, 1]; void train(); }}>
          Back to the built-in data
        </button>
      )}
      {data && data.table.rows.length > MOST_ROWS && (
        <p class="muted">
          {MOST_ROWS.toLocaleString("en")} evenly spaced rows of {data.table.rows.length.toLocaleString("en")} are used
          here; <code>chainrule fit</code> uses all.
        </p>
      )}
      {trouble.value && <p class="note">{trouble.value}</p>}
    </div>
  );
}
