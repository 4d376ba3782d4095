import { signal } from "@preact/signals-core";

export const SECTIONS = ["rooms", "recordings", "insight", "health", "settings"] as const;
export type Section = (typeof SECTIONS)[number];

/** Where the user is: a section, and what of it: a room's name, a part of the settings. */
export interface Route {
  readonly section: Section;
  readonly item: string | null;
}

/** The address after `#`, so that Back and Forward work and a screen can be linked to. */
export class Router {
  readonly route = signal<Route>({ section: "rooms", item: null });
  readonly #location: Pick<Location, "hash">;

  constructor(location: Pick<Location, "hash">, changes: Pick<Window, "addEventListener">) {
    this.#location = location;
    this.route.value = routeOf(location.hash);
    changes.addEventListener("hashchange", () => {
      this.route.value = routeOf(location.hash);
    });
  }

  go(section: Section, item?: string): void {
    this.#location.hash = hrefOf(section, item);
  }
}

export function hrefOf(section: Section, item?: string): string {
  return item === undefined ? `#/${section}` : `#/${section}/${encodeURIComponent(item)}`;
}

export function routeOf(hash: string): Route {
  const [, name = "", item = ""] = hash.split("/");
  const section = SECTIONS.find((one) => one === name) ?? "rooms";
  return { section, item: decoded(item) || null };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return "";
  }
}
