/** The API's limit for a participant's name. */
export const NAME_LENGTH_MAX = 128;

const NUMBERED = /^(.+) \((\d{1,3})\)$/u;

/** A name that may be free where this one is taken: "Ana (2)" after "Ana", "Ana (3)" after "Ana (2)". */
export function nextName(taken: string): string {
  const [, base = taken, number = "1"] = NUMBERED.exec(taken) ?? [];
  const suffix = ` (${Number(number) + 1})`;
  // a surrogate pair is not cut in two
  const shortened = [...base]
    .slice(0, NAME_LENGTH_MAX - suffix.length)
    .join("")
    .trimEnd();
  return shortened + suffix;
}
