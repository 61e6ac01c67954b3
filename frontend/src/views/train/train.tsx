/** Train: gradient descent and Newton's method against the proven optimum. */
import { useEffect } from "preact/hooks";
import { Fault } from "../../parts/fault";
import { short } from "../../parts/matrix-table";
import { gallery } from "../../state/board";
import { Curves } from "./curves";
import { OwnData } from "./own-data";
import { Plane } from "./plane";
import { at, batchSize, busy, certificate, failure, last, own, pair, play, playing, rate, stop, strength, summary, train, training } from "./state";

function FeatureChoice({ which }: { which: 0 | 1 }) {
  const features = gallery.value?.data.features ?? [];
  return (
    <label>
      {which === 0 ? "Horizontal" : "Vertical"}
      <select
        value={pair.value[which]}
        onChange={(event) => {
          const chosen = Number(event.currentTarget.value);
          pair.value = which === 0 ? [chosen, pair.value[1]] : [pair.value[0], chosen];
          void train();
        }}
      >
        {features.map((name, index) => (
          <option key={name} value={index} disabled={pair.value[1 - which] === index}>{name}</option>
        ))}
      </select>
    </label>
  );
}

const LAST_DIGITS = 6;
const gapText = (gap: number | null | undefined) => (gap === null || gap === undefined ? "not finite" : short(gap));

function Facts() {
  const result = training.value!;
  const { gradient, newton, optimum } = result;
  const other = Math.min(at.value, newton.cost.length - 1);
  const rows: [string, number | null | undefined, number | null | undefined][] = [
    [`Gradient descent, step ${at.value}`, gradient.cost[at.value], gradient.gap[at.value]],
    [`Newton's method, step ${other}`, newton.cost[other], newton.gap[other]],
    ["Optimum", optimum.cost, optimum.bound],
  ];
  return (
    <>
      <div class="scroll" role="group" aria-label="Costs" tabIndex={0}>
        <table class="facts">
          <thead><tr><th scope="col">Method</th><th scope="col">Cost J</th><th scope="col">J − J* at most</th></tr></thead>
          <tbody>
            {rows.map(([name, cost, gap]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{typeof cost === "number" ? cost.toPrecision(LAST_DIGITS) : "not finite"}</td>
                <td>{gapText(gap)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {gradient.diverged && <p class="note">Gradient descent diverges at this rate: choose a smaller one.</p>}
      <p>{optimum.sentence}</p>
      {certificate.value && (
        <details>
          <summary>Certificate of the solver</summary>
          <p>{certificate.value.certificate}</p>
          {certificate.value.lines.map((line) => <p key={line}>{line}</p>)}
        </details>
      )}
    </>
  );
}

export function Train() {
  useEffect(() => {
    if (!training.value && !failure.value) void train();
    return stop;
  }, []);
  const result = training.value;
  return (
    <div class="train">
      <section class="choices-column" aria-labelledby="train-title">
        <h1 id="train-title">Train</h1>
        <p class="muted">{own.value ? "Your own data, read in this page" : gallery.value?.data.name}</p>
        {!own.value && <><FeatureChoice which={0} /><FeatureChoice which={1} /></>}
        <OwnData />
        <label>
          Rate of gradient descent: {rate.value}
          <input type="range" min={-3} max={1} step={0.05} value={Math.log10(rate.value)} aria-valuetext={String(rate.value)}
            onChange={(event) => {
              rate.value = Number((10 ** event.currentTarget.valueAsNumber).toPrecision(2));
              void train();
            }} />
        </label>
        <label>
          Examples per step
          <select value={batchSize.value} onChange={(event) => {
            batchSize.value = Number(event.currentTarget.value);
            void train();
          }}>
            <option value={0}>all</option>
            <option value={64}>64</option>
            <option value={16}>16</option>
            <option value={1}>1</option>
          </select>
        </label>
        <label>
          Penalty: C, the inverse strength
          <select value={strength.value} onChange={(event) => {
            strength.value = Number(event.currentTarget.value);
            void train();
          }}>
            {[0.01, 0.1, 1, 10, 100].map((value) => <option key={value} value={value}>{value}</option>)}
          </select>
        </label>
      </section>
      <section class="training-column" aria-label="Training">
        {failure.value && <Fault failure={failure.value} />}
        {busy.value && !result && <p class="muted" role="status">Training…</p>}
        {result && (
          <>
            <div class="controls">
              <button type="button" class="main" onClick={play}>{playing.value ? "Pause" : "Play"}</button>
              <button type="button" onClick={() => { stop(); at.value = Math.min(last.value, at.value + 1); }}>One step</button>
              <button type="button" onClick={() => { stop(); at.value = 0; }}>Reset</button>
              <input type="range" class="timeline" min={0} max={last.value} value={at.value} aria-label="Step" aria-valuetext={summary()}
                onInput={(event) => { stop(); at.value = event.currentTarget.valueAsNumber; }} />
            </div>
            <p class="summary">{summary()}</p>
            <div class="pictures">
              <Plane />
              <div class="beside"><Curves /><Facts /></div>
            </div>
          </>
        )}
      </section>
    </div>
  );
}
