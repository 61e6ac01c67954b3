/** The bar below the derivation: reveal, forms, presenter, print. */
import { brief, form } from "../../state/board";
import { Menu } from "../../parts/menu";
import { present } from "../presenter-link";
import { black, toggleWhy, picked } from "./derive";
import { goTo, keepingPlace, revealed, stops } from "./stops";
import { print } from "./printing";
import { Asked } from "./asked";

const FORM_NAMES = { both: "Both forms", index: "Index form", matrix: "Matrix form" };
const NEXT_FORM = { both: "matrix", matrix: "index", index: null } as const;

export function turnForm(): void {
  keepingPlace(() => (form.value = NEXT_FORM[form.value ?? "both"]));
}

export function toggleBrief(): void {
  keepingPlace(() => (brief.value = !brief.value));
}

export function DeriveBar() {
  const count = stops.value.length;
  const at = revealed.value;
  return (
    <div class="bar" role="toolbar" aria-label="Reveal">
      <progress class="done" max={count} value={at} aria-label="Revealed" />
      <button type="button" onClick={() => goTo(at - 1)} aria-disabled={at === 0} aria-label="Back one line">
        <span aria-hidden="true">←</span> Back
      </button>
      <button type="button" class="main" onClick={() => goTo(at + 1)} aria-disabled={at === count} aria-label="Next line">
        Next <span aria-hidden="true">→</span>
      </button>
      <span class="count">{at} / {count}</span>
      <span class="gap" />
      <button type="button" class="wide" aria-pressed={picked.value !== null} onClick={toggleWhy}>Why</button>
      <button type="button" class="wide" onClick={turnForm} title="Key i">{FORM_NAMES[form.value ?? "both"]}</button>
      <button type="button" class="wide" aria-pressed={brief.value} onClick={toggleBrief} title="Key d">Brief</button>
      <Menu label="More" glyph="⋯">
        <Asked />
        <button type="button" class="narrow" onClick={toggleWhy}>Why this line</button>
        <button type="button" class="narrow" onClick={turnForm}>{FORM_NAMES[form.value ?? "both"]}</button>
        <button type="button" class="narrow" aria-pressed={brief.value} onClick={toggleBrief}>Brief</button>
        <button type="button" onClick={() => goTo(Infinity)}>Show all</button>
        <button type="button" onClick={() => goTo(0)}>Start again</button>
        <button type="button" onClick={present}>Presenter window</button>
        <button type="button" onClick={() => (black.value = true)}>Blackout</button>
        <fieldset class="print-choices">
          <legend>Print</legend>
          <button type="button" onClick={() => print("filled")}>filled in</button>
          <button type="button" onClick={() => print("blank")}>blank</button>
          <button type="button" onClick={() => print("steps")}>without reasons</button>
        </fieldset>
        <dl class="keys">
          <dt><kbd>Space</kbd> <kbd>→</kbd></dt><dd>next line</dd>
          <dt><kbd>←</kbd></dt><dd>back</dd>
          <dt><kbd>?</kbd></dt><dd>why this line</dd>
          <dt><kbd>i</kbd></dt><dd>index or matrix form</dd>
          <dt><kbd>d</kbd></dt><dd>brief or full</dd>
          <dt><kbd>v</kbd></dt><dd>cost as a sum or vectorised</dd>
          <dt><kbd>p</kbd></dt><dd>presenter window</dd>
          <dt><kbd>b</kbd></dt><dd>blackout</dd>
        </dl>
      </Menu>
    </div>
  );
}
