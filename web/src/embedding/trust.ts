/** What a page around this one may do. */
export interface Trust {
  /** Whether it is told anything, and may control its own user's part. */
  readonly isAllowed: boolean;
  /** Whether it may do what concerns others: remove, mute, end, record. Only for those that the server names. */
  readonly isNamed: boolean;
}

/**
 * @param origin of the page around, as the browser says
 * @param allowed the server's list: origins as in a content security policy, or `*`
 */
export function trustIn(origin: string, allowed: readonly string[], own: string): Trust {
  const isNamed = origin === own || allowed.some((one) => one !== "*" && matches(origin, one));
  return { isNamed, isAllowed: isNamed || allowed.includes("*") };
}

/** An origin, or `https://*.example.org` for all below a name (Content Security Policy, section 6.7.2). */
function matches(origin: string, allowed: string): boolean {
  const [start, end] = allowed.split("://*.");
  if (end === undefined) return URL.canParse(allowed) && new URL(allowed).origin === origin;
  return origin.startsWith(`${start}://`) && origin.endsWith(`.${end}`);
}

/** Asks the server which origins may embed it. Without an answer nobody may. */
export async function allowedOrigins(request: typeof fetch): Promise<readonly string[]> {
  try {
    const answer: unknown = await (await request("/meet/v1/origins.json")).json();
    const { origins } = answer as { readonly origins?: unknown };
    return Array.isArray(origins) ? origins.filter((one) => typeof one === "string") : [];
  } catch {
    return [];
  }
}
