/** What was understood of an answer: the formula, or why it is not one yet. */
import type { Failure, Understood } from "../../types";
import { Formula } from "../../formula/formula";
import { shapeText } from "../forward-pass";

export function refused({ message, column }: Failure): Understood {
  return { ok: false, math: null, shape: null, message, column };
}

export function Reading({ of, typed }: { of: Understood; typed: string }) {
  if (of.ok && of.math) {
    return (
      <>
        <span class="muted">Understood:</span> <Formula of={of.math} />
        {of.shape && <span class="shape">{shapeText(of.shape)}</span>}
      </>
    );
  }
  if (of.ok) return null;
  return (
    <p class="muted">
      {of.column > 0 && <code aria-hidden="true">{typed.slice(0, of.column - 1)}▸{typed.slice(of.column - 1)}</code>}{" "}
      Not readable yet: {of.message}
    </p>
  );
}
