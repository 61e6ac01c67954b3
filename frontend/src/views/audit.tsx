/** Audit: paste or drop a derivation, and each line gets a verdict. */
import { signal } from "@preact/signals";
import type { Audit as AuditData, Failure, LineVerdict } from "../types";
import { Fault } from "../parts/fault";
import { short } from "../parts/matrix-table";
import { start } from "../protocol/globals";
import { asFailure, call } from "../protocol/call";
import { announced, derivation, ensureDerived, text } from "../state/board";

const transcript = signal("");
const result = signal<AuditData | null>(null);
const failure = signal<Failure | null>(null);
const busy = signal(false);
const opened = signal<Set<number>>(new Set());
const dropping = signal(false);

const WORDS: Record<string, [string, string]> = {
  proven: ["✓", "verified"],
  follows: ["↳", "follows from the error above"],
  wrong: ["✗", "wrong"],
  shape: ["✗", "shapes do not agree"],
  scope: ["✗", "index out of scope"],
  unproven: ["?", "not decided"],
  unreadable: ["?", "not readable"],
};

/** Lines of this board's derivation, one of them with the wrong sign. */
async function example(): Promise<void> {
  await ensureDerived();
  transcript.value = derivation.value?.faulty ?? "";
}

async function audit(): Promise<void> {
  if (!transcript.value.trim()) return;
  busy.value = true;
  try {
    const answer = await call("audit", { transcript: transcript.value, text: text.value });
    result.value = answer;
    failure.value = null;
    const wrong = answer.lines.filter(({ accused }) => accused);
    opened.value = new Set(wrong.slice(0, 1).map(({ line }) => line));
    announced.value = wrong.length ? `First wrong line: ${wrong[0]!.line}.` : `${answer.lines.length} lines judged, none wrong.`;
  } catch (error) {
    result.value = null;
    failure.value = asFailure(error);
  }
  busy.value = false;
}

async function take(file: File | undefined): Promise<void> {
  dropping.value = false;
  if (!file) return;
  transcript.value = await file.text();
  await audit();
}

function More({ of }: { of: LineVerdict }) {
  return (
    <div class="more">
      {of.why && <p>{of.why}</p>}
      {of.mistakes.map((one) => <p key={one.name}><b>{one.name}</b>{one.message ? `: ${one.message}` : ""}</p>)}
      {of.right && <p>Right: <code>{of.right}</code></p>}
      {of.numbers && (
        <dl class="two-numbers">
          <div><dt>This line gives</dt><dd class="number">{short(of.numbers.yours)}</dd></div>
          <div><dt>The derivative is</dt><dd class="number">{short(of.numbers.right)}</dd></div>
        </dl>
      )}
    </div>
  );
}

function Row({ at, source, of }: { at: number; source: string; of: LineVerdict | undefined }) {
  if (!of) {
    return (
      <li>
        <span class="line-number">{at}</span>
        <code class="muted">{source || "\u00a0"}</code>
        <span />
      </li>
    );
  }
  const [glyph, word] = WORDS[of.verdict] ?? ["?", of.verdict];
  const open = opened.value.has(at);
  const tells = Boolean(of.why || of.mistakes.length || of.right || of.numbers);
  const toggle = () => {
    const next = new Set(opened.value);
    if (!next.delete(at)) next.add(at);
    opened.value = next;
  };
  return (
    <li class={`${of.verdict} ${of.accused ? "accused" : ""}`}>
      <span class="line-number">{at}</span>
      <code>{source}</code>
      {tells ? (
        <button type="button" class="small label" aria-expanded={open} onClick={toggle}>
          <span aria-hidden="true">{glyph} </span>{word}
        </button>
      ) : (
        <span class="label"><span aria-hidden="true">{glyph} </span>{word}</span>
      )}
      {open && <More of={of} />}
    </li>
  );
}

export function Audit() {
  const answer = result.value;
  const verdicts = new Map(answer?.lines.map((one) => [one.line, one]));
  return (
    <div
      class={`audit ${dropping.value ? "dropping" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        dropping.value = true;
      }}
      onDragLeave={() => (dropping.value = false)}
      onDrop={(event) => {
        event.preventDefault();
        void take(event.dataTransfer?.files[0]);
      }}
    >
      <section aria-labelledby="audit-title">
        <h1 id="audit-title">Audit</h1>
        <p class="muted">
          Paste a derivation, or drop a file. It is judged against the forward pass of this board unless it
          begins with its own.
        </p>
        {start.tier === "static" && (
          <p class="note-of-tier">
            This exported page recognises the lines of its own derivation. To judge any other line, install
            chainrule and run <code>chainrule board</code>.
          </p>
        )}
        <textarea
          class="editor"
          aria-label="Derivation to audit"
          rows={12}
          spellcheck={false}
          value={transcript.value}
          onInput={(event) => (transcript.value = event.currentTarget.value)}
        />
        <div class="controls">
          <button type="button" class="main" aria-disabled={busy.value} onClick={() => void audit()}>
            {busy.value ? "Judging…" : "Judge every line"}
          </button>
          <label class="file-button">
            Open a file <input type="file" class="spoken" accept=".txt,.md,.tex,.cr,.py" onChange={(event) => void take(event.currentTarget.files?.[0])} />
          </label>
          {!transcript.value && <button type="button" onClick={() => void example()}>Example</button>}
        </div>
      </section>
      <section aria-label="Verdicts">
        {failure.value && <Fault failure={failure.value} />}
        {answer && (
          <>
            <p class="muted">{answer.convention}</p>
            <ol class="plain verdicts">
              {answer.source.map((source, index) => (
                <Row key={index} at={index + 1} source={source} of={verdicts.get(index + 1)} />
              ))}
            </ol>
          </>
        )}
      </section>
    </div>
  );
}
