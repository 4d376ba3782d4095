import { type ReadonlySignal, signal } from "@preact/signals-core";
import { type Refusal, refusalFrom } from "../api/refusal.ts";
import type { Page } from "../api/types.ts";

/** How many rows are on a page of a list. */
export const PAGE_ITEMS = 50;
/** How long a user has not typed before the server is asked. */
const TYPING_MS = 200;

export interface Asked<Filter> {
  readonly filter: Filter;
  readonly after: string | null;
}

type Load<Item, Filter> = (asked: Asked<Filter>) => Promise<Page<Item>>;

/**
 * One page of a list that the server searches and sorts, of whatever length; and which of its items are selected.
 * Only the newest question counts: an answer to an older one is dropped.
 */
export class PagedList<Item, Filter extends object> {
  readonly items = signal<readonly Item[]>([]);
  /** Whether the server was asked and has not answered. The items are those of before. */
  readonly loading = signal(false);
  /** Whether there was an answer yet. */
  readonly loaded = signal(false);
  readonly refusal = signal<Refusal | null>(null);
  readonly selected = signal<ReadonlySet<string>>(new Set());
  readonly filter;
  readonly hasNext = signal(false);
  readonly pageNumber = signal(1);
  readonly #load: Load<Item, Filter>;
  readonly #keyOf: (item: Item) => string;
  /** The tokens of the pages before this one, and of this one. */
  #tokens: (string | null)[] = [null];
  #next: string | null = null;
  #question = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(load: Load<Item, Filter>, keyOf: (item: Item) => string, filter: Filter) {
    this.#load = load;
    this.#keyOf = keyOf;
    this.filter = signal(filter);
  }

  /** Asks for this page again. */
  async refresh(): Promise<void> {
    clearTimeout(this.#timer);
    const question = ++this.#question;
    this.loading.value = true;
    try {
      const after = this.#tokens.at(-1) ?? null;
      const page = await this.#load({ filter: this.filter.value, after });
      if (question !== this.#question) return;
      if (page.items.length === 0 && this.#tokens.length > 1) {
        // the last of this page is gone
        this.#tokens.pop();
        await this.refresh();
        return;
      }
      this.#show(page);
    } catch (error) {
      if (question === this.#question) this.refusal.value = refusalFrom(error);
    } finally {
      if (question === this.#question) this.loading.value = false;
    }
  }

  /** Searches or sorts otherwise, from the first page on. */
  async change(changed: Partial<Filter>): Promise<void> {
    this.#ask(changed);
    await this.refresh();
  }

  /** As `change`, once the user has stopped typing. */
  changeSoon(changed: Partial<Filter>): void {
    this.#ask(changed);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.refresh(), TYPING_MS);
  }

  async next(): Promise<void> {
    if (this.#next === null) return;
    this.#tokens.push(this.#next);
    this.selected.value = new Set();
    await this.refresh();
  }

  async previous(): Promise<void> {
    if (this.#tokens.length < 2) return;
    this.#tokens.pop();
    this.selected.value = new Set();
    await this.refresh();
  }

  select(key: string, on: boolean): void {
    const keys = new Set(this.selected.value);
    if (on) keys.add(key);
    else keys.delete(key);
    this.selected.value = keys;
  }

  selectAll(on: boolean): void {
    this.selected.value = new Set(on ? this.items.value.map(this.#keyOf) : []);
  }

  /** Puts a newer state of an item in its place. */
  replace(item: Item): void {
    const key = this.#keyOf(item);
    this.items.value = this.items.value.map((one) => (this.#keyOf(one) === key ? item : one));
  }

  has(key: string): boolean {
    return this.items.value.some((one) => this.#keyOf(one) === key);
  }

  #ask(changed: Partial<Filter>): void {
    this.filter.value = { ...this.filter.value, ...changed };
    this.#tokens = [null];
    this.selected.value = new Set();
  }

  #show(page: Page<Item>): void {
    this.items.value = page.items;
    this.#next = page.next;
    this.hasNext.value = page.next !== null;
    this.pageNumber.value = this.#tokens.length;
    this.refusal.value = null;
    this.loaded.value = true;
    const there = new Set(page.items.map(this.#keyOf));
    this.selected.value = new Set([...this.selected.value].filter((key) => there.has(key)));
  }
}

/** What a view needs to turn the pages. */
export interface Pages {
  readonly hasNext: ReadonlySignal<boolean>;
  readonly pageNumber: ReadonlySignal<number>;
  next(): Promise<void>;
  previous(): Promise<void>;
}
