import { en } from "./en.ts";

/** The catalogue in use. There is one language now; another is another object of the same shape. */
export const text = en;
export type { ErrorText } from "./en.ts";
