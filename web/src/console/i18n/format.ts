import { language } from "../../i18n/index.ts";

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;
const DAY_S = 86_400;

/** A number of bytes in the unit that suits it. */
export function bytesOf(bytes: number): string {
  const step = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const digits = { style: "unit", unit: UNITS[step] ?? "byte", maximumSignificantDigits: 3 } as const;
  return new Intl.NumberFormat(language, digits).format(bytes / 1000 ** step);
}

/** A day, with the year only where it is another one; with the time where it is near. */
export function dayOf(ms: number, now: number = Date.now()): string {
  const date = new Date(ms);
  const isNear = Math.abs(ms - now) < DAY_S * 1000 * 2;
  const sameYear = date.getFullYear() === new Date(now).getFullYear();
  return new Intl.DateTimeFormat(language, {
    day: "numeric",
    month: "short",
    ...(!sameYear && { year: "numeric" }),
    ...(isNear && { hour: "2-digit", minute: "2-digit" }),
  }).format(date);
}

export function numberOf(value: number, digits = 0): string {
  return new Intl.NumberFormat(language, { maximumFractionDigits: digits }).format(value);
}
