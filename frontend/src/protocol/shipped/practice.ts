/** Practice from shipped questions with their keys: choices, numbers and shapes. */
import type { AnswerRecord, PracticeItem, QuestionArgs } from "../../types";
import { failure } from "../call";
import { start } from "../globals";
import { loadScript } from "../trusted";

async function items(): Promise<PracticeItem[]> {
  if (!start.practice) await loadScript("data/practice.js");
  return start.practice ?? [];
}

async function of(ticket: string): Promise<PracticeItem> {
  const found = (await items()).find((one) => one.ticket === ticket);
  if (!found) throw failure("static", "This question is not part of the exported board.");
  return found;
}

const tidy = (text: string) => text.toLowerCase().replace(/[\s()[\]]/g, "").replace(/[×x*]/g, ",");

function equal(item: PracticeItem, answer: string): boolean {
  if (item.reader !== "number") return tidy(answer) === tidy(item.answer);
  const [right, given] = [Number(item.answer), Number(answer.replace(",", "."))];
  return Math.abs(right - given) <= 1e-3 * Math.max(1, Math.abs(right));
}

function recordOf(item: PracticeItem, right: boolean, hints: number): AnswerRecord {
  return { exercise: item.exercise, kind: item.kind, seed: 0, rules: item.rules, right, hints, at: "" };
}

/** Missed questions first, then unseen ones, then the rest. */
function next(all: PracticeItem[], history: AnswerRecord[], seed: number, skip: string[]): PracticeItem {
  const last = new Map(history.map((one) => [`${one.exercise} ${one.kind}`, one.right]));
  const rank = (item: PracticeItem) => {
    const seen = last.get(`${item.exercise} ${item.kind}`);
    return (skip.includes(item.exercise) ? 4 : 0) + (seen === false ? 0 : seen === undefined ? 1 : 2);
  };
  const best = Math.min(...all.map(rank));
  const able = all.filter((item) => rank(item) === best);
  return able[seed % able.length]!;
}

export const practiceCalls = {
  topics: async () => ({ topics: [], kinds: [] }),
  question: async ({ history = [], seed = 0, skip = [] }: QuestionArgs) => {
    const all = await items();
    if (!all.length) throw failure("static", "This exported board has no questions.");
    const item = next(all, history, seed, skip);
    return { ...item, hints: item.hints.length };
  },
  reply: async ({ ticket, answer, hints = 0 }: { ticket: string; answer: string; hints?: number }) => {
    const item = await of(ticket);
    const right = equal(item, answer);
    return {
      right,
      read: true,
      message: right ? "Right." : "Not right yet.",
      lines: [],
      understood: answer,
      understood_math: null,
      credit: right ? 1 : 0,
      record: recordOf(item, right, hints),
      parts: [],
    };
  },
  hint: async ({ ticket, number }: { ticket: string; number: number }) => {
    const item = await of(ticket);
    return { hint: item.hints[number - 1] ?? [], last: number >= item.hints.length };
  },
  show: async ({ ticket, hints = 0 }: { ticket: string; hints?: number }) => {
    const item = await of(ticket);
    return { solution: item.solution, record: recordOf(item, false, hints) };
  },
};
