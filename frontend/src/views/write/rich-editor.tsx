/** The editor with colours, marks and completion; loaded when first shown. */
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { loadBundle } from "../../protocol/trusted";
import { fault, forward, text, write } from "../../state/board";
import type { EditorBundle, MountedEditor } from "../../lazy/editor";
import { PlainEditor } from "./plain-editor";

export function RichEditor({ labelled, described }: { labelled: string; described: string }) {
  const host = useRef<HTMLDivElement>(null);
  const mounted = useRef<MountedEditor | null>(null);
  const ready = useSignal(false);

  useEffect(() => {
    let gone = false;
    void loadBundle<EditorBundle>("editor").then(({ mount }) => {
      if (gone || !host.current) return;
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
    }, () => undefined);
    return () => {
      gone = true;
      mounted.current?.destroy();
      mounted.current = null;
    };
  }, []);
  useEffect(() => mounted.current?.setText(text.value), [text.value]);
  useEffect(() => mounted.current?.setFault(fault.value), [fault.value]);

  return (
    <>
      {!ready.value && <PlainEditor labelled={labelled} described={described} />}
      <div ref={host} class="editor-host" hidden={!ready.value} />
    </>
  );
}
