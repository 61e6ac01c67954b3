/**
 * The presenter window and the board talk by BroadcastChannel, and where the page has no origin of
 * its own (a local file) by messages between the two windows.
 */
import { effect } from "@preact/signals";
import type { Line, Step } from "../types";
import { derivation, title } from "../state/board";
import { current, goTo, revealed, stops, type Stop } from "./derive/stops";

export interface Shown {
  title: string;
  at: number;
  count: number;
  line: Line | null;
  rule: string;
  notes: string[];
  next: Line | null;
  nextRule: string;
}
export type FromPresenter = { ask: "state" | "next" | "back" };

const MARK = "#presenter=";
const TAB = "chainrule-presented";

/** The name that a board and its presenter window share, so that other tabs stay out of it. */
function nameOfPair(): string {
  if (isPresenter()) return location.hash.slice(MARK.length);
  let name = sessionStorage.getItem(TAB);
  if (!name) {
    name = crypto.getRandomValues(new Uint32Array(2)).join("-");
    sessionStorage.setItem(TAB, name);
  }
  return name;
}

export const isPresenter = () => location.hash.startsWith(MARK);
const local = location.protocol === "file:";

/** Send and receive between the two windows; returns the sender and the end of listening. */
export function link<Out, In>(peer: () => Window | null, take: (message: In) => void): [(message: Out) => void, () => void] {
  if (!local) {
    const channel = new BroadcastChannel(nameOfPair());
    channel.onmessage = ({ data }) => take(data as In);
    return [(message) => channel.postMessage(message), () => channel.close()];
  }
  const receive = (event: MessageEvent) => {
    if (event.source === peer()) take(event.data as In);
  };
  addEventListener("message", receive);
  return [(message) => peer()?.postMessage(message, "*"), () => removeEventListener("message", receive)];
}

let opened: Window | null = null;

export function present(): void {
  const page = location.href.replace(/#.*/, "");
  const name = local ? "local" : nameOfPair();
  opened = window.open(page + MARK + name, `chainrule-presenter-${name}`, "width=900,height=700");
}

/** The note and the reason, unless one tells the other. */
function notesOf({ note, why }: Step): string[] {
  if (!why || note.toLowerCase().includes(why.toLowerCase())) return note ? [note] : [];
  return note ? [note, why] : [why];
}

function shown(): Shown {
  const now = current.value;
  const next = stops.value[revealed.value];
  const lineOf = (one: Stop | undefined) => (one ? (one.asking ? one.step.question : one.step.line) : null);
  return {
    title: title.value,
    at: revealed.value,
    count: stops.value.length,
    line: lineOf(now ?? undefined),
    rule: now?.step.rule ?? "",
    notes: now ? notesOf(now.step) : [],
    next: lineOf(next),
    nextRule: next ? (next.asking ? "Question" : next.step.rule) : "",
  };
}

/** Keep a presenter window equal to the board while the derivation is shown. */
export function keepPresenter(): () => void {
  const [send, close] = link<Shown, FromPresenter>(() => opened, ({ ask }) => {
    if (ask === "state") send(shown());
    else goTo(revealed.value + (ask === "next" ? 1 : -1));
  });
  const stop = effect(() => {
    if (derivation.value) send(shown());
  });
  return () => {
    stop();
    close();
  };
}
