"use strict";
// One key, one reveal. Without this script the deck is one long page with everything on it.
(() => {
  const slides = [...document.querySelectorAll(".slide")];
  const forms = ["both", "index", "matrix"];
  const state = { form: 0, at: 0 };
  const get = (id) => document.getElementById(id);
  const body = document.body;

  // A slide with a question has two stops: asked, and answered.
  const stops = () => slides
    .filter((slide) => forms[state.form] === "both" || slide.dataset.forms.split(" ").includes(forms[state.form]))
    .flatMap((slide) => slide.querySelector(".question") ? [[slide, true], [slide, false]] : [[slide, false]]);

  const show = (to, remember = true) => {
    const all = stops();
    state.at = Math.min(all.length - 1, Math.max(0, to));
    const [slide, asking] = all[state.at];
    for (const other of slides) other.classList.toggle("shown", other === slide);
    slide.classList.toggle("asking", asking);
    const seen = [...new Set(all.map(([one]) => one))];
    get("count").textContent = `${seen.indexOf(slide) + 1} / ${seen.length}`;
    body.style.setProperty("--done", `${(100 * state.at) / Math.max(1, all.length - 1)}%`);
    const shown = ["why", "shapes", "numbers"].filter((name) => !body.classList.contains(`no-${name}`));
    const words = { why: "reasons", shapes: "shapes", numbers: "numbers" };
    get("state").textContent = [`${forms[state.form]} form${state.form ? "" : "s"}`, ...shown.map((name) => words[name]),
      ...(body.classList.contains("blank") ? ["prints blank"] : [])].join(" · ");
    if (remember) history.replaceState(null, "", `#${state.at + 1}`);
    for (const form of forms) body.classList.toggle(`form-${form}`, form === forms[state.form]);
    scrollTo(0, 0);
    fitSlide(slide);
  };

  // A slide that is too high or too wide gets smaller, down to a size that can still be read.
  const fitSlide = (slide) => {
    slide.style.fontSize = "";
    fitFormulas(slide);
    const full = parseFloat(getComputedStyle(slide).fontSize);
    const room = () => innerHeight - document.querySelector(".bar").offsetHeight + 1;
    const large = () => slide.scrollWidth > slide.clientWidth + 1 || slide.scrollHeight > room();
    for (let size = 0.95; size > 0.5 && large(); size -= 0.05) {
      slide.style.fontSize = `${Math.max(12, size * full)}px`;
      fitFormulas(slide);
    }
  };
  addEventListener("resize", () => fitSlide(document.querySelector(".slide.shown")));

  const toggle = (name) => { body.classList.toggle(name); show(state.at); };
  const turn = () => {
    const here = stops()[state.at][0];
    state.form = (state.form + 1) % forms.length;
    // Stay where the lecture is: the same slide, or the nearest before it that this form has.
    const all = stops();
    const place = slides.indexOf(here);
    const found = all.findLastIndex(([slide]) => slides.indexOf(slide) <= place);
    show(found < 0 ? 0 : found);
  };
  const help = () => {
    get("keys").hidden = !get("keys").hidden;
    get("help").setAttribute("aria-expanded", String(!get("keys").hidden));
  };
  const full = () => document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen?.();

  const keys = {
    " ": () => show(state.at + 1), ArrowRight: () => show(state.at + 1), PageDown: () => show(state.at + 1),
    ArrowLeft: () => show(state.at - 1), PageUp: () => show(state.at - 1), Backspace: () => show(state.at - 1),
    Home: () => show(0), End: () => show(Infinity),
    "?": () => toggle("no-why"), s: () => toggle("no-shapes"), n: () => toggle("no-numbers"),
    i: turn, b: () => toggle("blank"), p: () => print(), f: full, h: help, Escape: () => { if (!get("keys").hidden) help(); },
  };
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === " " && event.target.closest?.("button")) return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
  get("next").addEventListener("click", () => show(state.at + 1));
  get("back").addEventListener("click", () => show(state.at - 1));
  get("help").addEventListener("click", help);
  addEventListener("hashchange", () => show(Number(location.hash.slice(1)) - 1 || 0, false));

  body.classList.add("on");
  document.querySelector(".bar").hidden = false;
  show(Number(location.hash.slice(1)) - 1 || 0, false);
})();
