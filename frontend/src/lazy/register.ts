import "../protocol/globals";

/** Lazy bundles are classic scripts: each leaves its exports under its name. */
export function register(name: string, bundle: unknown): void {
  (window.chainruleBoard ??= {})[name] = bundle;
}
