/** Write a forward pass: it is typeset and its shapes are checked at every key. */
import { useId } from "preact/hooks";
import { Fault } from "../../parts/fault";
import { mended } from "../../parts/fault-text";
import { fault, forward, text, view, write } from "../../state/board";
import { editor } from "../../state/preferences";
import { ForwardPass } from "../forward-pass";
import { Gallery } from "./gallery";
import { PlainEditor } from "./plain-editor";
import { RichEditor } from "./rich-editor";

export function Write() {
  const id = useId();
  const rich = editor.value === "rich";
  const failure = fault.value;
  const Editor = rich ? RichEditor : PlainEditor;
  return (
    <div class="write">
      <section class="pane" aria-labelledby={id}>
        <div class="heading">
          <h1 id={id}>Forward pass</h1>
          <button type="button" class="quiet" onClick={() => (editor.value = rich ? "plain" : "rich")}>
            {rich ? "Plain text field" : "Editor with colours"}
          </button>
        </div>
        <Editor labelled={id} described={`${id}-state`} />
        <div id={`${id}-state`} role="status" class="reading-state">
          {failure ? (
            <Fault failure={failure} mend={(one) => write(mended(text.value, one))} />
          ) : (
            forward.value && (
              <p class="good">
                Shapes agree. {forward.value.objective} is the objective.
              </p>
            )
          )}
        </div>
        <Gallery />
      </section>
      <section class={`pane ${failure ? "stale" : ""}`} aria-label="Typeset">
        {forward.value && <ForwardPass of={forward.value} full sums />}
        {forward.value && !failure && (
          <p>
            <button type="button" class="main big" onClick={() => (view.value = "derive")}>
              Derive the gradients
            </button>
          </p>
        )}
      </section>
    </div>
  );
}
