// Finds keys of the catalogue that no view uses. (A key that a language lacks is found by its type.)
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformWithOxc } from "vite";

const SOURCES = join(dirname(fileURLToPath(import.meta.url)), "..", "src");

/** Each catalogue, and the folder whose code uses it. */
const CATALOGUES = [
  { folder: "i18n/en", uses: (name) => !/^(i18n|reference|console)/.test(name) },
  { folder: "console/i18n", uses: (name) => /^console\/(?!i18n)/.test(name) },
];

async function catalogue(words) {
  const folder = join(SOURCES, words);
  const names = (await readdir(folder)).sort((one) => (one === "index.ts" || one === "en.ts" ? 1 : -1)); // those use the others
  const files = names
    .filter((name) => name !== "format.ts" && (name !== "index.ts" || words === "i18n/en"))
    .map(async (name) => {
      const path = join(folder, name);
      return (await transformWithOxc(await readFile(path, "utf8"), path)).code;
    });
  const alone = (await Promise.all(files)).join("\n").replace(/^import .*$/gm, "");
  return (await import(`data:text/javascript,${encodeURIComponent(alone)}`)).en;
}

async function views(uses) {
  const names = await readdir(SOURCES, { recursive: true });
  const read = names.filter((name) => /\.tsx?$/.test(name) && uses(name));
  return (await Promise.all(read.map((name) => readFile(join(SOURCES, name), "utf8")))).join("\n");
}

function* keysOf(node, path = []) {
  for (const [key, value] of Object.entries(node)) {
    if (typeof value === "object") yield* keysOf(value, [...path, key]);
    else yield [...path, key];
  }
}

/** Used by its name, or as one of a table whose name is used with an index: `text.errors[cause]`. */
function isUsed([...path], code) {
  const key = path.pop();
  if (new RegExp(`\\.${escaped(key)}\\b`).test(code)) return true;
  return path.some((table) => new RegExp(`\\b${table}(\\[|\\))`).test(code)) || /Of$/.test(key);
}

function escaped(key) {
  return key.replaceAll(/[^\w]/g, "\\$&");
}

for (const { folder, uses } of CATALOGUES) {
  const code = await views(uses);
  for (const path of keysOf(await catalogue(folder))) {
    if (isUsed(path, code)) continue;
    process.stderr.write(`src/${folder}: no view uses ${path.join(".")}\n`);
    process.exitCode = 1;
  }
}
