/** Numbers of a lesson by its emitted JavaScript: the formulas that the derivation shows. */
import type { Lesson, Matrix, Numbers, PointArgs } from "../../types";

export interface Tensor {
  shape: number[];
  data: Float64Array;
}
export interface EmittedModel {
  forward(inputs: Record<string, Tensor>): Record<string, Tensor>;
  backward(cache: Record<string, Tensor>): Record<string, Tensor>;
  steps?: ((cache: Record<string, Tensor>, gradients: Record<string, Tensor>, chosen: Record<string, number>) => Record<string, { value: number | null; term: number | null }>) | null;
}

export function toTensor(matrix: Matrix): Tensor {
  return {
    shape: [matrix.length, matrix[0]?.length ?? 0],
    data: Float64Array.from(matrix.flat().map((value) => value ?? NaN)),
  };
}

export function toMatrix(value: Tensor | number): Matrix {
  if (typeof value === "number") return [[value]];
  const [rows = 1, columns = 1] = value.shape;
  return Array.from({ length: rows }, (_, i) =>
    Array.from(value.data.subarray(i * columns, (i + 1) * columns), (entry) => (Number.isFinite(entry) ? entry : null)),
  );
}

const matrices = (values: Record<string, Tensor | number>): Record<string, Matrix> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, toMatrix(value)]));

/** A small normal sample from a seed (mulberry32 and Box-Muller), for "New example". */
function sample(seed: number): () => number {
  let state = seed;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

function drawn(shipped: Numbers, seed: number): Record<string, Matrix> {
  const next = sample(seed);
  const redraw = (matrix: Matrix): Matrix => {
    const entries = matrix.flat();
    // Labels, masks and counts keep their values: only real-valued inputs are drawn again.
    if (entries.every((entry) => Number.isInteger(entry))) return matrix;
    return matrix.map((row) => row.map(() => Math.round(next() * 100) / 100));
  };
  return Object.fromEntries(Object.entries(shipped.inputs).map(([name, matrix]) => [name, redraw(matrix)]));
}

export function evaluate(lesson: Lesson, { inputs, chosen, seed }: PointArgs): Numbers {
  const shipped = lesson.numbers;
  const model = lesson.model as unknown as EmittedModel | null;
  if (!model || (!seed && !Object.keys(inputs ?? {}).length)) return shipped;
  const given = { ...(seed ? drawn(shipped, seed) : shipped.inputs), ...inputs };
  const place = { ...shipped.chosen, ...chosen };
  const cache = model.forward(Object.fromEntries(Object.entries(given).map(([name, matrix]) => [name, toTensor(matrix)])));
  const gradients = model.backward(cache);
  const steps = model.steps?.(cache, gradients, place);
  return {
    sizes: shipped.sizes,
    chosen: place,
    inputs: given,
    values: { ...given, ...matrices(cache) },
    gradients: matrices(gradients),
    steps: shipped.steps.map((step) => ({ ...step, ...(steps?.[step.id] ?? { value: null, term: null }) })),
  };
}
