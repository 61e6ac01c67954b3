/** The state in the address: `#view=derive&at=12&cr=<deflated forward pass>`. */
import { effect } from "@preact/signals";
import { asked, brief, form, order, stop, text, vectorised, view, VIEWS, write, type Form, type View } from "./board";

async function through(bytes: Uint8Array, stream: CompressionStream | DecompressionStream) {
  const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]);
  const piped = blob.stream().pipeThrough(stream as ReadableWritablePair<Uint8Array, Uint8Array>);
  return new Uint8Array(await new Response(piped).arrayBuffer());
}

export async function pack(plain: string): Promise<string> {
  const bytes = await through(new TextEncoder().encode(plain), new CompressionStream("deflate-raw"));
  const letters = btoa(String.fromCharCode(...bytes));
  return letters.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export async function unpack(packed: string): Promise<string> {
  const letters = atob(packed.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  return new TextDecoder().decode(await through(bytes, new DecompressionStream("deflate-raw")));
}

/** Take the state out of the address; returns whether it held a forward pass. */
export async function restore(): Promise<boolean> {
  const parts = new URLSearchParams(location.hash.slice(1));
  const packed = parts.get("cr");
  let found = false;
  if (packed) {
    try {
      write(await unpack(packed));
      found = true;
    } catch {
      // A link that was cut short: the board opens with its first example.
    }
  }
  asked.value = parts.get("wrt")?.split(",") ?? null;
  order.value = parts.get("order") === "2" ? 2 : 1;
  const named = parts.get("view") as View;
  if (VIEWS.includes(named)) view.value = named;
  form.value = (parts.get("form") as Form) || null;
  brief.value = parts.has("brief");
  vectorised.value = parts.has("vectorised");
  stop.value = Number(parts.get("at")) || 0;
  return found;
}

const viewIn = (hash: string) => new URLSearchParams(hash.slice(1)).get("view");

/**
 * Keep the address equal to the state, so that it can be copied, reloaded and gone back to: each
 * change of the view is a step of the browser's history.
 */
export function keepAddress(): void {
  let turn = 0;
  effect(() => {
    const parts = new URLSearchParams({ view: view.value });
    if (stop.value) parts.set("at", String(stop.value));
    if (form.value) parts.set("form", form.value);
    if (brief.value) parts.set("brief", "1");
    if (vectorised.value) parts.set("vectorised", "1");
    if (asked.value) parts.set("wrt", asked.value.join(","));
    if (order.value > 1) parts.set("order", String(order.value));
    const plain = text.value;
    const mine = (turn += 1);
    void pack(plain).then((packed) => {
      if (mine !== turn) return;
      parts.set("cr", packed);
      const before = viewIn(location.hash);
      const moved = before !== null && before !== view.value;
      history[moved ? "pushState" : "replaceState"](null, "", `#${parts}`);
    });
  });
  addEventListener("popstate", () => {
    turn += 1;
    void restore();
  });
}
