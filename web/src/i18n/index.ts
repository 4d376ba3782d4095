import { type Catalogue, en } from "./en/index.ts";

export type { Catalogue, ErrorText } from "./en/index.ts";

/** The languages besides English. Each is a file of its own, which only its readers load. */
const OTHERS: Readonly<Record<string, () => Promise<Catalogue>>> = {
  es: async () => (await import("./es/index.ts")).es,
  fr: async () => (await import("./fr/index.ts")).fr,
  de: async () => (await import("./de/index.ts")).de,
  ar: async () => (await import("./ar/index.ts")).ar,
};

const RIGHT_TO_LEFT: ReadonlySet<string> = new Set(["ar"]);

/** The catalogue in use, and its language for dates and numbers. Both change once, before anything is shown. */
export let text: Catalogue = en;
export let language = "en";

/**
 * The first language that we have: that of the link (`?lang=de`), then those of the browser.
 * @param wanted language tags, the most wanted first
 */
export function languageOf(wanted: readonly string[]): string {
  for (const tag of wanted) {
    const [primary = ""] = tag.toLowerCase().split("-");
    if (primary === "en" || Object.hasOwn(OTHERS, primary)) return primary;
  }
  return "en";
}

/** Loads a language. Without it (a network that fails) the page is in English. */
export async function setLanguage(chosen: string): Promise<void> {
  const loaded = await OTHERS[chosen]?.().catch(() => null);
  text = loaded ?? en;
  language = loaded ? chosen : "en";
}

export function directionOf(chosen: string): "ltr" | "rtl" {
  return RIGHT_TO_LEFT.has(chosen) ? "rtl" : "ltr";
}
