/** The history of answers, in this browser's IndexedDB; in memory where that is switched off. */
import { signal } from "@preact/signals";
import type { AnswerRecord } from "../types";

export const records = signal<AnswerRecord[]>([]);
export const stored = signal(true);

let base: Promise<IDBDatabase> | undefined;

function database(): Promise<IDBDatabase> {
  base ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("chainrule-practice", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("answers", { autoIncrement: true });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new Error("no storage"));
  });
  return base;
}

async function inStore<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const store = (await database()).transaction("answers", mode).objectStore("answers");
  const request = act(store);
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new Error("no storage"));
  });
}

async function attempt(act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch {
    stored.value = false;
  }
}

export const load = () =>
  attempt(async () => {
    records.value = (await inStore("readonly", (store) => store.getAll())) as AnswerRecord[];
  });

export async function add(record: AnswerRecord): Promise<void> {
  const dated = { ...record, at: record.at || new Date().toISOString() };
  records.value = [...records.value, dated];
  await attempt(() => inStore("readwrite", (store) => store.add(dated)));
}

export async function clear(): Promise<void> {
  records.value = [];
  await attempt(() => inStore("readwrite", (store) => store.clear()));
}

/** Take over an exported history; returns how many answers it had. */
export async function replaceBy(text: string): Promise<number> {
  const read: unknown = JSON.parse(text);
  const valid = (one: Partial<AnswerRecord>) => typeof one?.exercise === "string" && typeof one.right === "boolean";
  if (!Array.isArray(read) || !read.every(valid)) {
    throw new Error("This file is not a practice history: it must be the JSON list that Export writes.");
  }
  await clear();
  for (const one of read as AnswerRecord[]) await add(one);
  return read.length;
}
