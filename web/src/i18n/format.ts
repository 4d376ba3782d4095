const WHEN = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const MEGABYTES = new Intl.NumberFormat(undefined, { style: "unit", unit: "megabyte", maximumFractionDigits: 1 });

/** A day and a time in the format of the browser's language. */
export function whenOf(date: Date): string {
  return WHEN.format(date);
}

/** A time of today. */
export function timeOf(date: Date): string {
  return TIME.format(date);
}

/** A duration as a player shows it: `0:07`, `12:34`, `1:02:03`. */
export function clockOf(durationS: number): string {
  const whole = Math.floor(durationS);
  const [hours, minutes, seconds] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const parts = hours > 0 ? [hours, twoDigits(minutes)] : [minutes];
  return [...parts, twoDigits(seconds)].join(":");
}

export function sizeOf(sizeBytes: number): string {
  return MEGABYTES.format(sizeBytes / 1_000_000);
}

function twoDigits(value: number): string {
  return String(value).padStart(2, "0");
}
