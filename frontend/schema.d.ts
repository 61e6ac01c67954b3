// Emitted from src/chainrule/board/schema by `make board`; do not edit.

/** A transcript, and the forward pass where it has none of its own. */
export interface AuditArgs {
  transcript: string;
  text?: string;
}

/** The verdicts on a transcript; `source` is all of its lines. */
export interface Audit {
  convention: string;
  forward: Forward;
  lines: LineVerdict[];
  source: string[];
}

/** An answer to "what is the gradient with respect to `wrt`?". */
export interface GradeArgs {
  text: string;
  wrt: string;
  answer: string;
  reveal?: boolean;
}

/** The verdict on an answer; `short_form` is empty unless it was asked for. */
export interface Grade {
  verdict: "correct" | "correct_other_form" | "wrong" | "wrong_shape" | "unreadable" | "unsure";
  correct: boolean;
  said: string;
  lines: string[];
  understood: Formula | null;
  understood_text: string;
  shape: string[] | null;
  method: string;
  mistakes: Mistake[];
  numbers: TwoNumbers | null;
  short_form: string;
}

/** The verdict on one line of a transcript. */
export interface LineVerdict {
  line: number;
  text: string;
  verdict: string;
  accused: boolean;
  why: string;
  mistakes: Mistake[];
  right: string;
  sign: number;
  numbers: TwoNumbers | null;
}

/** A mistake that reproduces a wrong answer. */
export interface Mistake {
  name: string;
  step: string;
  message: string;
}

/** The right value and the answer's value at one place. */
export interface TwoNumbers {
  right: number | null;
  yours: number | null;
}

/** The formula that was read; says nothing on whether it is right. */
export interface Understood {
  ok: boolean;
  math: Formula | null;
  shape: string[] | null;
  message: string;
  column: number;
}

/** A formula while it is typed. */
export interface UnderstoodArgs {
  text: string;
  typed: string;
  wrt?: string;
}

/** The certificate of a step. */
export interface Check {
  method: string;
  points: number;
  error: number;
  sentence: string;
  exact: boolean;
}

/** A derivation with every line typeset. */
export interface Derivation {
  forward: Forward;
  sections: Section[];
  steps: Step[];
  gradients: GradientLine[];
  cache: string[];
  corners: string[];
  proven: boolean;
  summary: string;
  faulty: string;
}

/** A forward pass, the variables, and the order of the derivative: 1 or 2. */
export interface DeriveArgs {
  text: string;
  wrt?: string[];
  order?: number;
}

/** A typed error; line and column count from 1, and 0 means none. */
export interface Failure {
  kind: string;
  message: string;
  line: number;
  column: number;
  source: string;
  mend: Mend | null;
}

/** An expression in four media; `mathml` is a fragment for the inside of ``<math>``. */
export interface Formula {
  text: string;
  latex: string;
  mathml: string;
  spoken: string;
}

/** A forward pass as it was read. */
export interface Forward {
  title: string;
  objective: string;
  inputs: Input[];
  lines: ForwardLine[];
  functions: string[];
  asked: string[];
  can_ask: string[];
  reading: string[];
  dims: string[];
}

/** A definition of a forward pass; `line` is its number in the text. */
export interface ForwardLine {
  name: string;
  shape: string[];
  line: number;
  math: Line;
  note: string;
  summed: Line | null;
}

/** A gradient in the shape of its variable, and one entry of it. */
export interface GradientLine {
  name: string;
  shape: string[];
  layer: boolean;
  line: Line;
  index: Line | null;
  why_no_matrix: string;
}

/** An input of a forward pass; `assumed` is the reason for a shape that nobody declared. */
export interface Input {
  name: string;
  shape: string[];
  note: string;
  role: string;
  assumed: string;
  math: Formula;
}

/** An equation; `mathml` is a whole ``<math>`` element. No right side: ``= ?``. */
export interface Line {
  left: Formula | null;
  right: Formula | null;
  mathml: string;
  spoken: string;
  text: string;
}

/** A repair that reads: replace `length` characters at (line, column) by `text`. */
export interface Mend {
  label: string;
  line: number;
  column: number;
  length: number;
  text: string;
}

/** A name and its shape. */
export interface NamedShape {
  name: string;
  shape: string[];
}

/** The origin of one node of a line: its path there and its path in the line before. */
export interface Origin {
  path: string;
  origin: string | null;
  kind: string;
  rule: string;
}

/** The text of a forward pass. */
export interface ReadArgs {
  text: string;
}

/** One use of a derivative rule. */
export interface Reason {
  rule: string;
  because: string;
}

/** A heading and the ids of its steps. */
export interface Section {
  title: string;
  steps: number[];
}

/** One line of a derivation. */
export interface Step {
  id: number;
  phase: string;
  rule: string;
  section: number;
  forms: string[];
  brief: boolean;
  line: Line;
  question: Line | null;
  before: Formula | null;
  why: string;
  reasons: Reason[];
  shapes: NamedShape[];
  check: Check | null;
  concludes: boolean;
  previous: number;
  provenance: Origin[];
  symbols: string[];
  note: string;
}

