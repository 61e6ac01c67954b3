/** One line of the derivation. */
import { memo } from "preact/compat";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Step } from "../../types";
import { Formula } from "../../formula/formula";
import { move, still } from "../../formula/moving";
import { explain, picked } from "./derive";

interface Props {
  step: Step;
  asking: boolean;
  now: boolean;
  heading?: string | undefined;
}

const clear = (rect: DOMRect) => {
  const bottom = innerHeight - (document.querySelector(".bar")?.clientHeight ?? 0) - 24;
  return rect.top > 70 && rect.bottom < bottom;
};

function Line({ step, asking, now, heading }: Props) {
  const item = useRef<HTMLLIElement>(null);
  const shown = useRef(false);

  useLayoutEffect(() => {
    const fresh = !asking && now && !shown.current;
    shown.current = !asking;
    if (!now) return;
    const element = item.current!;
    if (!clear(element.getBoundingClientRect())) {
      element.scrollIntoView({ block: "center", behavior: still() ? "auto" : "smooth" });
    }
    if (!fresh) return;
    const after = element.querySelector(".answer .formula");
    const before = document.querySelector(`[data-step="${step.previous}"] .answer .formula`);
    if (before && after) move(before, after, step.provenance);
  }, [asking, now]);

  const here = picked.value?.step === step.id ? picked.value : null;
  const path = here?.path ?? null;
  return (
    <>
      {heading && <li class="section-title"><h2>{heading}</h2></li>}
      <li ref={item} class={`step ${now ? "now" : "old"} ${step.concludes ? "result" : ""}`} data-step={step.id}>
        <div class="step-body">
          {asking && step.question && (
            <div class="question">
              <Formula of={step.question} />
            </div>
          )}
          {!asking && (
            <div class="answer">
              <Formula
                of={step.line}
                picked={here && path !== null ? { side: here.side, path } : null}
                onPick={(place) => explain(step.id, place)}
              />
            </div>
          )}
          {!asking && (
            <p class="reason">
              <span class="rule">{step.rule}</span>
              {now && step.why ? <span class="because">{step.why}</span> : null}
            </p>
          )}
        </div>
        {!asking && (
          <div class="step-side">
            {step.check && (
              <span class="check" title={step.check.sentence}>
                <span aria-hidden="true">✓</span>
                <span class="spoken">{step.check.exact ? "proven" : "verified"}</span>
              </span>
            )}
            <button
              type="button"
              class="why-button"
              aria-label={`Why? Line ${step.id}: ${step.rule}`}
              aria-expanded={here !== null}
              onClick={() => explain(step.id, null)}
            >
              why
            </button>
          </div>
        )}
      </li>
    </>
  );
}

export const LineOfStep = memo(Line);
