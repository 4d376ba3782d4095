import { computed, type ReadonlySignal, signal } from "@preact/signals-core";
import type { Roster, Tile } from "./roster.ts";

/** More faces than this are not recognised, and cost more than they give: the others are on further pages. */
export const TILES_PER_PAGE = 25;

export type LayoutMode = "grid" | "speaker";

/** Which pictures of others are received. */
export const SAVE_DATA = ["all", "pinned", "sound"] as const;

export type SaveData = (typeof SAVE_DATA)[number];

/** Where one's own picture lies over that of the only other one, on a phone. In the order in which it moves on. */
export const CORNERS = ["bottom-end", "bottom-start", "top-start", "top-end"] as const;

export type Corner = (typeof CORNERS)[number];

/** What is shown large, and what around it. */
export interface Arrangement {
  readonly stage: readonly Tile[];
  readonly tiles: readonly Tile[];
  readonly page: number;
  readonly pages: number;
  /** Whether it is oneself and one other, both in the grid. */
  readonly isOneToOne: boolean;
}

/**
 * Which tile is where. The order is stable: a newcomer is the last, and a speaker moves only from another page,
 * to the place of the one on this page who has been quiet for the longest time.
 */
export class Layout {
  readonly mode = signal<LayoutMode>("grid");
  /** The key of the tile that the user has pinned. */
  readonly pinned = signal<string | null>(null);
  readonly hideSelf = signal(false);
  readonly corner = signal<Corner>("bottom-end");
  readonly #page = signal(0);
  #order: readonly string[] = [];
  /** When (in rounds of arranging) each has last spoken. */
  readonly #spoke = new Map<string, number>();
  #round = 0;
  #speaker: string | null = null;
  readonly arrangement: ReadonlySignal<Arrangement>;

  readonly #perPage: number;
  readonly #saveData: ReadonlySignal<SaveData>;

  constructor(
    roster: ReadonlySignal<Roster>,
    saveData: ReadonlySignal<SaveData> = signal<SaveData>("all"),
    perPage = TILES_PER_PAGE,
  ) {
    this.#saveData = saveData;
    this.#perPage = perPage;
    this.arrangement = computed(() => this.#arrange(roster.value));
  }

  turn(pages: number): void {
    this.#page.value = this.arrangement.peek().page + pages;
  }

  pin(key: string): void {
    this.pinned.value = this.pinned.peek() === key ? null : key;
  }

  /** Moves one's own picture on. */
  moveSelf(): void {
    const next = (CORNERS.indexOf(this.corner.peek()) + 1) % CORNERS.length;
    this.corner.value = CORNERS[next] ?? "bottom-end";
  }

  #arrange({ participants, screenShares }: Roster): Arrangement {
    const shown = this.hideSelf.value ? participants.filter((tile) => !tile.isLocal) : participants;
    const byKey = new Map(shown.map((tile) => [tile.key, tile]));
    this.#listen(shown);
    const stage = this.#stage([...screenShares, ...shown], screenShares);
    const staged = new Set(stage.map(({ key }) => key));
    const known = this.#order.filter((key) => byKey.has(key));
    const order = [...known, ...[...byKey.keys()].filter((key) => !known.includes(key))];
    const pages = Math.max(1, Math.ceil((order.length - countOf(order, staged)) / this.#perPage));
    const page = Math.min(Math.max(this.#page.value, 0), pages - 1);
    this.#order = this.#withSpeakersOn(page, order, byKey, staged);
    const rest = this.#order.filter((key) => !staged.has(key));
    const keys = rest.slice(page * this.#perPage, (page + 1) * this.#perPage);
    const others = screenShares.filter(({ key }) => !staged.has(key));
    const tiles = [...others, ...keys.flatMap((key) => byKey.get(key) ?? [])];
    const isOneToOne = tiles.length === 2 && stage.length + others.length === 0 && tiles.some(({ isLocal }) => isLocal);
    const received = (each: readonly Tile[]) => each.map((tile) => this.#received(tile));
    return { stage: received(stage), tiles: received(tiles), page, pages, isOneToOne };
  }

  /** To save data, a picture is not shown: the media server sends none that nobody looks at. */
  #received(tile: Tile): Tile {
    const saveData = this.#saveData.value;
    if (saveData === "all" || tile.isLocal || (saveData === "pinned" && tile.key === this.pinned.value)) return tile;
    return { ...tile, video: null };
  }

  #listen(tiles: readonly Tile[]): void {
    this.#round += 1;
    for (const { key, speaking } of tiles) if (speaking) this.#spoke.set(key, this.#round);
    const speakers = tiles.filter(({ speaking, isLocal }) => speaking && !isLocal);
    // who goes on speaking stays large while another one begins
    if (speakers.length > 0 && !speakers.some(({ key }) => key === this.#speaker))
      this.#speaker = speakers[0]?.key ?? null;
    if (!tiles.some(({ key }) => key === this.#speaker)) this.#speaker = null;
  }

  #stage(all: readonly Tile[], screenShares: readonly Tile[]): readonly Tile[] {
    const pinned = all.find(({ key }) => key === this.pinned.value);
    if (pinned) return [pinned];
    // one's own screen is seen anyway, and in itself without end
    const shared = screenShares.filter(({ isLocal }) => !isLocal);
    if (shared.length > 0) return shared;
    if (this.mode.value === "grid") return [];
    const speaker = all.find(({ key }) => key === this.#speaker) ?? all.find(({ isLocal }) => !isLocal) ?? all[0];
    return speaker ? [speaker] : [];
  }

  /** Exchanges speakers of other pages for those of this page who have been quiet for the longest time. */
  #withSpeakersOn(
    page: number,
    order: readonly string[],
    byKey: ReadonlyMap<string, Tile>,
    staged: ReadonlySet<string>,
  ): readonly string[] {
    const arranged = [...order];
    const tileAt = (place: number) => byKey.get(order[place] ?? "");
    const places = arranged.flatMap((key, place) => (staged.has(key) ? [] : [place]));
    const here = places.slice(page * this.#perPage, (page + 1) * this.#perPage);
    // oneself has a fixed place: users know that they speak
    const others = places.filter((place) => !tileAt(place)?.isLocal);
    const away = others.filter((place) => !here.includes(place) && tileAt(place)?.speaking);
    const quiet = others
      .filter((place) => here.includes(place) && !tileAt(place)?.speaking)
      .sort((a, b) => this.#lastSpoke(arranged[a]) - this.#lastSpoke(arranged[b]) || b - a);
    for (const from of away) {
      const to = quiet.shift();
      if (to !== undefined) [arranged[from], arranged[to]] = [arranged[to] ?? "", arranged[from] ?? ""];
    }
    return arranged;
  }

  #lastSpoke(key: string | undefined): number {
    return this.#spoke.get(key ?? "") ?? 0;
  }
}

function countOf(keys: readonly string[], among: ReadonlySet<string>): number {
  return keys.filter((key) => among.has(key)).length;
}
