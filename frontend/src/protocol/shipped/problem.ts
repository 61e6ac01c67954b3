/** The training problem of an exported board: data, cost and bound, by the emitted modules. */
import type { TrainArgs } from "../../types";
import { failure } from "../call";
import { tensor, type EmittedModule, type Tensor } from "./tensors";

/** What `data/train.js` holds. */
export interface ShippedTraining {
  name: string;
  text: string;
  features: string[];
  classes: string[];
  columns: number[][];
  labels: number[];
  m: number;
  optimum: Record<string, { w: number[]; b: number; cost: number; bound: number | null; sentence: string }>;
  /** The cost and its gradient. */
  model: EmittedModule;
  /** The product of the Hessian with a direction. */
  hvp: EmittedModule;
}

/** Two standardized features, labels, and the names of both. */
export interface Problem {
  x: number[][];
  y: number[];
  mean: number[];
  sd: number[];
  features: string[];
  classes: string[];
}

export function problemOf(shipped: ShippedTraining, args: TrainArgs): Problem {
  const columns = args.columns ?? [];
  const own = columns.length === 0;
  const raw = own ? (args.features ?? []) : columns.map((column) => shipped.columns[column]!);
  const mean = raw.map((values) => values.reduce((sum, one) => sum + one, 0) / values.length);
  const sd = raw.map((values, k) => Math.sqrt(values.reduce((sum, one) => sum + (one - mean[k]!) ** 2, 0) / values.length));
  if (sd.some((one, k) => !(one > 1e-12 * (1 + Math.abs(mean[k]!))))) {
    throw failure("data", "a feature has the same value in every row; choose another");
  }
  return {
    x: raw.map((values, k) => values.map((one) => (one - mean[k]!) / sd[k]!)),
    y: own ? (args.labels ?? []) : shipped.labels,
    mean,
    sd,
    features: own ? ["x1", "x2"] : columns.map((column) => shipped.features[column]!),
    classes: own ? ["0", "1"] : shipped.classes,
  };
}

/** A point is (w1, w2, b). */
export type Point = number[];

export class Cost {
  constructor(
    private readonly shipped: ShippedTraining,
    readonly problem: Problem,
    readonly c: number,
  ) {}

  private inputs(point: Point, rows?: number[]): Record<string, Tensor> {
    const pick = (values: number[]) => (rows ? rows.map((row) => values[row]!) : values);
    const y = pick(this.problem.y);
    return {
      X: tensor(2, y.length, this.problem.x.flatMap(pick)),
      Y: tensor(1, y.length, y),
      C: tensor(1, 1, [this.c]),
      w: tensor(1, 2, point.slice(0, 2)),
      b: tensor(1, 1, point.slice(2)),
    };
  }

  /** The cost and its gradient, over some of the examples. */
  at(point: Point, rows?: number[]): { value: number; gradient: Point } {
    const cache = this.shipped.model.forward(this.inputs(point, rows));
    const slopes = this.shipped.model.backward(cache);
    return { value: cache.J!.data[0]!, gradient: [...slopes.w!.data, ...slopes.b!.data] };
  }

  hessian(point: Point): number[][] {
    return [0, 1, 2].map((k) => {
      const direction = [0, 1, 2].map((one) => (one === k ? 1 : 0));
      const inputs = {
        ...this.inputs(point),
        v_w: tensor(1, 2, direction.slice(0, 2)),
        v_b: tensor(1, 1, direction.slice(2)),
      };
      const slopes = this.shipped.hvp.backward(this.shipped.hvp.forward(inputs));
      return [...slopes.w!.data, ...slopes.b!.data];
    });
  }

  scores(point: Point): number[] {
    const [first, second] = this.problem.x;
    return first!.map((one, i) => point[0]! * one + point[1]! * second![i]! + point[2]!);
  }

  /**
   * A lower bound of the optimal cost, by duality: for any q in (0, 1)^m whose sum is that of y,
   * `J* >= sum(entropy(q)) - (C / 2) |X (y - q)|^2`. The probabilities at the point are moved
   * towards 0 or 1, all by one share, until the sums agree. What rounding can do is subtracted.
   */
  lowerBound(point: Point): number {
    const { x, y } = this.problem;
    const clipped = (value: number) => Math.min(Math.max(value, 1e-300), 1 - 2 ** -53);
    const p = this.scores(point).map((score) => clipped(1 / (1 + Math.exp(-score))));
    const total = p.reduce((sum, one) => sum + one, 0);
    const wanted = y.reduce((sum, one) => sum + one, 0);
    const down = total > wanted;
    const share = down ? 1 - wanted / total : (wanted - total) / (y.length - total);
    const q = p.map((one) => clipped((1 - share) * one + (down ? 0 : share)));
    const entropy = q.reduce((sum, one) => sum - one * Math.log(one) - (1 - one) * Math.log1p(-one), 0);
    const along = x.map((row) => row.reduce((sum, one, i) => sum + one * (y[i]! - q[i]!), 0));
    const spread = x.map((row) => row.reduce((sum, one, i) => sum + Math.abs(one * (y[i]! - q[i]!)), 0));
    const penalty = (this.c / 2) * along.reduce((sum, one) => sum + one * one, 0);
    const crossed = along.reduce((sum, one, k) => sum + Math.abs(one) * spread[k]!, 0);
    const unit = y.length * 2 ** -52;
    const allowance = unit * (entropy + this.c * crossed + (1 + Math.abs(point[2]!)) * wanted);
    return entropy - penalty - allowance;
  }
}
