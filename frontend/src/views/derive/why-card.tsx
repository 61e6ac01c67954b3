/** Answers why: for a line, a symbol, an operator or a factor. */
import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Card, Failure } from "../../types";
import { Fault } from "../../parts/fault";
import { Formula } from "../../formula/formula";
import { asFailure, call } from "../../protocol/call";
import { derivation, problem } from "../../state/board";
import { MatrixTable } from "../../parts/matrix-table";
import { shapeText } from "../forward-pass";
import { explain, picked } from "./derive";
import { goToStep } from "./stops";
import { partsOf } from "./parts-of";

function Facts({ card }: { card: Card }) {
  // A line by several rules gives each its reason; joined, they would be told twice.
  const told = card.reasons.length > 0 && card.reasons.every(({ because }) => card.reason.includes(because));
  return (
    <>
      {card.meaning && <Formula of={card.meaning} />}
      {card.rule && !told && card.rule !== card.title && <p class="rule">{card.rule}</p>}
      {card.reason && !told && <p>{card.reason}</p>}
      {card.reasons.length > 0 && (
        <dl class="reasons">
          {card.reasons.map((one) => (
            <div key={one.rule}>
              <dt>{one.rule}</dt>
              <dd>{one.because}</dd>
            </div>
          ))}
        </dl>
      )}
      {card.origin && (
        <p>
          {card.origin.sentence}{" "}
          {card.origin.step > 0 && (
            <button type="button" class="quiet" onClick={() => explain(card.origin!.step, card.origin!.path === null ? null : { side: "right", path: card.origin!.path })}>
              Show it in line {card.origin.step}
            </button>
          )}
        </p>
      )}
      {card.shapes.length > 0 && (
        <p class="shapes">
          Shapes: {card.shapes.map(({ name, shape }) => `${name} ${shapeText(shape)}`).join(", ")}
        </p>
      )}
      {card.numbers && (
        <div class="numbers">
          <p class="muted">{card.numbers.sentence}</p>
          <MatrixTable of={card.numbers.value} label={card.numbers.sentence} />
        </div>
      )}
      {card.check && (
        <p class="check">
          <span aria-hidden="true">✓ </span>
          {card.check.sentence}
        </p>
      )}
      {card.note && <p class="muted">{card.note}</p>}
    </>
  );
}

export function WhyCard({ onClose }: { onClose: () => void }) {
  const card = useSignal<Card | null>(null);
  const failure = useSignal<Failure | null>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const here = picked.value!;
  const step = derivation.value?.steps.find((one) => one.id === here.step);
  const parts = useMemo(() => (step ? partsOf(step.line) : []), [step]);

  useEffect(() => {
    let gone = false;
    const args = {
      ...problem(),
      step: here.step,
      ...(here.path === null ? {} : { side: here.side, path: here.path }),
    };
    call("why", args).then(
      (result) => {
        if (gone) return;
        card.value = result;
        failure.value = null;
      },
      (error: unknown) => {
        if (!gone) failure.value = asFailure(error);
      },
    );
    return () => {
      gone = true;
    };
  }, [here.step, here.side, here.path]);
  useEffect(() => heading.current?.focus({ preventScroll: true }), [here.step]);

  if (!step) return null;
  return (
    <aside class="card" aria-labelledby="card-title">
      <div class="heading">
        <h2 id="card-title" ref={heading} tabIndex={-1}>
          {card.value?.title ?? "Why?"}
        </h2>
        <button type="button" class="icon" onClick={onClose} aria-label="Close the explanation">
          <span aria-hidden="true">×</span>
        </button>
      </div>
      <div class="card-body" aria-live="polite">
        {card.value?.node && here.path !== null && (
          <p class="card-node">
            <Formula of={card.value.node} />
          </p>
        )}
        {failure.value ? <Fault failure={failure.value} /> : card.value && <Facts card={card.value} />}
      </div>
      <h3 id="parts-title">Parts of line {step.id}</h3>
      <ul class="plain chips" aria-labelledby="parts-title">
        <li>
          <button type="button" aria-pressed={here.path === null} onClick={() => explain(step.id, null)}>
            whole line
          </button>
        </li>
        {parts.map((part) => (
          <li key={`${part.place.side} ${part.place.path}`}>
            <button
              type="button"
              aria-pressed={here.path === part.place.path && here.side === part.place.side}
              data-symbol={part.symbol}
              onClick={() => explain(step.id, part.place)}
            >
              {part.text}
            </button>
          </li>
        ))}
      </ul>
      {step.previous > 0 && (
        <p>
          <button type="button" class="quiet" onClick={() => goToStep(step.previous)}>
            Go to line {step.previous}, which this one continues
          </button>
        </p>
      )}
    </aside>
  );
}
