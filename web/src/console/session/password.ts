/** What the server wants at least. */
export const SHORTEST_PASSWORD = 12;

export function isLongEnough(password: string): boolean {
  return [...password].length >= SHORTEST_PASSWORD;
}
