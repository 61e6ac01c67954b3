/** The derivation, revealed line by line. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Fault } from "../../parts/fault";
import { announced, derivation, derivationFault, deriving, ensureDerived, forward, text, view } from "../../state/board";
import type { Place } from "../../formula/paths";
import { ForwardPass, turnSums } from "../forward-pass";
import { present, keepPresenter } from "../presenter-link";
import { DeriveBar, toggleBrief, turnForm } from "./bar";
import { Gradients } from "./gradients";
import { listen } from "./keys";
import { LineOfStep } from "./line-of-step";
import { current, goTo, revealed, steps, stops } from "./stops";
import { WhyCard } from "./why-card";

export interface Picked extends Place {
  step: number;
}

/** What the why card explains; a pick without a path is the line as a whole. */
export const picked = signal<(Omit<Picked, "path"> & { path: string | null }) | null>(null);
export const black = signal(false);

export function explain(step: number, place: Place | null): void {
  picked.value = { step, side: place?.side ?? "right", path: place?.path ?? null };
}

function closeCard(): void {
  if (black.value) {
    black.value = false;
    return;
  }
  const step = picked.value?.step;
  picked.value = null;
  if (step) document.querySelector<HTMLElement>(`[data-step="${step}"] .why-button`)?.focus();
}

export function toggleWhy(): void {
  const now = current.value;
  if (picked.value) closeCard();
  // The card would give the answer away while the question stands.
  else if (now && !now.asking) explain(now.step.id, null);
}

const forwardOne = () => goTo(revealed.value + 1);
const backOne = () => goTo(revealed.value - 1);

const KEYS = {
  " ": forwardOne,
  ArrowRight: forwardOne,
  PageDown: forwardOne,
  ArrowLeft: backOne,
  PageUp: backOne,
  Backspace: backOne,
  Home: () => goTo(0),
  End: () => goTo(Infinity),
  "?": toggleWhy,
  i: turnForm,
  d: toggleBrief,
  v: turnSums,
  p: present,
  b: () => (black.value = !black.value),
  Escape: closeCard,
};

export function Derive() {
  useEffect(() => void ensureDerived(), [text.value]);
  useEffect(() => listen(KEYS), []);
  useEffect(() => keepPresenter(), []);
  const now = current.value;
  useEffect(() => {
    if (!now) return;
    const line = now.asking ? now.step.question : now.step.line;
    announced.value = `${now.asking ? "Question" : now.step.rule}: ${line?.spoken ?? ""}`;
    // The card follows the reveal while it explains whole lines.
    if (picked.value && !now.asking && picked.value.step !== now.step.id) explain(now.step.id, null);
  }, [now]);

  if (!text.value.trim()) {
    return (
      <p class="empty">
        Nothing to derive yet. <button type="button" onClick={() => (view.value = "write")}>Write a forward pass</button>
      </p>
    );
  }
  const shown = new Map<number, boolean>();
  for (const { step, asking } of stops.value.slice(0, revealed.value)) shown.set(step.id, asking);
  const result = derivation.value;
  const all = stops.value.length > 0 && revealed.value === stops.value.length;
  return (
    <div class={`derive ${picked.value ? "with-card" : ""}`}>
      <div class="board-column">
        <h1>{result?.forward.title || forward.value?.title || "Derivation"}</h1>
        {derivationFault.value && <Fault failure={derivationFault.value} />}
        {forward.value && (
          <section class="given" aria-label="Forward pass">
            <ForwardPass of={forward.value} sums />
          </section>
        )}
        {deriving.value && <p class="muted" role="status">Deriving and verifying…</p>}
        {result && (
          <ol class="plain steps" aria-label="Derivation">
            {steps.value.map((step, at) => {
              const state = shown.get(step.id);
              const opens = at === 0 || steps.value[at - 1]!.section !== step.section;
              return state === undefined ? null : (
                <LineOfStep
                  key={step.id}
                  step={step}
                  asking={state}
                  now={now?.step.id === step.id}
                  heading={opens ? result.sections[step.section]?.title : undefined}
                />
              );
            })}
          </ol>
        )}
        {result && revealed.value === 0 && (
          <p class="prompt">
            {stops.value.length} reveals. Press <kbd>Space</kbd> or <kbd>→</kbd> for the first line.
          </p>
        )}
        {result && all && <Gradients of={result} />}
      </div>
      {picked.value && <WhyCard onClose={closeCard} />}
      {result && <DeriveBar />}
      {black.value && (
        <button type="button" class="blackout" onClick={() => (black.value = false)} aria-label="Blackout: press to show the board" />
      )}
    </div>
  );
}
