import { render } from "preact";
import { App } from "./app";
import { Presenter } from "./views/presenter";
import { isPresenter } from "./views/presenter-link";
import { asFailure, call } from "./protocol/call";
import { start } from "./protocol/globals";
import { fault, loadGallery, text, write } from "./state/board";
import { keepAddress, restore } from "./state/share";
import { followSymbols } from "./formula/symbols";

const root = document.getElementById("board")!;

/** The forward pass that the command was given. */
async function openFile(): Promise<void> {
  if (start.tier !== "loopback") return;
  const file = await call("opened", {}).catch(() => null);
  // What was typed meanwhile stays.
  if (file?.text && !text.value) write(file.text);
}

async function open(): Promise<void> {
  if (isPresenter()) {
    render(<Presenter />, root);
    return;
  }
  const found = await restore();
  render(<App />, root);
  followSymbols();
  if (!found) await openFile();
  await loadGallery().catch((error: unknown) => (fault.value = asFailure(error)));
  keepAddress();
  document.documentElement.dataset.ready = "true";
}

void open();
