/** The stops of a reveal: each visible step is one, and a question is one more before its answer. */
import { computed } from "@preact/signals";
import type { Step } from "../../types";
import { brief, derivation, form, stop } from "../../state/board";

export interface Stop {
  step: Step;
  asking: boolean;
}

export const steps = computed<Step[]>(() =>
  (derivation.value?.steps ?? []).filter(
    (step) =>
      (form.value === null || step.forms.includes(form.value)) && (!brief.value || step.brief),
  ),
);

export const stops = computed<Stop[]>(() =>
  steps.value.flatMap((step) =>
    step.question ? [{ step, asking: true }, { step, asking: false }] : [{ step, asking: false }],
  ),
);

/** How many stops are revealed; 0 shows the forward pass alone. */
export const revealed = computed(() => Math.min(stop.value, stops.value.length));

export const current = computed<Stop | null>(() => stops.value[revealed.value - 1] ?? null);

export function goTo(to: number): void {
  stop.value = Math.max(0, Math.min(stops.value.length, to));
}

/** Reveal everything up to a step. */
export function goToStep(id: number): void {
  goTo(stops.value.findLastIndex((one) => one.step.id === id) + 1);
}

/** Change which steps are visible, and stay at the current step or the nearest before it. */
export function keepingPlace(change: () => void): void {
  const here = current.value?.step.id ?? 0;
  const all = derivation.value?.steps.map((step) => step.id) ?? [];
  change();
  const before = new Set(all.slice(0, all.indexOf(here) + 1));
  goTo(stops.value.findLastIndex((one) => before.has(one.step.id)) + 1);
}
