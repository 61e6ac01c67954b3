/** The answer: text with "understood" below it at every key, or a choice. */
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Question, Reply, Understood } from "../../types";
import { Blocks } from "../../parts/blocks";
import { latest } from "../../protocol/call";
import { start } from "../../protocol/globals";
import { Fields } from "./fields";
import { Palette } from "./palette";
import { Reading, refused } from "./reading";

export const typed = signal("");
const understood = signal<Understood | null>(null);

const understand = latest(
  "understood",
  (result) => (understood.value = result),
  (failure) => (understood.value = refused(failure)),
);

interface Props {
  question: Question;
  /** The judgement of the last answer, for the marks of its parts. */
  reply: Reply | null;
  onAnswer: (text: string) => void;
}

const CHOICES = new Set(["choice", "yes or no"]);
/** Answers of several values. */
const FIELDS = new Set(["parts", "values"]);

export function AnswerField(props: Props) {
  const { question } = props;
  if (FIELDS.has(question.reader)) return <Fields {...props} />;
  if (question.choices.length && (CHOICES.has(question.reader) || question.options.length)) {
    return <Choice {...props} />;
  }
  return <Typed {...props} />;
}

function namesOf(question: Question): string[] {
  const pass = question.forward.forward;
  return pass ? [...pass.inputs, ...pass.lines].map(({ name }) => name) : [];
}

function Choice({ question, onAnswer }: Props) {
  return (
    <div class="choices" role="group" aria-label="Answers">
      {question.choices.map((choice, at) => {
        const block = question.options[at];
        return (
          <button key={`${question.ticket} ${choice}`} type="button" class="choice" onClick={() => onAnswer(choice)}>
            <b>{choice}</b>
            {block && <span class="option"><Blocks of={[block.label ? { ...block, label: "" } : block]} /></span>}
          </button>
        );
      })}
    </div>
  );
}

function Typed({ question, onAnswer }: Props) {
  const field = useRef<HTMLTextAreaElement>(null);
  const formula = question.reader === "formula";
  const live = formula && start.tier !== "static";
  useEffect(() => {
    understood.value = null;
  }, [question.ticket]);
  const change = (text: string) => {
    typed.value = text;
    if (!live) return;
    if (text.trim()) understand({ text: question.text, typed: text, ...(question.wrt ? { wrt: question.wrt } : {}) });
    else understood.value = null;
  };
  const insert = (piece: string, back: number) => {
    const box = field.current!;
    const { selectionStart: from, selectionEnd: to } = box;
    // In the box itself and at once: a key pressed before the next frame is typed there too.
    box.setRangeText(piece, from, to, "end");
    box.focus();
    box.setSelectionRange(from + piece.length - back, from + piece.length - back);
    change(box.value);
  };
  const said = understood.value;
  return (
    <form
      class="answer-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (typed.value.trim()) onAnswer(typed.value);
      }}
    >
      <label for="answer">Your answer{formula ? "" : ` (${question.reader})`}</label>
      <textarea
        id="answer"
        ref={field}
        rows={2}
        spellcheck={false}
        autocapitalize="off"
        autocomplete="off"
        aria-describedby="understood"
        value={typed.value}
        onInput={(event) => change(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" && !event.shiftKey) {
            event.preventDefault();
            event.currentTarget.form!.requestSubmit();
          }
        }}
      />
      {formula && <Palette names={namesOf(question)} onInsert={insert} />}
      <div id="understood" class="understood" aria-live="polite">
        {said && <Reading of={said} typed={typed.value} />}
      </div>
      <button type="submit" class="main">Check</button>
    </form>
  );
}
