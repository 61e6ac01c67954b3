// Bundles the front end into src/chainrule/board/static. `node build.mjs --check` compares instead.
//
// Every bundle is a classic script: `<script type="module">` and `fetch` do not work for pages
// opened from the file system, and an exported board must.
import { build } from "esbuild";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "../src/chainrule/board/static");

const bundles = {
  board: "src/main.tsx",
  editor: "src/lazy/editor.ts",
  layout: "src/lazy/layout.ts",
  curves: "src/lazy/curves.ts",
};

async function bundled() {
  const files = new Map();
  const result = await build({
    absWorkingDir: here,
    entryPoints: { ...bundles, style: "src/style/board.css" },
    outdir: "out",
    write: false,
    bundle: true,
    minify: true,
    format: "iife",
    target: ["es2022", "chrome109", "firefox110", "safari16.4"],
    jsx: "automatic",
    jsxImportSource: "preact",
    loader: { ".woff2": "file" },
    external: ["*.woff2"],
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
  });
  for (const file of result.outputFiles) {
    const name = file.path.slice(file.path.lastIndexOf("/") + 1);
    files.set(name === "style.css" ? "board.css" : name, Buffer.from(file.contents));
  }
  files.set("index.html", await readFile(join(here, "src/index.html")));
  files.set("icon.svg", await readFile(join(here, "src/icon.svg")));
  files.set("stix-two-math.woff2", await readFile(join(here, "fonts/stix-two-math.woff2")));
  files.set("licences.txt", Buffer.from(await licences()));
  return files;
}

/** The licences of everything that a bundle or the font contains. */
async function licences() {
  const lock = JSON.parse(await readFile(join(here, "package-lock.json"), "utf8"));
  const shipped = Object.entries(lock.packages)
    .filter(([path, entry]) => path && (!entry.dev || path.endsWith("stix-two-math")))
    .map(([path, entry]) => [path, entry.version])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const parts = [];
  for (const [path, version] of shipped) {
    const folder = join(here, path);
    const name = (await readdir(folder)).find((file) => /^licen[cs]e/i.test(file));
    const text = name ? (await readFile(join(folder, name), "utf8")).trim() : "";
    parts.push(`${path.replace(/^node_modules\//, "")} ${version}\n\n${text}\n`);
  }
  return parts.join(`\n${"-".repeat(79)}\n\n`);
}

const files = await bundled();
if (process.argv.includes("--check")) {
  const stale = [];
  const present = new Set(await readdir(target).catch(() => []));
  for (const [name, contents] of files) {
    const old = present.has(name) ? await readFile(join(target, name)) : Buffer.alloc(0);
    if (!contents.equals(old)) stale.push(name);
    present.delete(name);
  }
  stale.push(...present);
  if (stale.length) {
    console.error(`src/chainrule/board/static differs from its sources: ${stale.join(", ")}.`);
    console.error("Run `make board` and commit the result.");
    process.exit(1);
  }
  console.log("src/chainrule/board/static is what its sources build.");
} else {
  await rm(target, { recursive: true, force: true });
  await mkdir(target, { recursive: true });
  for (const [name, contents] of files) await writeFile(join(target, name), contents);
  for (const [name, contents] of files) console.log(`${name} ${contents.length}`);
}
