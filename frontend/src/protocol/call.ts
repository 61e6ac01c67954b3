/** The calls of the board, whatever carries them: a loopback server, a worker, or shipped data. */
import type { Calls, Failure } from "../types";
import { start } from "./globals";

export class CallError extends Error {
  constructor(readonly detail: Failure) {
    super(detail.message);
  }
}

export type CallName = keyof Calls;
export type Args<N extends CallName> = Calls[N]["args"];
export type Result<N extends CallName> = Calls[N]["result"];
export type Carrier = (name: CallName, args: unknown) => Promise<unknown>;

let carrier: Promise<Carrier> | undefined;

async function connect(): Promise<Carrier> {
  if (start.tier === "loopback") return (await import("./loopback")).connect();
  const shipped = (await import("./shipped/carrier")).connect();
  return start.tier === "pyodide" ? (await import("./worker")).connect(shipped) : shipped;
}

/** Call by name; a typed error of the other side is thrown as `CallError`. */
export async function call<N extends CallName>(name: N, args: Args<N>): Promise<Result<N>> {
  carrier ??= connect();
  return (await (await carrier)(name, args)) as Result<N>;
}

export function failure(kind: string, message: string): CallError {
  return new CallError({ kind, message, line: 0, column: 0, source: "", mend: null });
}

/** The typed error behind anything thrown. */
export function asFailure(error: unknown): Failure {
  if (error instanceof CallError) return error.detail;
  return failure("internal", error instanceof Error ? error.message : String(error)).detail;
}

/**
 * Call as often as asked, but keep only one call under way and drop all but the newest request:
 * what a slider or a key press needs. `take` gets answers in order.
 */
export function latest<N extends CallName>(
  name: N,
  take: (result: Result<N>, args: Args<N>) => void,
  fail: (failure: Failure, args: Args<N>) => void,
): (args: Args<N>) => void {
  let waiting: { args: Args<N> } | null = null;
  let busy = false;
  async function work(): Promise<void> {
    busy = true;
    while (waiting) {
      const { args } = waiting;
      waiting = null;
      try {
        const result = await call(name, args);
        if (!waiting) take(result, args);
      } catch (error) {
        if (!waiting) fail(asFailure(error), args);
      }
    }
    busy = false;
  }
  return (args) => {
    waiting = { args };
    if (!busy) void work();
  };
}
