/** Audit without Python: lines that the shipped derivation holds are recognised, others are not judged. */
import type { Audit, AuditArgs, Lesson, LineVerdict } from "../../types";

const plain = (line: string) => line.replace(/\s+/g, "");

function verdict(text: string, kind: "proven" | "unproven", why: string): LineVerdict {
  return { line: 0, text, verdict: kind, accused: false, why, mistakes: [], right: "", sign: 1, numbers: null };
}

/** The verdicts that the page can give, by the line without its spaces. */
function known({ derive, audit }: Lesson): Map<string, LineVerdict> {
  const found = new Map<string, LineVerdict>();
  const proven = (text: string, why: string) => found.set(plain(text), verdict(text, "proven", why));
  for (const one of derive.gradients) {
    proven(one.line.text, "It is a result of this derivation.");
    if (one.index) proven(one.index.text, "It is a result of this derivation.");
  }
  derive.steps.forEach(({ line, rule }, at) => {
    if (line.right) proven(line.text, `It is line ${at + 1} of this derivation: ${rule}.`);
  });
  for (const one of audit?.lines ?? []) {
    const text = audit!.source[one.line - 1];
    if (text) found.set(plain(text), one);
  }
  return found;
}

export function audit(lesson: Lesson, { transcript }: AuditArgs): Audit {
  const verdicts = known(lesson);
  const definitions = new Set(lesson.derive.forward.lines.map(({ math }) => plain(math.text)));
  const source = transcript.split(/\r?\n/);
  const lines = source.flatMap((text, at): LineVerdict[] => {
    const key = plain(text);
    if (!key.includes("=") || definitions.has(key)) return [];
    const found =
      verdicts.get(key) ??
      verdict(text, "unproven", "This page cannot judge it: the line does not stand in its derivation, and Python is not here to compute with.");
    return [{ ...found, line: at + 1, text }];
  });
  return { convention: "", forward: lesson.derive.forward, lines, source };
}
