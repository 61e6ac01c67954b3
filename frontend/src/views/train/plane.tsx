/** The two features as a plane, with the points and the boundaries of the methods. */
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { colours } from "../../state/preferences";
import { at, names, summary, training } from "./state";

interface Area {
  left: number;
  top: number;
  size: number;
  low: number;
  high: number;
}

function line(context: CanvasRenderingContext2D, area: Area, w: readonly number[], b: number): void {
  const [u, v] = [w[0]!, w[1]!];
  const { low, high } = area;
  if (Math.abs(u) + Math.abs(v) < 1e-12) return;
  const ends: [number, number][] = Math.abs(v) > Math.abs(u)
    ? [[low, -(b + u * low) / v], [high, -(b + u * high) / v]]
    : [[-(b + v * low) / u, low], [-(b + v * high) / u, high]];
  context.beginPath();
  for (const [x, y] of ends) context.lineTo(...place(area, x, y));
  context.stroke();
}

function place({ left, top, size, low, high }: Area, x: number, y: number): [number, number] {
  const scale = size / (high - low);
  return [left + (x - low) * scale, top + size - (y - low) * scale];
}

export function Plane() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const room = useSignal(0);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => (room.value = entry!.contentRect.width));
    observer.observe(canvas.current!.parentElement!);
    return () => observer.disconnect();
  }, []);
  const result = training.value;
  const step = at.value;
  useEffect(() => {
    const element = canvas.current;
    if (!element || !result || !room.value) return;
    const size = Math.min(room.value, Math.max(320, innerHeight * 0.62));
    const ratio = devicePixelRatio || 1;
    element.width = size * ratio;
    element.height = size * ratio;
    element.style.width = `${size}px`;
    element.style.height = `${size}px`;
    const context = element.getContext("2d")!;
    const style = getComputedStyle(element);
    const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
    context.scale(ratio, ratio);
    const { x, y, label } = result.points;
    const reach = Math.max(...x.map(Math.abs), ...y.map(Math.abs)) * 1.05;
    const area: Area = { left: 4, top: 4, size: size - 8, low: -Math.min(reach, 4.2), high: Math.min(reach, 4.2) };
    context.strokeStyle = colour("rule");
    context.strokeRect(area.left, area.top, area.size, area.size);
    context.save();
    context.beginPath();
    context.rect(area.left, area.top, area.size, area.size);
    context.clip();
    // Circles and crosses: the classes differ in shape, not in colour alone.
    context.lineWidth = 1.3;
    label.forEach((one, i) => {
      const [px, py] = place(area, x[i]!, y[i]!);
      context.beginPath();
      if (one) {
        context.strokeStyle = colour("accent");
        context.arc(px, py, 3.4, 0, 2 * Math.PI);
      } else {
        context.strokeStyle = colour("muted");
        context.moveTo(px - 3, py - 3);
        context.lineTo(px + 3, py + 3);
        context.moveTo(px - 3, py + 3);
        context.lineTo(px + 3, py - 3);
      }
      context.stroke();
    });
    const { gradient, newton, optimum } = result;
    context.strokeStyle = colour("good");
    context.lineWidth = 6;
    context.globalAlpha = 0.35;
    line(context, area, optimum.w, optimum.b);
    context.globalAlpha = 1;
    context.lineWidth = 2;
    context.strokeStyle = colour("bad");
    context.setLineDash([7, 5]);
    const other = Math.min(step, newton.b.length - 1);
    line(context, area, newton.w[other]!, newton.b[other]!);
    context.setLineDash([]);
    context.strokeStyle = colour("ink");
    context.lineWidth = 2.5;
    line(context, area, gradient.w[step]!, gradient.b[step]!);
    context.restore();
  }, [result, step, room.value, colours.value]);
  return (
    <figure class="plane">
      <canvas ref={canvas} role="img" aria-label={result ? `Plane of ${names.value.join(" and ")}. ${summary()}` : "Plane of two features"} />
      <figcaption>
        Horizontal: {names.value[0]}; vertical: {names.value[1]}, standardized. Circles: {result?.classes[1]}; crosses: {result?.classes[0]}.
        Solid line: gradient descent; dashed: Newton's method; broad: the optimum.
      </figcaption>
    </figure>
  );
}
