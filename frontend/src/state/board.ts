/** The state of the board: what every view reads. */
import { batch, computed, signal } from "@preact/signals";
import type { Derivation, DeriveArgs, Failure, Forward, Gallery } from "../types";
import { asFailure, call, latest } from "../protocol/call";

export const VIEWS = ["write", "derive", "numbers", "graph", "practise", "audit", "train"] as const;
export type View = (typeof VIEWS)[number];
export type Form = "index" | "matrix";

export const view = signal<View>("write");
export const text = signal("");
export const forward = signal<Forward | null>(null);
/** The reason why the text is not a forward pass; `forward` keeps the last good reading. */
export const fault = signal<Failure | null>(null);
export const gallery = signal<Gallery | null>(null);

/** Variables to differentiate with respect to; null asks for those that the forward pass names. */
export const asked = signal<string[] | null>(null);
/** 2 asks for second derivatives, too. */
export const order = signal<1 | 2>(1);
export const form = signal<Form | null>(null);
export const brief = signal(false);
export const stop = signal(0);
/** Costs as they are written, with matrices, and not as sums over entries. */
export const vectorised = signal(false);

export const derivation = signal<Derivation | null>(null);
export const derivationFault = signal<Failure | null>(null);
export const deriving = signal(false);

/** Sentence for screen readers; set by whatever changes without the focus moving there. */
export const announced = signal("");

export const title = computed(() => forward.value?.title || "Untitled forward pass");

const read = latest(
  "read",
  (result) => {
    batch(() => {
      forward.value = result;
      fault.value = null;
    });
  },
  (failure) => (fault.value = failure),
);

let derivedFrom = "";

/** What is derived: the forward pass, and what of it was asked for. */
export function problem(): DeriveArgs {
  return {
    text: text.value,
    ...(asked.value ? { wrt: asked.value } : {}),
    ...(order.value > 1 ? { order: order.value } : {}),
  };
}

/** Replace the forward pass; the derivation follows when a view needs it. */
export function write(next: string): void {
  if (next === text.value) return;
  batch(() => {
    text.value = next;
    asked.value = null;
    order.value = 1;
    stop.value = 0;
  });
  read({ text: next });
}

/** Derive the current text unless it has been derived. */
export async function ensureDerived(): Promise<void> {
  const key = JSON.stringify([text.value, asked.value, order.value]);
  if (key === derivedFrom || !text.value.trim()) return;
  derivedFrom = key;
  batch(() => {
    deriving.value = true;
    derivation.value = null;
    derivationFault.value = null;
  });
  try {
    const result = await call("derive", problem());
    if (derivedFrom !== key) return;
    batch(() => {
      derivation.value = result;
      forward.value = result.forward;
      deriving.value = false;
    });
  } catch (error) {
    if (derivedFrom !== key) return;
    batch(() => {
      derivation.value = null;
      derivationFault.value = asFailure(error);
      deriving.value = false;
    });
    derivedFrom = "";
  }
}

export async function loadGallery(): Promise<void> {
  gallery.value = await call("gallery", {});
  if (!text.value) write(gallery.value.groups[0]?.items[0]?.text || "");
}
