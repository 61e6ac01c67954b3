/** The distance to the proven optimum, per step, on a logarithmic scale. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { CurvesBundle } from "../../lazy/curves";
import { loadBundle } from "../../protocol/trusted";
import { colours } from "../../state/preferences";
import { at, training } from "./state";

const ROUNDING = 2 ** -52;

export function Curves() {
  const host = useRef<HTMLDivElement>(null);
  const room = useSignal(0);
  const result = training.value;
  const step = at.value;
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => (room.value = entry!.contentRect.width));
    observer.observe(host.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (!result || !room.value) return;
    let plot: { destroy(): void } | null = null;
    let gone = false;
    void loadBundle<CurvesBundle>("curves").then(({ draw }) => {
      if (gone || !host.current) return;
      const { bound, cost } = result.optimum;
      // Below the rounding of the cost itself a bound is no longer visible in it.
      const finish = Math.max(bound ?? 0, ROUNDING * Math.abs(cost));
      const style = getComputedStyle(host.current);
      const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
      plot = draw(host.current, {
        width: room.value,
        height: Math.max(260, Math.min(room.value * 0.62, innerHeight * 0.55)),
        ink: colour("muted"),
        rule: colour("rule"),
        font: `13px ${style.fontFamily}`,
        curves: [
          // The whole curve is reserved from the start, so that the axes stand still.
          { name: "gradient descent, all steps", values: [...result.gradient.gap], colour: colour("rule") },
          { name: "gradient descent", values: result.gradient.gap.slice(0, step + 1), colour: colour("ink") },
          { name: "optimum", values: result.gradient.gap.map(() => finish), colour: colour("good"), dash: [2, 4] },
          { name: "Newton", values: result.newton.gap.slice(0, step + 1), colour: colour("bad"), dash: [7, 5] },
        ],
      });
    });
    return () => {
      gone = true;
      plot?.destroy();
    };
  }, [result, step, room.value, colours.value]);
  return (
    <figure>
      <div ref={host} class="curves" aria-hidden="true" />
      <figcaption>Upper bound of the distance to the optimal cost, per step, logarithmic. Solid: gradient descent. Dashed: Newton's method. Dotted: the bound of the optimum itself.</figcaption>
    </figure>
  );
}
