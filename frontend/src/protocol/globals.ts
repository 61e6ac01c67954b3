import type { Gallery, Lesson, PracticeItem } from "../types";

/** What `start.js` tells the page about where it runs. */
export interface Start {
  tier: "loopback" | "static" | "pyodide";
  version?: string;
  worker?: string;
  scorm?: boolean;
  gallery?: Gallery;
  lessons?: Record<string, Lesson>;
  train?: unknown;
  practice?: PracticeItem[];
}

declare global {
  interface Window {
    CHAINRULE?: Start;
    chainruleBoard?: Record<string, unknown>;
    chainruleScorm?: { score(right: number, total: number): void };
    trustedTypes?: {
      createPolicy(
        name: string,
        rules: { createHTML(text: string): string; createScriptURL(text: string): string },
      ): { createHTML(text: string): string; createScriptURL(text: string): string };
    };
  }
}

export const start: Start = (window.CHAINRULE ??= { tier: "static" });
