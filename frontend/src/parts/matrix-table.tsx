/** A matrix of numbers as a table. */
import type { Matrix } from "../types";

/** Four significant digits, in as few characters as that takes. */
export function short(value: number | null): string {
  if (value === null) return "∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) return value.toExponential(2).replace("-", "−").replace("e−", "e−").replace("e-", "e−");
  return Number(value.toPrecision(4)).toString().replace("-", "−");
}

const MOST = 8;

export function MatrixTable({ of, label }: { of: Matrix; label: string }) {
  if (of.length === 1 && of[0]!.length === 1) return <span class="number">{short(of[0]![0]!)}</span>;
  const rows = of.slice(0, MOST);
  const cut = of.length > MOST || (of[0]?.length ?? 0) > MOST;
  return (
    <table class="matrix" aria-label={label}>
      <tbody>
        {rows.map((row, i) => (
          <tr key={i}>
            {row.slice(0, MOST).map((value, j) => (
              <td key={j}>{short(value)}</td>
            ))}
            {row.length > MOST && <td>…</td>}
          </tr>
        ))}
        {cut && of.length > MOST && <tr><td>…</td></tr>}
      </tbody>
    </table>
  );
}
