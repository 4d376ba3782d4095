import { type ConsoleWords, en } from "./en.ts";

export type { ConsoleWords } from "./en.ts";

/** The words in use. Another language is one more file and one more line here. */
export const text: ConsoleWords = en;
