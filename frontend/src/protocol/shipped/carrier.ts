/** Calls answered from the data that an exported board ships. */
import type { AuditArgs, DeriveArgs, Lesson, PointArgs, WhyArgs } from "../../types";
import { failure, type Carrier } from "../call";
import { start } from "../globals";
import { loadScript } from "../trusted";
import { audit } from "./audit";
import { evaluate } from "./evaluate";
import { practiceCalls } from "./practice";
import { train } from "./train";

const ELSEWHERE =
  "This exported board holds the derivations of its gallery. For a forward pass of your own, install chainrule and run `chainrule board`.";

const OTHER =
  "This exported board holds each derivation with respect to what its forward pass asks for. For other variables or second derivatives, install chainrule and run `chainrule board`.";

const plain = (text: string) => text.replace(/\s+$/gm, "").trim();

async function lessonOf(text: string): Promise<Lesson> {
  const items = (start.gallery?.groups ?? []).flatMap((group) => group.items);
  const found = items.find((item) => plain(item.text) === plain(text));
  if (!found) throw failure("static", ELSEWHERE);
  if (!start.lessons?.[found.id]) {
    start.lessons ??= {};
    await loadScript(`data/lesson-${found.id}.js`);
  }
  return start.lessons[found.id]!;
}

function cardOf(lesson: Lesson, { step, side, path }: WhyArgs) {
  const shipped = lesson.why[String(step)];
  const card = path === undefined || path === null ? shipped?.line : shipped?.nodes[`${side ?? "right"}:${path}`];
  if (card) return card;
  if (shipped?.line) return shipped.line;
  throw failure("static", "No explanation was exported for this part.");
}

/** A lesson holds one derivation: with respect to what its forward pass asks for, once. */
async function derivedLesson({ text, wrt, order = 1 }: DeriveArgs): Promise<Lesson> {
  const lesson = await lessonOf(text);
  const same = !wrt?.length || wrt.join() === lesson.derive.forward.asked.join();
  if (same && order === 1) return lesson;
  throw failure("static", OTHER);
}

export function connect(): Carrier {
  const calls: Record<string, (args: never) => unknown> = {
    gallery: () => start.gallery,
    read: async ({ text }: { text: string }) => (await lessonOf(text)).derive.forward,
    derive: async (args: DeriveArgs) => (await derivedLesson(args)).derive,
    why: async (args: WhyArgs) => cardOf(await derivedLesson(args), args),
    numbers: async (args: PointArgs) => evaluate(await derivedLesson(args), args),
    graph: async (args: PointArgs) => (await derivedLesson(args)).graph,
    audit: async (args: AuditArgs) => audit(await lessonOf(args.text ?? ""), args),
    train,
    ...practiceCalls,
  };
  return async (name, args) => {
    const answer = calls[name];
    if (!answer) throw failure("static", ELSEWHERE);
    return answer(args as never);
  };
}
