/** Practise: a question of the bank, an answer typed as text, a verdict that names the mistake. */
import { batch, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Failure, Hint, Question, Reply, Solution, Topics } from "../../types";
import { Blocks } from "../../parts/blocks";
import { Fault } from "../../parts/fault";
import { Formula } from "../../formula/formula";
import { asFailure, call } from "../../protocol/call";
import { start } from "../../protocol/globals";
import { add, load, records } from "../../state/history";
import { AnswerField, typed } from "./answer-field";
import { HistoryPanel } from "./history-panel";

const question = signal<Question | null>(null);
const reply = signal<Reply | null>(null);
const hints = signal<Hint[]>([]);
const solution = signal<Solution | null>(null);
const failure = signal<Failure | null>(null);
const topics = signal<Topics | null>(null);
const topic = signal("");
let recorded = false;
let seed = Math.floor(Math.random() * 1e6);
let skipped: string[] = [];

async function attempt(act: () => Promise<void>): Promise<void> {
  try {
    await act();
    failure.value = null;
  } catch (error) {
    failure.value = asFailure(error);
  }
}

const ask = () =>
  attempt(async () => {
    seed += 1;
    const asked = await call("question", {
      history: records.value, seed, skip: skipped.slice(-20), ...(topic.value ? { topic: topic.value } : {}),
    });
    skipped.push(asked.exercise);
    recorded = false;
    batch(() => {
      question.value = asked;
      reply.value = null;
      hints.value = [];
      solution.value = null;
      typed.value = "";
    });
  });

async function record(one: Reply["record"]): Promise<void> {
  if (recorded || !one) return;
  recorded = true;
  await add(one);
  const right = records.value.filter((each) => each.right).length;
  if (start.scorm) window.chainruleScorm?.score(right, records.value.length);
}

const answer = (text: string) =>
  attempt(async () => {
    const result = await call("reply", { ticket: question.value!.ticket, answer: text, hints: hints.value.length });
    reply.value = result;
    if (result.read) await record(result.record);
  });

const hint = () =>
  attempt(async () => {
    const next = await call("hint", { ticket: question.value!.ticket, number: hints.value.length + 1 });
    hints.value = [...hints.value, next];
  });

const show = () =>
  attempt(async () => {
    solution.value = await call("show", { ticket: question.value!.ticket, hints: hints.value.length });
    await record(solution.value.record);
  });

function Verdict({ of }: { of: Reply }) {
  const more = of.lines.filter((line) => line !== of.message);
  const mark = !of.read ? "?" : of.right ? "✓" : "✗";
  return (
    <div class={`verdict ${!of.read ? "unread" : of.right ? "right" : "wrong"}`}>
      <p class="said"><span aria-hidden="true">{mark} </span>{of.message}</p>
      {!of.read && more.length > 0 && <pre class="source">{more.join("\n")}</pre>}
      {of.read && !of.parts.length && more.map((line) => <p key={line}>{line}</p>)}
      {of.understood_math && <div class="equation"><Formula of={of.understood_math} /></div>}
    </div>
  );
}

export function Practise() {
  useEffect(() => {
    void load().then(() => (question.value ? undefined : ask()));
    if (!topics.value) call("topics", {}).then((all) => (topics.value = all), () => undefined);
  }, []);
  const now = question.value;
  const done = reply.value?.right || solution.value !== null;
  const left = now ? now.hints - hints.value.length : 0;
  return (
    <div class="practise">
      <section class="question-column" aria-labelledby="practise-title">
        <div class="heading">
          <h1 id="practise-title">Practise</h1>
          {topics.value && topics.value.topics.length > 0 && (
            <label>
              Topic{" "}
              <select
                value={topic.value}
                onChange={(event) => {
                  topic.value = event.currentTarget.value;
                  skipped = [];
                  void ask();
                }}
              >
                <option value="">all, by what you missed</option>
                {topics.value.topics.map(({ name, title }) => <option key={name} value={name}>{title}</option>)}
              </select>
            </label>
          )}
        </div>
        {failure.value && <Fault failure={failure.value} />}
        {now && (
          <article class="question-card" aria-labelledby="question-task">
            <p class="muted">{now.title}</p>
            {now.forward.forward && <ForwardPassOf of={now} />}
            <Blocks of={now.prompt} />
            <h2 id="question-task">{now.task}</h2>
            <AnswerField question={now} reply={reply.value} onAnswer={(text) => void answer(text)} />
            <div role="status">{reply.value && <Verdict of={reply.value} />}</div>
            {hints.value.map((one, at) => (
              <aside key={at} class="hint" aria-label={`Hint ${at + 1}`}>
                <p class="muted">Hint {at + 1} of {now.hints}</p>
                <Blocks of={one.hint} />
              </aside>
            ))}
            {solution.value && (
              <section class="hint" aria-label="Solution">
                <p class="muted">Solution</p>
                <Blocks of={solution.value.solution} />
              </section>
            )}
            <div class="controls">
              {!done && left > 0 && <button type="button" onClick={() => void hint()}>Hint ({left} left)</button>}
              {!done && <button type="button" onClick={() => void show()}>Show the solution</button>}
              <button type="button" class={done ? "main" : ""} onClick={() => void ask()}>
                {done ? "Next question" : "Another question"}
              </button>
            </div>
          </article>
        )}
      </section>
      <HistoryPanel />
    </div>
  );
}

function ForwardPassOf({ of }: { of: Question }) {
  return <Blocks of={[of.forward]} />;
}
