/** Calls carried by messages to a worker that runs Python as WebAssembly. */
import { signal } from "@preact/signals";
import { CallError, failure, type Carrier } from "./call";
import { start } from "./globals";
import { startWorker } from "./trusted";

/** How far the worker has started; null when it is ready or not used. */
export const starting = signal<{ progress: string; share: number } | null>(null);

/** Use `shipped` data until Python is ready. */
export function connect(shipped: Carrier): Carrier {
  const worker = startWorker(start.worker ?? "worker.js");
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let ready = false;
  let count = 0;
  starting.value = { progress: "loading Python", share: 0 };
  worker.onmessage = ({ data }) => {
    if (data.progress !== undefined) {
      ready ||= data.share >= 1;
      starting.value = ready ? null : data;
      return;
    }
    const asked = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error) asked?.reject(new CallError(data.error));
    else asked?.resolve(data.result);
  };
  worker.onerror = () => {
    starting.value = null;
    for (const { reject } of waiting.values()) reject(failure("internal", "Python stopped. Reload the page."));
    waiting.clear();
  };
  const live: Carrier = (name, args) =>
    new Promise((resolve, reject) => {
      count += 1;
      waiting.set(count, { resolve, reject });
      worker.postMessage({ call: name, args, id: count });
    });
  return async (name, args) => {
    if (ready) return live(name, args);
    // The shipped derivations answer at once; anything else waits for Python.
    try {
      return await shipped(name, args);
    } catch {
      return live(name, args);
    }
  };
}
