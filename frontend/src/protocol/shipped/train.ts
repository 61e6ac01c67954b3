import { failure } from "../call";

export async function train(): Promise<never> {
  throw failure("static", "Training is not part of this export.");
}
