/** The shell: views, the bar above them, and what is announced. */
import { useEffect } from "preact/hooks";
import { start } from "./protocol/globals";
import { starting } from "./protocol/worker";
import { announced, title, view, VIEWS, type View } from "./state/board";
import { colours, letterKeys } from "./state/preferences";
import { Audit } from "./views/audit";
import { Derive } from "./views/derive/derive";
import { Graph } from "./views/graph/graph";
import { Numbers } from "./views/numbers/numbers";
import { Practise } from "./views/practise/practise";
import { Train } from "./views/train/train";
import { Write } from "./views/write/write";
import { Menu } from "./parts/menu";
import { ShareButton } from "./parts/share-button";

const NAMES: Record<View, string> = {
  write: "Write",
  derive: "Derive",
  numbers: "Numbers",
  graph: "Graph",
  practise: "Practise",
  audit: "Audit",
  train: "Train",
};
const SHOWN: Record<View, () => preact.JSX.Element> = {
  write: Write,
  derive: Derive,
  numbers: Numbers,
  graph: Graph,
  practise: Practise,
  audit: Audit,
  train: Train,
};

function go(to: View): void {
  view.value = to;
  document.getElementById("main")?.focus({ preventScroll: true });
  scrollTo(0, 0);
}

const NEXT_COLOURS = { auto: "light", light: "dark", dark: "auto" } as const;
const COLOUR_NAMES = { auto: "as the system", light: "light", dark: "dark" };

export function App() {
  const Shown = SHOWN[view.value];
  useEffect(() => {
    document.title = `${NAMES[view.value]}: ${title.value} · chainrule board`;
  }, [view.value, title.value]);
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => {
        event.preventDefault();
        document.getElementById("main")!.focus();
      }}>Skip to the {NAMES[view.value].toLowerCase()} view</a>
      <header class="top">
        <p class="brand">chainrule</p>
        <nav aria-label="Views">
          <ul>
            {VIEWS.map((one) => (
              <li key={one}>
                <button type="button" aria-current={one === view.value ? "page" : undefined} onClick={() => go(one)}>
                  {NAMES[one]}
                </button>
              </li>
            ))}
          </ul>
        </nav>
        <div class="tools">
          <ShareButton />
          <Menu label="Settings" glyph="⚙">
            <button type="button" onClick={() => (colours.value = NEXT_COLOURS[colours.value])}>
              Colours: {COLOUR_NAMES[colours.value]}
            </button>
            <button
              type="button"
              aria-pressed={letterKeys.value === "on"}
              onClick={() => (letterKeys.value = letterKeys.value === "on" ? "off" : "on")}
            >
              Single-letter keys: {letterKeys.value}
            </button>
            <p class="muted">
              chainrule {start.version ?? ""}. Everything runs on this machine.{" "}
              <a href="static/licences.txt" target="_blank">Licences</a>
            </p>
          </Menu>
        </div>
      </header>
      {starting.value && (
        <p class="starting" role="status">
          {starting.value.progress} <progress max={1} value={starting.value.share} aria-label="Loading Python" />
        </p>
      )}
      <main id="main" tabIndex={-1} class={`view-${view.value}`}>
        <Shown />
      </main>
      <p class="spoken" role="status">{announced.value}</p>
    </>
  );
}
