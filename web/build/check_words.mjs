// Finds keys of the catalogue that no view uses. (A key that a language lacks is found by its type.)
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { transformWithOxc } from "vite";

const SOURCES = join(dirname(fileURLToPath(import.meta.url)), "..", "src");

async function catalogue() {
  const folder = join(SOURCES, "i18n", "en");
  const names = (await readdir(folder)).sort((one) => (one === "index.ts" ? 1 : -1)); // the index uses the others
  const files = names.map(async (name) => {
    const path = join(folder, name);
    return (await transformWithOxc(await readFile(path, "utf8"), path)).code;
  });
  const alone = (await Promise.all(files)).join("\n").replace(/^import .*$/gm, "");
  return (await import(`data:text/javascript,${encodeURIComponent(alone)}`)).en;
}

async function views() {
  const names = await readdir(SOURCES, { recursive: true });
  const read = names.filter(
    (name) => /\.tsx?$/.test(name) && !name.startsWith("i18n") && !name.startsWith("reference"),
  );
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

const code = await views();
const unused = [...keysOf(await catalogue())].filter((path) => !isUsed(path, code));
for (const path of unused) process.stderr.write(`src/i18n/en: no view uses ${path.join(".")}\n`);
process.exitCode = unused.length > 0 ? 1 : 0;
