/** Curves on a logarithmic scale, by uPlot. */
import uPlot from "uplot";
import { register } from "./register";

export interface Curve {
  name: string;
  values: (number | null)[];
  colour: string;
  dash?: number[];
}
export interface CurvesOptions {
  width: number;
  height: number;
  ink: string;
  rule: string;
  font: string;
  curves: Curve[];
}
export interface CurvesBundle {
  draw(host: HTMLElement, options: CurvesOptions): { destroy(): void };
}

/** Powers of ten from low to high, at most eight of them. */
function powers(low: number, high: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const stride = Math.max(1, Math.ceil((last - first) / 8));
  return Array.from({ length: Math.floor((last - first) / stride) + 1 }, (_, at) => 10 ** (first + at * stride));
}

function draw(host: HTMLElement, { width, height, ink, rule, font, curves }: CurvesOptions) {
  const longest = Math.max(2, ...curves.map(({ values }) => values.length));
  const steps = Array.from({ length: longest }, (_, at) => at);
  // A logarithmic scale has no place for 0.
  const columns = curves.map(({ values }) => steps.map((at) => {
    const value = values[at];
    return value !== undefined && value !== null && value > 0 ? value : null;
  }));
  const axis = { stroke: ink, grid: { stroke: rule, width: 1 }, ticks: { stroke: rule, width: 1 }, font };
  const power = (value: number) => (Math.abs(Math.log10(value) % 1) < 1e-9 ? `1e${Math.round(Math.log10(value))}` : "");
  const plot = new uPlot(
    {
      width,
      height,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false }, y: { distr: 3 } },
      axes: [
        { ...axis, label: "step", labelSize: 22, labelFont: font },
        { ...axis, size: 64, splits: (_, __, low, high) => powers(low, high), values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : power(tick))) },
      ],
      series: [
        {},
        ...curves.map(({ name, colour, dash }) => ({
          label: name, stroke: colour, width: 2, points: { show: false }, ...(dash ? { dash } : {}),
        })),
      ],
    },
    [steps, ...columns] as uPlot.AlignedData,
    host,
  );
  return plot;
}

register("curves", { draw } satisfies CurvesBundle);
