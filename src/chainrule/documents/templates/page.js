"use strict";
{
  const fitAll = () => fitFormulas(document);
  let waiting = 0;
  addEventListener("resize", () => { cancelAnimationFrame(waiting); waiting = requestAnimationFrame(fitAll); });
  addEventListener("load", fitAll);
}
// Without this script the page is complete: every step is visible. It only adds the classroom.
(() => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const make = (tag, props = {}, ...children) => {
    const node = Object.assign(document.createElement(tag), props);
    node.append(...children);
    return node;
  };
  const spoken = (node) => {
    const math = node.querySelector("math");
    return (math && (math.getAttribute("alttext") || math.getAttribute("aria-label"))) || node.textContent.trim();
  };
  const visible = (node) => node.getClientRects().length > 0;

  class Derivation {
    constructor(root) {
      this.root = root;
      this.steps = [...root.querySelectorAll(".step")];
      // One stop for a question, one for what answers it.
      this.stops = this.steps.flatMap((step) =>
        step.querySelector(".question") && step.querySelector(".answer")
          ? [{ step, part: "question" }, { step, part: "answer" }]
          : [{ step, part: "answer" }]);
      this.at = this.stops.length;
      this.stepping = false;
      this.build();
      this.show();
    }

    build() {
      const button = (text, act, props = {}) => {
        const node = make("button", { type: "button", textContent: text, ...props });
        node.addEventListener("click", () => { recent = this; act(); });
        return node;
      };
      this.start = button("Start: reveal step by step", () => this.begin(), { className: "main" });
      this.back = button("← Back", () => this.move(-1));
      this.next = button("Next →", () => this.move(1), { className: "main" });
      this.all = button("Show all", () => this.end());
      this.toggles = {};
      const layers = { why: "Reasons", shapes: "Shapes", numbers: "Numbers" };
      for (const [name, text] of Object.entries(layers)) {
        if (!this.root.querySelector("." + name)) continue;
        this.toggles[name] = button(text, () => this.toggle(name));
        this.toggles[name].setAttribute("aria-pressed", "true");
      }
      this.count = make("span", { className: "count" });
      this.keys = make("p", { className: "keys" });
      const keys = { "Space →": "next", "←": "back", End: "all" };
      for (const name in this.toggles) keys[{ why: "?", shapes: "s", numbers: "n" }[name]] = layers[name].toLowerCase();
      if (this.root.querySelector(".sym")) keys["↑ ↓"] = "symbols";
      for (const [names, does] of Object.entries(keys))
        this.keys.append(...names.split(" ").map((name) => make("kbd", { textContent: name })), " " + does + "  ");
      this.live = make("div", { className: "live" });
      this.live.setAttribute("aria-live", "polite");
      const bar = make("div", { className: "toolbar" }, this.start, this.back, this.next, this.all,
        ...Object.values(this.toggles), this.count, this.keys);
      bar.setAttribute("role", "toolbar");
      bar.setAttribute("aria-label", "Reveal the derivation");
      this.root.prepend(bar, this.live);
    }

    begin() { this.stepping = true; this.at = 1; this.show(); this.next.focus(); this.say(); }

    end() {
      this.stepping = false;
      this.at = this.stops.length;
      this.show();
      this.start.focus();
      this.live.textContent = "All " + this.steps.length + " steps are shown.";
    }

    move(by) {
      if (!this.stepping) return this.begin();
      const to = Math.min(this.stops.length, Math.max(1, this.at + by));
      if (to === this.at) return this.say(by > 0 ? "This is the last step. " : "This is the first step. ");
      this.at = to;
      this.show();
      this.say();
      this.stops[to - 1].step.scrollIntoView({ block: "nearest", behavior: calm ? "auto" : "smooth" });
    }

    say(prefix = "") {
      const { step, part } = this.stops[this.at - 1];
      const node = step.querySelector("." + part) || step;
      const number = this.steps.indexOf(step) + 1;
      const why = part === "answer" && !this.root.classList.contains("no-why") && step.querySelector(".why");
      this.live.textContent = prefix + "Step " + number + " of " + this.steps.length + ", " + part + ": "
        + spoken(node) + (why ? ". " + why.textContent.trim() : "");
    }

    toggle(name) {
      if (!this.toggles[name]) return;
      const off = this.root.classList.toggle("no-" + name);
      this.toggles[name].setAttribute("aria-pressed", String(!off));
      this.live.textContent = this.toggles[name].textContent + (off ? " hidden" : " shown");
    }

    show() {
      const seen = this.stops.slice(0, this.at);
      const last = this.stops[this.at - 1];
      for (const step of this.steps) {
        const parts = seen.filter((stop) => stop.step === step).map((stop) => stop.part);
        const answered = parts.includes("answer");
        step.classList.toggle("concealed", parts.length === 0);
        step.classList.toggle("current", this.stepping && last.step === step);
        for (const child of step.children)
          child.classList.toggle("concealed", !answered && !child.classList.contains("question"));
      }
      // What stands around the steps would give the answer away.
      for (const heading of this.root.querySelectorAll("h3")) {
        const list = heading.nextElementSibling;
        if (list && list.matches(".steps"))
          heading.classList.toggle("concealed", !list.querySelector(".step:not(.concealed)"));
      }
      for (const node of this.root.querySelectorAll(".gradients"))
        node.classList.toggle("concealed", this.at < this.stops.length);
      for (const node of [this.back, this.next, this.all, this.count, this.keys]) node.hidden = !this.stepping;
      this.start.hidden = this.stepping;
      if (this.stepping) {
        // A disabled button would lose the focus, so it only says so.
        this.back.setAttribute("aria-disabled", String(this.at === 1));
        this.next.setAttribute("aria-disabled", String(this.at === this.stops.length));
        this.count.textContent = "step " + (this.steps.indexOf(last.step) + 1) + " of " + this.steps.length;
      }
    }
  }

  let recent = null;
  const derivations = [...document.querySelectorAll(".derivation[data-reveal]")]
    .filter((root) => root.querySelector(".step")).map((root) => new Derivation(root));
  const owner = (node) => derivations.find((derivation) => derivation.root.contains(node));

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const focus = document.activeElement;
    if (focus && focus.matches("input, textarea, select, [contenteditable]")) return;
    const inside = owner(focus);
    const nowhere = !focus || focus === document.body || focus.id === "main";
    const derivation = inside || (nowhere && recent && recent.stepping ? recent : null);
    if (!derivation) return;
    const onButton = focus && focus.matches("button, summary, a");
    const acts = {
      "?": () => derivation.toggle("why"),
      s: () => derivation.toggle("shapes"),
      n: () => derivation.toggle("numbers"),
    };
    if (derivation.stepping) Object.assign(acts, {
      ArrowRight: () => derivation.move(1),
      j: () => derivation.move(1),
      ArrowLeft: () => derivation.move(-1),
      k: () => derivation.move(-1),
      End: () => derivation.end(),
    }, onButton ? {} : { " ": () => derivation.move(event.shiftKey ? -1 : 1) });
    if (inside) Object.assign(acts, {
      ArrowDown: () => walk(derivation, 1),
      ArrowUp: () => walk(derivation, -1),
    });
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    recent = derivation;
    act();
  });

  // Symbols: one of them is reached with Tab, the arrows up and down walk on.
  const tip = make("div", { className: "tip", id: "symbol-tip", hidden: true });
  tip.setAttribute("role", "tooltip");
  document.body.append(tip);
  let shown = null;

  for (const symbol of document.querySelectorAll(".sym")) {
    symbol.dataset.title = symbol.getAttribute("title") || "";
    symbol.removeAttribute("title"); // else the browser shows a second tooltip
  }
  for (const { root } of derivations) root.querySelector(".sym")?.setAttribute("tabindex", "0");

  function walk(derivation, by) {
    const symbols = [...derivation.root.querySelectorAll(".sym")].filter(visible);
    if (!symbols.length) return;
    const here = symbols.indexOf(document.activeElement);
    const to = symbols[Math.min(symbols.length - 1, Math.max(0, here < 0 ? 0 : here + by))];
    derivation.root.querySelectorAll('.sym[tabindex="0"]').forEach((node) => node.setAttribute("tabindex", "-1"));
    to.setAttribute("tabindex", "0");
    to.focus();
  }

  function openTip(symbol) {
    closeTip();
    const { title, shape, definition, symbol: name } = symbol.dataset;
    const lines = [shape && "shape " + shape, definition].filter(Boolean);
    if (!title && !lines.length) return;
    tip.replaceChildren(make("b", { textContent: title.split(":")[0] || name }), ...lines.map((text) => make("div", { textContent: text })));
    tip.hidden = false;
    const box = symbol.getBoundingClientRect();
    const left = Math.min(box.left, document.documentElement.clientWidth - tip.offsetWidth - 8);
    const above = box.top - tip.offsetHeight - 8;
    tip.style.left = scrollX + Math.max(8, left) + "px";
    tip.style.top = scrollY + (above > 0 ? above : box.bottom + 8) + "px";
    symbol.setAttribute("aria-describedby", tip.id);
    shown = symbol;
    const scope = symbol.closest(".derivation") || document;
    for (const other of scope.querySelectorAll(".sym"))
      if (other.dataset.symbol === name) other.classList.add("same");
  }

  function closeTip() {
    if (!shown) return;
    shown.removeAttribute("aria-describedby");
    document.querySelectorAll(".sym.same").forEach((node) => node.classList.remove("same"));
    tip.hidden = true;
    shown = null;
  }

  const symbolOf = (event) => event.target.closest && event.target.closest(".sym");
  document.addEventListener("pointerover", (event) => { const s = symbolOf(event); if (s) openTip(s); });
  document.addEventListener("pointerout", (event) => { if (symbolOf(event)) closeTip(); });
  document.addEventListener("focusin", (event) => { const s = symbolOf(event); if (s) openTip(s); else closeTip(); });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") closeTip(); });

  // Where the reader is, in the contents.
  const links = new Map([...document.querySelectorAll(".contents a")].map((a) => [a.hash.slice(1), a]));
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting) {
      links.forEach((a) => a.removeAttribute("aria-current"));
      links.get(entry.target.id)?.setAttribute("aria-current", "true");
    }
  }, { rootMargin: "-15% 0px -75% 0px" });
  document.querySelectorAll("main > section").forEach((section) => watcher.observe(section));

  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((node) => { node.open = true; }));
})();
