/** Training in an exported board: the same two methods as the call `train`, in the page. */
import type { Optimum, TrainArgs, Training, TrainingPath } from "../../types";
import { start } from "../globals";
import { loadScript } from "../trusted";
import { Cost, problemOf, type Point, type ShippedTraining } from "./problem";
import { solve } from "./tensors";

const HALVINGS = 40;
/** Newton's method stops where a step would change the cost by less than this share of it. */
const SETTLED = 1e-13;

const length = (point: Point) => Math.hypot(...point);

function* descent(cost: Cost, { rate = 0.5, steps = 200, batch = 0 }: TrainArgs): Generator<Point> {
  const m = cost.problem.y.length;
  const size = batch || m;
  let point: Point = [0, 0, 0];
  let order: number[] = [];
  yield point;
  for (let step = 0; step < steps; step += 1) {
    let rows: number[] | undefined;
    if (size < m) {
      if (order.length < size) order = [...order, ...shuffled(m)];
      rows = order.slice(0, size);
      order = order.slice(size);
    }
    const { gradient } = cost.at(point, rows);
    // A batch sees its share of the penalty alone, so that its gradient is unbiased.
    const share = rows ? (1 - size / m) / cost.c : 0;
    point = point.map((one, k) => one - (rate * (gradient[k]! - (k < 2 ? share * one : 0))) / size);
    if (!point.every((one) => Math.abs(one) <= 1e100)) return;
    yield point;
  }
}

function shuffled(size: number): number[] {
  const order = Array.from({ length: size }, (_, at) => at);
  for (let at = size - 1; at > 0; at -= 1) {
    const other = Math.floor(Math.random() * (at + 1));
    [order[at], order[other]] = [order[other]!, order[at]!];
  }
  return order;
}

function* newton(cost: Cost, steps: number): Generator<Point> {
  let point: Point = [0, 0, 0];
  yield point;
  let { value, gradient } = cost.at(point);
  for (let step = 0; step < steps; step += 1) {
    const direction = solve(cost.hessian(point), gradient);
    const decrement = gradient.reduce((sum, one, k) => sum + one * direction[k]!, 0);
    if (decrement <= SETTLED * (1 + Math.abs(value))) return;
    let halving = 0;
    for (; halving < HALVINGS; halving += 1) {
      const next = point.map((one, k) => one - direction[k]! / 2 ** halving);
      const found = cost.at(next);
      if (found.value <= value - (1e-4 * decrement) / 2 ** halving) {
        point = next;
        ({ value, gradient } = found);
        break;
      }
    }
    if (halving === HALVINGS) return; // rounding alone is left
    yield point;
  }
}

function pathOf(cost: Cost, iterates: Iterable<Point>): TrainingPath {
  const points = [...iterates];
  const found = points.map((point) => cost.at(point));
  const best = Math.max(...points.map((point) => cost.lowerBound(point)).filter(Number.isFinite));
  const values = found.map(({ value }) => value);
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  const scores = cost.scores(points.at(-1)!);
  return {
    w: points.map((point) => point.slice(0, 2)),
    b: points.map((point) => point[2]!),
    cost: values.map(finite),
    gap: values.map((value) => finite(value - best)),
    gradient: found.map(({ gradient }) => finite(length(gradient))),
    right: scores.filter((score, i) => score > 0 === cost.problem.y[i]! > 0.5).length,
    diverged: !(values.at(-1)! <= 2 * values[0]! + 1),
  };
}

/** The solver's certificate where it was exported, else Newton's limit with its duality gap. */
function optimumOf(cost: Cost, shipped: ShippedTraining, args: TrainArgs): Optimum {
  const certified = cost.c === 1 && shipped.optimum[(args.columns ?? []).join()];
  if (certified) return { ...certified, method: "certificate" };
  const point = [...newton(cost, 100)].at(-1)!;
  const { value } = cost.at(point);
  const bound = value - cost.lowerBound(point);
  return {
    w: point.slice(0, 2),
    b: point[2]!,
    cost: value,
    bound,
    sentence: `J − J* ≤ ${bound.toExponential(1)}: weak duality, with an allowance for the rounding of its sums`,
    method: "duality gap",
  };
}

export async function train(args: TrainArgs): Promise<Training> {
  if (!start.train) await loadScript("data/train.js");
  const shipped = start.train as ShippedTraining;
  const problem = problemOf(shipped, args);
  const cost = new Cost(shipped, problem, args.C ?? 1);
  return {
    m: problem.y.length,
    text: shipped.text,
    features: problem.features,
    classes: problem.classes,
    scale: { mean: problem.mean, sd: problem.sd },
    points: { x: problem.x[0]!, y: problem.x[1]!, label: problem.y },
    gradient: pathOf(cost, descent(cost, args)),
    newton: pathOf(cost, newton(cost, args.newton_steps ?? 12)),
    optimum: optimumOf(cost, shipped, args),
  };
}
