/** The presenter's window: the line on the board, the next one, notes and a clock. */
import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Formula } from "../formula/formula";
import { listen } from "./derive/keys";
import { link, type FromPresenter, type Shown } from "./presenter-link";

const state = signal<Shown | null>(null);
const seconds = signal(0);
const running = signal(true);

const two = (value: number) => String(value).padStart(2, "0");

export function Presenter() {
  useEffect(() => {
    document.title = "Presenter · chainrule board";
    const [send, close] = link<FromPresenter, Shown>(() => window.opener as Window | null, (message) => {
      state.value = message;
    });
    send({ ask: "state" });
    const next = () => send({ ask: "next" });
    const back = () => send({ ask: "back" });
    const silence = listen({ " ": next, ArrowRight: next, PageDown: next, ArrowLeft: back, PageUp: back });
    const clock = setInterval(() => {
      if (running.value) seconds.value += 1;
      // The board may have been reloaded, or its derivation opened only now.
      if (!state.value) send({ ask: "state" });
    }, 1000);
    step.next = next;
    step.back = back;
    return () => {
      clearInterval(clock);
      silence();
      close();
    };
  }, []);
  const now = state.value;
  return (
    <main class="presenter">
      <h1>{now?.title ?? "Presenter"}</h1>
      <div class="row">
        <span class="clock" role="timer">{Math.floor(seconds.value / 60)}:{two(seconds.value % 60)}</span>
        <button type="button" onClick={() => (running.value = !running.value)}>{running.value ? "Pause" : "Continue"}</button>
        <button type="button" onClick={() => (seconds.value = 0)}>Reset the clock</button>
        <button type="button" onClick={() => step.back()}>← Back</button>
        <button type="button" class="main" onClick={() => step.next()}>Next →</button>
        {now && <span>{now.at} / {now.count}</span>}
      </div>
      {!now && <p class="muted">Waiting for the board. Open a derivation in the other window.</p>}
      {now?.line && (
        <section class="now-line" aria-label="On the board">
          <Formula of={now.line} />
          <p class="muted">{now.rule}</p>
        </section>
      )}
      {now && <div class="notes">{now.notes.map((note) => <p key={note}>{note}</p>)}</div>}
      {now?.next && (
        <section class="next-line" aria-label="Next">
          <p class="muted">Next: {now.nextRule}</p>
          <Formula of={now.next} />
        </section>
      )}
    </main>
  );
}

const step = { next: () => undefined as void, back: () => undefined as void };
