import { readdir, readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import { afterEach, expect, test } from "vitest";
import { ar } from "../src/i18n/ar/index.ts";
import { de } from "../src/i18n/de/index.ts";
import { type Catalogue, en } from "../src/i18n/en/index.ts";
import { es } from "../src/i18n/es/index.ts";
import { clockOf, sizeOf, whenOf } from "../src/i18n/format.ts";
import { fr } from "../src/i18n/fr/index.ts";
import { directionOf, language, languageOf, setLanguage, text } from "../src/i18n/index.ts";

const CATALOGUES: readonly [string, Catalogue][] = Object.entries({ en, es, fr, de, ar });
const SIZE_MAX_BYTES = 8000;

afterEach(() => setLanguage("en"));

/** All texts with their keys; those that take a value, with that value. */
function* textsOf(node: object, path = ""): Generator<[string, string]> {
  for (const [key, value] of Object.entries(node)) {
    if (typeof value === "string") yield [`${path}.${key}`, value];
    else if (typeof value === "object") yield* textsOf(value as object, `${path}.${key}`);
    else yield [`${path}.${key}`, spoken(value as (...values: unknown[]) => string)];
  }
}

function spoken(make: (...values: unknown[]) => string): string {
  for (const values of [["camera", "Desk"], [["Ana", "Ben", "Cleo", "Dan"]], [4, 4]]) {
    try {
      const made = make(...values);
      if (!made.includes("undefined")) return made;
    } catch {
      // it takes something else
    }
  }
  return "";
}

test.each(CATALOGUES)("%s has words for everything", (_name, catalogue) => {
  const keys = [...textsOf(catalogue)].filter(([, words]) => words.trim() === "");
  expect(keys).toEqual([]);
  expect([...textsOf(catalogue)].map(([key]) => key).sort()).toEqual([...textsOf(en)].map(([key]) => key).sort());
});

test.each(CATALOGUES)("%s is small", async (name) => {
  const folder = new URL(`../src/i18n/${name}/`, import.meta.url);
  const sources = (await readdir(folder)).map((file) => readFile(new URL(file, folder)));
  expect(gzipSync(Buffer.concat(await Promise.all(sources))).length).toBeLessThanOrEqual(SIZE_MAX_BYTES);
});

test.each([
  [["de-AT", "en"], "de"],
  [["", "fr-CA", "de"], "fr"],
  [["ar", "en-US"], "ar"],
  [["pt-BR", "es-MX", "en"], "es"],
  [["en-GB", "de"], "en"],
  [["tlh", "constructor", ""], "en"],
  [[], "en"],
])("of %s the page speaks %s", (wanted, chosen) => {
  expect(languageOf(wanted)).toBe(chosen);
});

test("names, counts, dates and sizes are those of the language", async () => {
  await setLanguage("de");
  expect(language).toBe("de");
  expect(text.controls.leave).toBe("Verlassen");
  expect(text.announce.joined(["Ana", "Ben", "Cleo", "Dan"])).toBe("Neu dabei: Ana, Ben und 2 weitere");
  expect(sizeOf(1_500_000)).toBe("1,5 MB");
  expect(whenOf(new Date(2026, 10, 28, 15, 4))).toContain("28.11.2026");
  await setLanguage("ar");
  expect(directionOf(language)).toBe("rtl");
  expect(clockOf(3723)).toMatch(/^\S+:\S{2}:\S{2}$/);
  await setLanguage("en");
  expect(clockOf(3723)).toBe("1:02:03");
  expect(directionOf(language)).toBe("ltr");
});
