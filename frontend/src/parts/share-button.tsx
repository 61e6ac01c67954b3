/** Copies the address of the page, which holds the whole state. */
import { useSignal } from "@preact/signals";
import { start } from "../protocol/globals";
import { announced } from "../state/board";
import { download } from "./download";

const LOCAL = start.tier === "loopback";

export function ShareButton() {
  const done = useSignal("");
  const share = async () => {
    // A loopback address works on this machine alone; its fragment works in any exported board.
    const link = LOCAL ? location.hash : location.href;
    try {
      await navigator.clipboard.writeText(link);
      done.value = LOCAL ? "Copied: add it to the address of any board" : "Link copied";
    } catch {
      download("board-link.txt", link);
      done.value = "Link saved as a file";
    }
    announced.value = done.value;
    setTimeout(() => (done.value = ""), 4000);
  };
  return (
    <span class="share">
      <button type="button" onClick={() => void share()}>Share</button>
      {done.value && <span class="toast" aria-hidden="true">{done.value}</span>}
    </span>
  );
}
