/**
 * The one place where strings become markup or script addresses (Trusted Types policy `chainrule`).
 *
 * Markup is MathML of chainrule's own typesetter; anything else is refused, not repaired.
 */
import "./globals";

const FOREIGN = /<(?!\/?(?:math|m[a-z]+)[\s>/])|\s(?:on\w+|href|src)\s*=/i;
const SCRIPT = /^(?:static|data)\/[\w.-]+\.js$|^[\w-]+\.js$/;

const rules = {
  createHTML(text: string): string {
    if (FOREIGN.test(text)) throw new TypeError("Markup other than MathML was refused.");
    return text;
  },
  createScriptURL(text: string): string {
    if (!SCRIPT.test(text)) throw new TypeError(`The script ${text} is not part of the board.`);
    return text;
  },
};
const policy = window.trustedTypes?.createPolicy("chainrule", rules) ?? rules;

/** Parse a complete `<math>` element. */
export function parseMath(markup: string): MathMLElement {
  const template = document.createElement("template");
  // Attributes that a strict policy refuses, or that would put the focus inside a formula.
  template.innerHTML = policy.createHTML(markup.replace(/ (?:style|title|tabindex)="[^"]*"/g, ""));
  return template.content.firstElementChild as MathMLElement;
}

const loading = new Map<string, Promise<void>>();

/** Load a classic script of the board once; `fetch` and modules do not work in local files. */
export function loadScript(address: string): Promise<void> {
  let loaded = loading.get(address);
  if (!loaded) {
    loaded = new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = policy.createScriptURL(address);
      script.onload = () => resolve();
      script.onerror = () => {
        loading.delete(address);
        reject(new Error(`${address} could not be loaded. Reload the page.`));
      };
      document.head.append(script);
    });
    loading.set(address, loaded);
  }
  return loaded;
}

/** Load a lazy bundle and return what it registers under its name. */
export async function loadBundle<T>(name: string): Promise<T> {
  await loadScript(`static/${name}.js`);
  return window.chainruleBoard![name] as T;
}

export function startWorker(address: string): Worker {
  return new Worker(policy.createScriptURL(address), { type: "module" });
}
