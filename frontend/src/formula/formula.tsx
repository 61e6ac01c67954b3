/** A formula: MathML with its spoken form, fitted to its box, its parts open to the pointer. */
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Formula as FormulaData, Line } from "../types";
import { parseMath } from "../protocol/trusted";
import { fit } from "./fit";
import { tidy } from "./tidy";
import { elementsAt, placeOf, type Place } from "./paths";

interface Props {
  of: Line | FormulaData;
  /** The click on a part; the keyboard has the same in the list of parts of the why card. */
  onPick?: (place: Place) => void;
  picked?: Place | null;
  class?: string;
  /** Within running text: never broken or scaled. */
  inline?: boolean;
}

const observed = new WeakMap<Element, () => void>();
const observer = new ResizeObserver((entries) => {
  // Only the width counts: breaking changes the height.
  for (const { target } of entries) observed.get(target)?.();
});

function set(element: Element, name: string, value: string | null): void {
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

function mark(box: Element, picked: Place | null | undefined): void {
  for (const old of box.querySelectorAll(".picked")) old.classList.remove("picked");
  if (picked) for (const node of elementsAt(box, picked)) node.classList.add("picked");
}

export function Formula({ of, onPick, picked, inline, class: name = "" }: Props) {
  const box = useRef<HTMLSpanElement>(null);
  const spoken = useRef<HTMLSpanElement>(null);

  useLayoutEffect(() => {
    const element = box.current!;
    const whole = of.mathml.startsWith("<math") ? of.mathml : `<math><mrow>${of.mathml}</mrow></math>`;
    const math = parseMath(whole);
    tidy(math);
    math.removeAttribute("display");
    if (!inline) math.setAttribute("displaystyle", "true");
    math.setAttribute("alttext", of.spoken);
    let room = -1;
    const show = () => {
      if (inline) {
        element.replaceChildren(math);
      } else {
        if (element.clientWidth === room) return;
        room = element.clientWidth;
        const fitted = fit(element, math.cloneNode(true) as Element);
        // A broken formula is several `<math>`: readers get one sentence in their place.
        spoken.current!.textContent = fitted === "broken" ? of.spoken : "";
        set(element, "aria-hidden", fitted === "broken" ? "true" : null);
        set(element, "role", fitted === "scrolls" ? "group" : null);
        set(element, "aria-label", fitted === "scrolls" ? of.spoken : null);
        set(element, "tabindex", fitted === "scrolls" ? "0" : null);
      }
      mark(element, picked);
    };
    show();
    if (inline) return;
    observed.set(element, show);
    observer.observe(element);
    // Only a font that is still on its way changes the widths; a refit would end animations.
    if (document.fonts.status === "loading") {
      void document.fonts.ready.then(() => {
        room = -1;
        if (element.isConnected) show();
      });
    }
    return () => observer.unobserve(element);
  }, [of.mathml, inline]);

  useEffect(() => mark(box.current!, picked), [picked?.side, picked?.path, of.mathml]);

  const pick = onPick
    ? (event: MouseEvent) => {
        const place = placeOf(event.target as Element);
        if (place) onPick(place);
      }
    : undefined;
  return (
    <>
      <span
        ref={box}
        class={`formula ${inline ? "inline" : "block"} ${onPick ? "open" : ""} ${name}`}
        onClick={pick}
      />
      <span ref={spoken} class="spoken" />
    </>
  );
}
