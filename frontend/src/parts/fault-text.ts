import type { Failure } from "../types";

/** `text` with the repair carried out. */
export function mended(text: string, failure: Failure): string {
  const { mend } = failure;
  if (!mend) return text;
  const lines = text.split("\n");
  const line = lines[mend.line - 1] ?? "";
  const at = mend.column - 1;
  lines[mend.line - 1] = line.slice(0, at) + mend.text + line.slice(at + mend.length);
  return lines.join("\n");
}
