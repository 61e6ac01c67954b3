import { fault, text, write } from "../../state/board";

export function PlainEditor({ labelled, described }: { labelled: string; described: string }) {
  const lines = text.value.split("\n").length;
  return (
    <textarea
      class="editor"
      aria-labelledby={labelled}
      aria-describedby={described}
      aria-invalid={fault.value !== null}
      rows={Math.min(24, Math.max(8, lines + 1))}
      spellcheck={false}
      autocapitalize="off"
      autocomplete="off"
      value={text.value}
      onInput={(event) => write(event.currentTarget.value)}
    />
  );
}
