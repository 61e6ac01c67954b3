/** The state of training: the problem, the answer, and the step that is shown. */
import { batch, computed, signal } from "@preact/signals";
import type { Certificate, Failure, Training } from "../../types";
import { still } from "../../formula/moving";
import { asFailure, call } from "../../protocol/call";
import { start } from "../../protocol/globals";
import { announced } from "../../state/board";
import { problem, type Table } from "./csv";

export const pair = signal<[number, number]>([0, 1]);
export const own = signal<{ table: Table; label: number } | null>(null);
export const rate = signal(0.5);
export const batchSize = signal(0);
export const strength = signal(1);
export const training = signal<Training | null>(null);
export const certificate = signal<Certificate | null>(null);
export const failure = signal<Failure | null>(null);
export const busy = signal(false);
export const at = signal(0);
export const playing = signal(false);

export const last = computed(() => Math.max(0, (training.value?.gradient.cost.length ?? 1) - 1));
export const names = computed(() => {
  const table = own.value?.table;
  return table ? pair.value.map((column) => table.columns[column] ?? "") : [...(training.value?.features ?? [])];
});

function data() {
  if (!own.value) return { columns: [...pair.value] };
  const { features, labels } = problem(own.value.table, pair.value[0], pair.value[1], own.value.label);
  return { features, labels };
}

export async function train(): Promise<void> {
  busy.value = true;
  stop();
  try {
    const args = { ...data(), C: strength.value };
    const result = await call("train", { ...args, rate: rate.value, batch: batchSize.value, steps: 200 });
    batch(() => {
      training.value = result;
      failure.value = null;
      certificate.value = null;
      at.value = 0;
    });
    if (start.tier === "loopback") {
      certificate.value = await call("certify", args).catch(() => null);
    }
  } catch (error) {
    failure.value = asFailure(error);
  }
  busy.value = false;
}

let timer = 0;

export function stop(): void {
  playing.value = false;
  clearInterval(timer);
}

/** Summaries for screen readers come at most once per second. */
export function play(): void {
  if (playing.value) {
    stop();
    return;
  }
  if (at.value >= last.value) at.value = 0;
  playing.value = true;
  let said = 0;
  // With reduced motion the boundary jumps a few times instead of moving.
  const [pause, stride] = still() ? [1000, Math.ceil(last.value / 8)] : [50, 1];
  timer = setInterval(() => {
    at.value = Math.min(last.value, at.value + stride);
    if (Date.now() - said > 1000) {
      said = Date.now();
      announced.value = summary();
    }
    if (at.value >= last.value) stop();
  }, pause) as unknown as number;
}

export function rightAt(step: number): number {
  const result = training.value;
  if (!result) return 0;
  const { w, b } = result.gradient;
  const [u, v] = w[step]!;
  const bias = b[step]!;
  const { x, y, label } = result.points;
  return label.filter((one, i) => (u! * x[i]! + v! * y[i]! + bias > 0 ? 1 : 0) === one).length;
}

export function summary(): string {
  const cost = training.value?.gradient.cost[at.value];
  return `Step ${at.value}: ${rightAt(at.value)} of ${training.value?.m} right, cost ${cost?.toPrecision(5) ?? "not finite"}.`;
}
