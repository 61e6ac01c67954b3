/** What emitted modules take and return. */

export interface Tensor {
  shape: number[];
  data: Float64Array;
}
export interface EmittedModule {
  forward(inputs: Record<string, Tensor>): Record<string, Tensor>;
  backward(cache: Record<string, Tensor>): Record<string, Tensor>;
}

export const tensor = (rows: number, columns: number, entries: Iterable<number>): Tensor => ({
  shape: [rows, columns],
  data: Float64Array.from(entries),
});

/** Solve a small linear system by Gaussian elimination with partial pivoting. */
export function solve(matrix: number[][], right: number[]): number[] {
  const rows = matrix.map((row, i) => [...row, right[i]!]);
  const size = rows.length;
  for (let k = 0; k < size; k += 1) {
    const pivot = rows.slice(k).reduce((best, row, i) => (Math.abs(row[k]!) > Math.abs(rows[best]![k]!) ? k + i : best), k);
    [rows[k], rows[pivot]] = [rows[pivot]!, rows[k]!];
    for (let i = k + 1; i < size; i += 1) {
      const factor = rows[i]![k]! / rows[k]![k]!;
      for (let j = k; j <= size; j += 1) rows[i]![j]! -= factor * rows[k]![j]!;
    }
  }
  const solution = new Array<number>(size).fill(0);
  for (let i = size - 1; i >= 0; i -= 1) {
    let rest = rows[i]![size]!;
    for (let j = i + 1; j < size; j += 1) rest -= rows[i]![j]! * solution[j]!;
    solution[i] = rest / rows[i]![i]!;
  }
  return solution;
}