/** One answered question, as the history holds it. */
export interface AnswerRecord {
  exercise: string;
  kind: string;
  seed: number;
  rules: string[];
  right: boolean;
  hints?: number;
  at?: string;
  skills?: string[];
  blamed?: string[];
  mistakes?: string[];
}

/** A block of a question: ``prose``, ``equation``, ``code``, ``forward`` or ``circuit``. */
export interface Block {
  type: "prose" | "equation" | "code" | "forward" | "circuit";
  text: string;
  line: Line | null;
  label: string;
  note: string;
  forward: Forward | null;
  circuit: Circuit | null;
}

/** A computational graph with numbers, in the order of computation. */
export interface Circuit {
  nodes: CircuitValue[];
  output: string;
}

/** One value of a circuit; a question mark where a number is asked for. */
export interface CircuitValue {
  name: string;
  formula: string;
  value: string;
  gradient: string;
  uses: string[];
}

/** Hint number 1, 2 or 3 of a question. */
export interface HintArgs {
  ticket: string;
  number: number;
}

/** A hint. */
export interface Hint {
  hint: Block[];
  last: boolean;
}

/** A name and its title. */
export interface NamedTitle {
  name: string;
  title: string;
}

/** No arguments. */
export interface NoArgs {
}

/** The mark of one part of an answer. */
export interface Part {
  name: string;
  held: boolean;
  answered: boolean;
  said: string;
}

/** Progress computed from the history of answers. */
export interface Progress {
  rules: RuleProgress[];
  answered: number;
  right: number;
}

/** The history. */
export interface ProgressArgs {
  history?: AnswerRecord[];
}

/** The history so far, and the choice of exercises. */
export interface QuestionArgs {
  history?: AnswerRecord[];
  seed?: number;
  topic?: string;
  level?: string;
  kinds?: string[];
  exercise?: string;
  skip?: string[];
}

/** A question; `ticket` names it, so that the same question can be made again. */
export interface Question {
  ticket: string;
  exercise: string;
  title: string;
  kind: string;
  task: string;
  why: string;
  forward: Block;
  prompt: Block[];
  options: Block[];
  reader: string;
  choices: string[];
  labels: string[];
  hints: number;
  rules: string[];
  text: string;
  wrt: string;
}

/** An answer to the question of a ticket, after so many hints. */
export interface ReplyArgs {
  ticket: string;
  answer: string;
  hints?: number;
}

/** The judgement of an answer; `record` joins the history at the first readable answer. */
export interface Reply {
  right: boolean;
  read: boolean;
  message: string;
  lines: string[];
  understood: string;
  understood_math: Formula | null;
  credit: number;
  record: AnswerRecord | null;
  parts: Part[];
}

/** The spaced-repetition box of one rule. */
export interface RuleProgress {
  rule: string;
  box: number;
  seen: number;
  missed: number;
}

/** The ticket of a question whose solution is wanted. */
export interface ShowArgs {
  ticket: string;
  hints?: number;
}

/** The solution; `record` counts the question as missed. */
export interface Solution {
  solution: Block[];
  record: AnswerRecord;
}

/** A topic of the bank. */
export interface Topic {
  name: string;
  title: string;
  level: string;
  exercises: NamedTitle[];
}

/** The bank, and the kinds of question. */
export interface Topics {
  topics: Topic[];
  kinds: NamedTitle[];
}

/** The fit of the engine with its certificate. */
export interface Certificate {
  certificate: string;
  lines: string[];
  w: number[];
  b: number;
  cost: number;
  bound: number | null;
}

/** The same problem for the engine. */
export interface CertifyArgs {
  columns?: number[];
  features?: number[][];
  labels?: number[];
  C?: number;
}

/** The data set that ships: its features and the names of its two classes. */
export interface Data {
  name: string;
  features: string[];
  labels: string[];
}

/** A file for the browser to save. */
export interface Download {
  name: string;
  type: string;
  content: string;
}

/** A derivation to download. */
export interface ExportArgs {
  text: string;
  to: "html" | "latex" | "json" | "text" | "javascript" | "numpy";
  wrt?: string[];
  order?: number;
}

/** Forward passes to start from, and the data set that ships. */
export interface Gallery {
  groups: GalleryGroup[];
  data: Data;
}

/** A heading and its forward passes. */
export interface GalleryGroup {
  title: string;
  items: GalleryItem[];
}

/** A forward pass to start from. */
export interface GalleryItem {
  id: string;
  title: string;
  text: string;
  level: string;
}

/** The forward pass that the board was started with; empty where there is none. */
export interface Opened {
  name: string;
  text: string;
}

/** The best point found, with a bound on its distance to the optimum and the reason for it. */
export interface Optimum {
  w: number[];
  b: number;
  cost: number;
  bound: number | null;
  sentence: string;
  method: string;
}

/** Standardised features and labels. */
export interface Points {
  x: number[];
  y: number[];
  label: number[];
}

/** The mean and the standard deviation of each feature. */
export interface Scale {
  mean: number[];
  sd: number[];
}

