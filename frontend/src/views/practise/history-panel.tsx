/** The history of answers: progress by rule, export, import, delete. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Progress } from "../../types";
import { download } from "../../parts/download";
import { call } from "../../protocol/call";
import { announced } from "../../state/board";
import { clear, records, replaceBy, stored } from "../../state/history";

const progress = signal<Progress | null>(null);
const said = signal("");
const sure = signal(false);

async function take(file: File | undefined): Promise<void> {
  if (!file) return;
  try {
    said.value = `${await replaceBy(await file.text())} answers read.`;
  } catch (error) {
    said.value = error instanceof SyntaxError ? "This file is not JSON." : (error as Error).message;
  }
  announced.value = said.value;
}

export function HistoryPanel() {
  useEffect(() => {
    call("progress", { history: records.value }).then((result) => (progress.value = result), () => (progress.value = null));
  }, [records.value]);
  const count = records.value.length;
  const right = records.value.filter((one) => one.right).length;
  const rules = progress.value?.rules ?? [];
  return (
    <aside class="history" aria-labelledby="history-title">
      <h2 id="history-title">Your answers</h2>
      <p>{count === 0 ? "None yet. They stay in this browser." : `${right} of ${count} right. They stay in this browser.`}</p>
      {!stored.value && <p class="muted">This browser stores nothing for this page: export before you close it.</p>}
      {rules.length > 0 && (
        <table class="boxes">
          <caption class="spoken">Skills and their spaced-repetition boxes</caption>
          <thead><tr><th scope="col">Skill</th><th scope="col">Box</th><th scope="col">Missed</th></tr></thead>
          <tbody>
            {rules.map(({ rule, box, missed, seen }) => (
              <tr key={rule}><th scope="row">{rule}</th><td>{box} of 5</td><td>{missed} of {seen}</td></tr>
            ))}
          </tbody>
        </table>
      )}
      <div class="controls">
        {count > 0 && <button type="button" onClick={() => download("chainrule-history.json", JSON.stringify(records.value, null, 1), "application/json")}>Export</button>}
        <label class="file-button">
          Import <input type="file" class="spoken" accept=".json,application/json" onChange={(event) => void take(event.currentTarget.files?.[0])} />
        </label>
        {count > 0 && (
          <button
            type="button"
            onClick={() => {
              if (sure.value) void clear();
              sure.value = !sure.value;
            }}
          >
            {sure.value ? `Delete ${count} answers for good` : "Delete"}
          </button>
        )}
      </div>
      {said.value && <p class="muted">{said.value}</p>}
    </aside>
  );
}
