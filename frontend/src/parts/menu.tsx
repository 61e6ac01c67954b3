/** A button that opens a small panel below itself. */
import type { ComponentChildren } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect, useId, useRef } from "preact/hooks";

export function Menu({ label, glyph, children }: { label: string; glyph: string; children: ComponentChildren }) {
  const open = useSignal(false);
  const box = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const id = useId();
  useEffect(() => {
    if (!open.value) return;
    const outside = (event: Event) => {
      if (!box.current!.contains(event.target as Node)) open.value = false;
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [open.value]);
  return (
    <div
      class="menu"
      ref={box}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open.value) return;
        event.stopPropagation();
        open.value = false;
        button.current!.focus();
      }}
    >
      <button
        ref={button}
        type="button"
        class="icon"
        aria-label={label}
        title={label}
        aria-expanded={open.value}
        aria-controls={id}
        onClick={() => (open.value = !open.value)}
      >
        <span aria-hidden="true">{glyph}</span>
      </button>
      <div class="panel" id={id} hidden={!open.value}>
        {children}
      </div>
    </div>
  );
}