/** Two features and 0/1 labels, or two columns of the data set that ships. */
export interface TrainArgs {
  columns?: number[];
  features?: number[][];
  labels?: number[];
  rate?: number;
  steps?: number;
  batch?: number;
  seed?: number;
  C?: number;
  newton_steps?: number;
}

/** Gradient descent and Newton's method on one problem. */
export interface Training {
  m: number;
  text: string;
  features: string[];
  classes: string[];
  scale: Scale;
  points: Points;
  gradient: TrainingPath;
  newton: TrainingPath;
  optimum: Optimum;
}

/** The iterates of a method; `gap` is an upper bound of the distance of `cost` to the optimum. */
export interface TrainingPath {
  w: number[][];
  b: number[];
  cost: (number | null)[];
  gap: (number | null)[];
  gradient: (number | null)[];
  right: number;
  diverged: boolean;
}

/** The answer to "why?" for a line, a symbol, an operator or a factor. */
export interface Card {
  kind: "line" | "symbol" | "operator" | "factor" | "number";
  title: string;
  rule: string;
  reason: string;
  node: Formula | null;
  shape: string[] | null;
  shapes: NamedShape[];
  meaning: Line | null;
  note: string;
  reasons: Reason[];
  origin: OriginCard | null;
  check: Check | null;
  numbers: NodeNumbers | null;
}

/** The forward pass as a graph, with the order of the forward and of the reverse sweep. */
export interface Graph {
  nodes: GraphNode[];
  edges: GraphEdge[];
  forward: string[];
  backward: string[][];
  groups: GraphGroup[];
  sizes: Record<string, number>;
  chosen: Record<string, number>;
}

/** A use of `source` in the definition of `target`, with the factor of the chain rule. */
export interface GraphEdge {
  source: string;
  target: string;
  factor: Line | null;
  number: number | null;
  differentiated: boolean;
}

/** Nodes that fold together: one layer of a network. */
export interface GraphGroup {
  id: string;
  title: string;
  nodes: string[];
}

/** An input or a value of the forward pass; `layer` is the longest path from the inputs. */
export interface GraphNode {
  id: string;
  kind: "input" | "value" | "objective";
  role: string;
  math: Formula;
  line: Line | null;
  shape: string[];
  value: ((number | null)[])[];
  gradient: ((number | null)[])[] | null;
  gradient_line: Line | null;
  layer: number;
  group: string;
}

/** The value of a node at the point of the example. */
export interface NodeNumbers {
  value: ((number | null)[])[];
  sizes: Record<string, number>;
  sentence: string;
}

/** Every value at a point. */
export interface Numbers {
  sizes: Record<string, number>;
  chosen: Record<string, number>;
  inputs: Record<string, ((number | null)[])[]>;
  values: Record<string, ((number | null)[])[]>;
  gradients: Record<string, ((number | null)[])[]>;
  steps: StepNumber[];
}

/** The origin of a node: what became of which part of the line before, by which rule. */
export interface OriginCard {
  kind: string;
  rule: string;
  step: number;
  path: string | null;
  formula: Formula | null;
  sentence: string;
}

/** A forward pass at a point; inputs that are missing are drawn by the seed. */
export interface PointArgs {
  text: string;
  wrt?: string[];
  order?: number;
  inputs?: Record<string, ((number | null)[])[]>;
  sizes?: Record<string, number>;
  chosen?: Record<string, number>;
  seed?: number;
}

/** The value of one line at the chosen place; None where it is not finite. */
export interface StepNumber {
  id: number;
  value: number | null;
  term: number | null;
  dims: string[];
}

/** A step, and a node of its line by side and path; without a path the whole line. */
export interface WhyArgs {
  text: string;
  step: number;
  path?: string | null;
  side?: "left" | "right";
  wrt?: string[];
  order?: number;
  inputs?: Record<string, ((number | null)[])[]>;
  sizes?: Record<string, number>;
  chosen?: Record<string, number>;
  seed?: number;
}

/** The arguments and the result of every call. */
export interface Calls {
  gallery: { args: NoArgs; result: Gallery };
  read: { args: ReadArgs; result: Forward };
  derive: { args: DeriveArgs; result: Derivation };
  why: { args: WhyArgs; result: Card };
  numbers: { args: PointArgs; result: Numbers };
  graph: { args: PointArgs; result: Graph };
  understood: { args: UnderstoodArgs; result: Understood };
  grade: { args: GradeArgs; result: Grade };
  audit: { args: AuditArgs; result: Audit };
  topics: { args: NoArgs; result: Topics };
  question: { args: QuestionArgs; result: Question };
  reply: { args: ReplyArgs; result: Reply };
  hint: { args: HintArgs; result: Hint };
  show: { args: ShowArgs; result: Solution };
  progress: { args: ProgressArgs; result: Progress };
  train: { args: TrainArgs; result: Training };
  export: { args: ExportArgs; result: Download };
  certify: { args: CertifyArgs; result: Certificate };
  opened: { args: NoArgs; result: Opened };
}
