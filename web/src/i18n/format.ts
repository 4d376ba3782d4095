import { language } from "./index.ts";

/** A formatter of the page's language, made once for it. */
function inLanguage<T>(make: (language: string) => T): () => T {
  let made: { readonly language: string; readonly format: T } | null = null;
  return () => {
    if (made?.language !== language) made = { language, format: make(language) };
    return made.format;
  };
}

const when = inLanguage((tag) => new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: "short" }));
const time = inLanguage((tag) => new Intl.DateTimeFormat(tag, { hour: "2-digit", minute: "2-digit" }));
const megabytes = inLanguage(
  (tag) => new Intl.NumberFormat(tag, { style: "unit", unit: "megabyte", maximumFractionDigits: 1 }),
);
const kilobytes = inLanguage(
  (tag) => new Intl.NumberFormat(tag, { style: "unit", unit: "kilobyte", maximumFractionDigits: 1 }),
);
const number = inLanguage((tag) => new Intl.NumberFormat(tag));
const twoDigits = inLanguage((tag) => new Intl.NumberFormat(tag, { minimumIntegerDigits: 2, useGrouping: false }));

/** A day and a time in the format of the page's language. */
export function whenOf(date: Date): string {
  return when().format(date);
}

/** A time of today. */
export function timeOf(date: Date): string {
  return time().format(date);
}

/** A duration as a player shows it: `0:07`, `12:34`, `1:02:03`. */
export function clockOf(durationS: number): string {
  const whole = Math.floor(durationS);
  const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const parts = hours > 0 ? [number().format(hours), twoDigits().format(minutes)] : [number().format(minutes)];
  return [...parts, twoDigits().format(seconds)].join(":");
}

export function sizeOf(sizeBytes: number): string {
  if (sizeBytes < 100_000) return kilobytes().format(sizeBytes / 1000);
  return megabytes().format(sizeBytes / 1_000_000);
}

export function countOf(count: number): string {
  return number().format(count);
}

/** A measured number; a dash where there is none. */
export function numberOf(value: number | null, digits = 0): string {
  return value === null ? "–" : new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}
