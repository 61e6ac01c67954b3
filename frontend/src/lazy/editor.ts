/** The editor of forward passes, in a shadow root: its style sheets are constructed, not inline. */
import { autocompletion, completionKeymap, type CompletionContext } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { EditorState, Text } from "@codemirror/state";
import { EditorView, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import type { Failure } from "../types";
import { mended } from "../parts/fault-text";
import { register } from "./register";

export interface EditorOptions {
  text: string;
  label: string;
  onChange(text: string): void;
  names(): string[];
}
export interface MountedEditor {
  setText(text: string): void;
  setFault(failure: Failure | null): void;
  /** Take the focus, with the caret behind so many characters. */
  focus(at: number): void;
  destroy(): void;
}
export interface EditorBundle {
  mount(host: HTMLElement, options: EditorOptions): MountedEditor;
}

const FUNCTIONS = [
  ...["sigmoid", "tanh", "relu", "exp", "log", "sqrt", "sum", "mean", "softmax", "max", "abs"],
  ...["gelu", "softplus", "layer_norm", "transpose", "ones", "zeros"],
];

const language = StreamLanguage.define<null>({
  token(stream) {
    if (stream.eatSpace()) return null;
    if (stream.match(/^#.*/)) return "comment";
    if (stream.match(/^(?:wrt|shapes?|function)\b/)) return "keyword";
    if (stream.match(/^\d+(?:\.\d+)?(?:e[+-]?\d+)?/)) return "number";
    if (stream.match(/^[^\W\d]\w*(?=\s*\()/u)) return "keyword";
    if (stream.match(/^[\p{L}_][\p{L}\p{N}_]*/u)) return "variableName";
    stream.next();
    return "operator";
  },
});

const colours = HighlightStyle.define([
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
  { tag: tags.keyword, color: "var(--accent)" },
  { tag: tags.number, color: "var(--ink)" },
  { tag: tags.operator, color: "var(--muted)" },
]);

const looks = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--paper)", fontSize: "1rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6" },
  ".cm-content": { padding: "0.6rem 0", minHeight: "12rem", caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)", borderLeftWidth: "2px" },
  ".cm-gutters": { backgroundColor: "var(--paper)", color: "var(--muted)", border: "none" },
  ".cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--tint) 45%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent" },
  ".cm-selectionBackground, &.cm-focused .cm-selectionBackground": { backgroundColor: "var(--tint)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--ink)", border: "1px solid var(--edge)" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent)", color: "var(--on-accent)" },
  ".cm-lintRange-error": {
    backgroundImage: "none", textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "0.25em",
  },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-diagnosticAction": { backgroundColor: "var(--accent)", color: "var(--on-accent)", borderRadius: "4px", padding: "0.2rem 0.6rem" },
});

function diagnostic(document: Text, failure: Failure, apply: (view: EditorView) => void): Diagnostic {
  const line = document.line(Math.min(Math.max(1, failure.line), document.lines));
  const from = Math.min(line.to, line.from + Math.max(0, failure.column - 1));
  const word = /^[\p{L}\p{N}_]+|^./u.exec(document.sliceString(from, line.to))?.[0].length ?? 0;
  const actions = failure.mend ? [{ name: failure.mend.label, apply }] : [];
  const whole = failure.column === 0 || word === 0;
  return {
    from: whole ? line.from : from,
    to: whole ? line.to : from + word,
    severity: "error",
    message: failure.message,
    actions,
  };
}

function mount(host: HTMLElement, options: EditorOptions): MountedEditor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  root.replaceChildren();
  const complete = (context: CompletionContext) => {
    const word = context.matchBefore(/[\p{L}_][\p{L}\p{N}_]*/u);
    if (!word || (word.from === word.to && !context.explicit)) return null;
    return {
      from: word.from,
      options: [
        ...options.names().map((label) => ({ label, type: "variable" })),
        ...FUNCTIONS.map((label) => ({ label, type: "function", apply: `${label}(` })),
      ],
    };
  };
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        lineNumbers(),
        history(),
        highlightActiveLine(),
        language,
        syntaxHighlighting(colours),
        autocompletion({ override: [complete], icons: false }),
        keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap]),
        EditorView.contentAttributes.of({ "aria-label": options.label, autocapitalize: "off", spellcheck: "false" }),
        EditorView.lineWrapping,
        looks,
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.onChange(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    setText(text) {
      const now = view.state.doc.toString();
      if (now !== text) view.dispatch({ changes: { from: 0, to: now.length, insert: text } });
    },
    setFault(failure) {
      const apply = () => options.onChange(mended(view.state.doc.toString(), failure!));
      const found = failure?.line ? [diagnostic(view.state.doc, failure, apply)] : [];
      view.dispatch(setDiagnostics(view.state, found));
    },
    focus(at) {
      view.focus();
      view.dispatch({ selection: { anchor: Math.min(at, view.state.doc.length) } });
    },
    destroy: () => view.destroy(),
  };
}

register("editor", { mount } satisfies EditorBundle);
