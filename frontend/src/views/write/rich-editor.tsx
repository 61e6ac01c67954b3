/** The editor with colours, marks and completion; loaded once the first lines are typeset. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { loadBundle } from "../../protocol/trusted";
import { fault, forward, text, write } from "../../state/board";
import type { EditorBundle, MountedEditor } from "../../lazy/editor";
import { PlainEditor } from "./plain-editor";

/** The first lines do not wait for the editor, the largest file of the page; until then, a field. */
const whenIdle = (act: () => void) =>
  "requestIdleCallback" in window ? requestIdleCallback(act, { timeout: 1000 }) : setTimeout(act, 200);

export function RichEditor({ labelled, described }: { labelled: string; described: string }) {
  const host = useRef<HTMLDivElement>(null);
  const mounted = useRef<MountedEditor | null>(null);
  const ready = useSignal(false);
  const read = forward.value !== null || fault.value !== null;

  useEffect(() => {
    if (!read) return;
    let gone = false;
    const load = () => void loadBundle<EditorBundle>("editor").then(({ mount }) => {
      if (gone || !host.current) return;
      const field = document.activeElement;
      const typing = field instanceof HTMLTextAreaElement && field.classList.contains("editor") ? field.selectionEnd : null;
      mounted.current = mount(host.current, {
        text: text.peek(),
        label: document.getElementById(labelled)?.textContent ?? "Forward pass",
        onChange: write,
        names: () => (forward.peek()?.inputs.map((one) => one.name) ?? []).concat(
          forward.peek()?.lines.map((one) => one.name) ?? [],
        ),
      });
      ready.value = true;
      mounted.current.setFault(fault.peek());
      // Who was typing goes on at the same place, once the field is gone.
      if (typing !== null) requestAnimationFrame(() => mounted.current?.focus(typing));
    }, () => undefined);
    whenIdle(load);
    return () => {
      gone = true;
      mounted.current?.destroy();
      mounted.current = null;
    };
  }, [read]);
  useEffect(() => mounted.current?.setText(text.value), [text.value]);
  useEffect(() => mounted.current?.setFault(fault.value), [fault.value]);

  return (
    <>
      {!ready.value && <PlainEditor labelled={labelled} described={described} />}
      <div ref={host} class="editor-host" hidden={!ready.value} />
    </>
  );
}
