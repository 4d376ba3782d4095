/** How many names are read out; the rest is a number. */
const NAMES_MAX = 3;

/** Names as a sentence has them: “Ana, Ben and 17 others”. */
export function listOf(language: string, names: readonly string[], others: (count: number) => string): string {
  const list = new Intl.ListFormat(language, { type: "conjunction" });
  if (names.length <= NAMES_MAX) return list.format(names);
  return list.format([...names.slice(0, NAMES_MAX - 1), others(names.length - NAMES_MAX + 1)]);
}
