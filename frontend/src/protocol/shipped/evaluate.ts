/** Numbers of a lesson by its emitted JavaScript: the formulas that the derivation shows. */
import type { Lesson, Numbers, PointArgs } from "../../types";

export function evaluate(lesson: Lesson, { inputs = {}, chosen = {}, sizes = {}, seed = 0 }: PointArgs): Numbers {
  if (!lesson.evaluate) return lesson.numbers;
  const drawn = lesson.examples[seed % lesson.examples.length] ?? lesson.numbers.inputs;
  const given = Object.keys(inputs).length ? { ...lesson.numbers.inputs, ...inputs } : drawn;
  return lesson.evaluate(given, { ...lesson.numbers.sizes, ...sizes }, { ...lesson.numbers.chosen, ...chosen });
}
