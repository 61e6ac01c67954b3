/** The data of the calls, and of the files that an export ships. */
import type {
  AnswerRecord, Audit, Block, Card, Derivation, Forward, Gallery, Graph, LineVerdict, Numbers, Question, Step,
} from "../schema";

export type * from "../schema";
export type Matrix = (number | null)[][];
export type Shape = string[];
export type Provenance = Step["provenance"][number];

/** One derivation of an export, with everything that can be asked of it. */
export interface Lesson {
  id: string;
  title: string;
  text: string;
  derive: Derivation;
  numbers: Numbers;
  graph: Graph;
  /** The verdicts on the faulty transcript of the derivation; null where it has none. */
  audit: Audit | null;
  why: Record<string, { line: Card; nodes: Record<string, Card> }>;
  /** The emitted JavaScript of every line; null where an operation has none. */
  evaluate:
    | ((inputs: Record<string, Matrix>, sizes: Record<string, number>, chosen: Record<string, number>) => Numbers)
    | null;
  /** Drawn inputs, all of them valid. */
  examples: Record<string, Matrix>[];
}

/** A question of an export, with its key. */
export interface PracticeItem extends Omit<Question, "hints"> {
  answer: string;
  hints: Block[][];
  solution: Block[];
}
export type { AnswerRecord, Forward, Gallery, LineVerdict };
