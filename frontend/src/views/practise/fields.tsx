/** An answer of several values: one field each, so that a part is read and marked by itself. */
import { signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import type { Question, Reply, Understood } from "../../types";
import { latest } from "../../protocol/call";
import { start } from "../../protocol/globals";
import { refused, Reading } from "./reading";

const fields = signal<Record<string, string>>({});

/** The fields as one text, as `reply` reads it; empty fields are left out. */
function whole(question: Question): string {
  const between = question.reader === "parts" ? "\n" : "; ";
  return question.choices
    .filter((name) => fields.value[name]?.trim())
    .map((name) => `${name} = ${fields.value[name]!.trim().replace(/\s+/g, " ")}`)
    .join(between);
}

const change = (name: string, text: string) => (fields.value = { ...fields.value, [name]: text });

/** The variable of a part that is called by its gradient: `dW1` is the gradient of W1. */
const variable = (part: string) => part.replace(/^d/, "");

interface PartProps {
  question: Question;
  name: string;
  label: string;
  mark: Reply["parts"][number] | undefined;
}

function Part({ question, name, label, mark }: PartProps) {
  const said = useMemo(() => signal<Understood | null>(null), [question.ticket]);
  const ask = useMemo(
    () => latest("understood", (result) => (said.value = result), (failure) => (said.value = refused(failure))),
    [question.ticket],
  );
  const id = `part-${name}`;
  const typed = fields.value[name] ?? "";
  return (
    <div class="part">
      <label for={id}>{label}</label>
      <textarea
        id={id}
        rows={1}
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        aria-describedby={`${id}-read`}
        value={typed}
        onInput={(event) => {
          const text = event.currentTarget.value;
          change(name, text);
          if (start.tier === "static") return;
          if (text.trim()) ask({ text: question.text, typed: text, wrt: variable(name) });
          else said.value = null;
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey) return;
          event.preventDefault();
          const after = event.currentTarget.closest(".part")!.nextElementSibling?.querySelector("textarea");
          if (after) after.focus();
          else event.currentTarget.form!.requestSubmit();
        }}
      />
      <div id={`${id}-read`} class="understood" aria-live="polite">
        {typed.trim() && said.value && <Reading of={said.value} typed={typed} />}
      </div>
      {mark?.answered && (
        <p class={`part-mark ${mark.held ? "right" : "wrong"}`}>
          <span aria-hidden="true">{mark.held ? "✓" : "✗"} </span>{mark.said}
        </p>
      )}
    </div>
  );
}

interface Props {
  question: Question;
  reply: Reply | null;
  onAnswer: (text: string) => void;
}

export function Fields({ question, reply, onAnswer }: Props) {
  useEffect(() => {
    fields.value = {};
  }, [question.ticket]);
  const parts = question.reader === "parts";
  return (
    <form
      class="answer-form"
      onSubmit={(event) => {
        event.preventDefault();
        const text = whole(question);
        if (text) onAnswer(text);
      }}
    >
      {parts ? (
        <div class="part-fields" role="group" aria-label="Your answer, part by part">
          {question.choices.map((name, at) => (
            <Part
              key={`${question.ticket} ${name}`}
              question={question}
              name={name}
              label={question.labels[at] ?? name}
              mark={reply?.parts.find((part) => part.name === name)}
            />
          ))}
        </div>
      ) : (
        <div class="value-fields" role="group" aria-label="Your answer, value by value">
          {question.choices.map((name, at) => (
            <label key={`${question.ticket} ${name}`}>
              {question.labels[at] ?? name}
              <input
                type="text"
                inputMode="text"
                autocomplete="off"
                value={fields.value[name] ?? ""}
                onInput={(event) => change(name, event.currentTarget.value)}
              />
            </label>
          ))}
        </div>
      )}
      <button type="submit" class="main">Check</button>
    </form>
  );
}
