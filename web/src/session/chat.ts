import { type ReadonlySignal, type Signal, signal } from "@preact/signals-core";

export type MessageState = "sending" | "sent" | "failed";

/** A file of the chat, which goes to those who are there. */
export interface ChatFile {
  /** Made harmless: what a sender calls it may be any text. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Where this page has it; null while it is not kept (any more). */
  readonly url: string | null;
  readonly isPicture: boolean;
  /** How much of it was sent, from 0 to 1. */
  readonly progress: ReadonlySignal<number>;
}

export interface ChatMessage {
  /** Of this page: an id that a sender chooses could be another message's. */
  readonly id: number;
  /** What tells a message that comes twice: its author and the author's own id for it; null where it has none. */
  readonly key: string | null;
  readonly from: string;
  readonly mine: boolean;
  readonly text: string;
  /** When it arrived here, or at our server: a time that a sender claims may be any number. */
  readonly at: Date;
  readonly state: MessageState;
  readonly file: ChatFile | null;
}

export type NewMessage = Pick<ChatMessage, "from" | "mine" | "text"> &
  Partial<Pick<ChatMessage, "key" | "at" | "state" | "file">>;

/** LiveKit's own topic for chat: other clients and agents use it as well. */
export const CHAT_TOPIC = "lk.chat";

/** What one message may have; our server takes no more. */
export const TEXT_LENGTH_MAX = 4000;

/** The largest file that is sent or received. */
export const FILE_BYTES_MAX = 10_000_000;

/** Bound the memory of a page that stays open for days. */
const MAX_MESSAGES = 500;
const MAX_TOTAL_LENGTH = 1_000_000;

/** The chat as this page has it, and what is being written. */
export class Chat {
  readonly messages = signal<readonly ChatMessage[]>([]);
  readonly open = signal(false);
  /** What is typed and not sent: it outlives the panel. */
  readonly draft = signal("");
  readonly #unread: Signal<number> = signal(0);
  #nextId = 0;

  constructor() {
    let kept = new Set<string>();
    this.messages.subscribe((messages) => {
      const urls = new Set(messages.flatMap(({ file }) => file?.url ?? []));
      // a browser keeps what an address is for until it is told, also when its message has made room for newer ones
      for (const url of kept) if (!urls.has(url)) URL.revokeObjectURL(url);
      kept = urls;
    });
  }

  get unread(): ReadonlySignal<number> {
    return this.#unread;
  }

  /** @returns the message's id, or null for one that is there already. */
  add(message: NewMessage): number | null {
    if (message.key && this.#find(message.key, this.messages.value) >= 0) return null;
    const added = this.#made(message);
    this.#show([...this.messages.value, added], message.mine ? 0 : 1);
    return added.id;
  }

  /**
   * Adds those of the messages that our server keeps which are not there yet, each after the one that it follows.
   * @returns how many of others there were.
   */
  merge(kept: readonly NewMessage[]): number {
    const all = [...this.messages.value];
    let place: number | null = null;
    let news = 0;
    for (const message of kept) {
      const known = message.key ? this.#find(message.key, all) : -1;
      if (known < 0) {
        place ??= placeOf(message, all);
        all.splice(place, 0, this.#made(message));
        news += message.mine ? 0 : 1;
      }
      place = (known < 0 ? (place ?? 0) : known) + 1;
    }
    if (all.length > this.messages.value.length) this.#show(all, news);
    return news;
  }

  mark(id: number, state: MessageState): void {
    this.update(id, { state });
  }

  update(id: number, change: Partial<Pick<ChatMessage, "state" | "file">>): void {
    this.messages.value = this.messages.value.map((message) =>
      message.id === id ? { ...message, ...change } : message,
    );
  }

  remove(id: number): void {
    this.messages.value = this.messages.value.filter((message) => message.id !== id);
  }

  /** Takes the draft for sending: it is empty at once, so that a second Enter sends nothing. One too long stays. */
  takeDraft(): string {
    const text = this.draft.value.trim();
    if (text.length > TEXT_LENGTH_MAX) return "";
    this.draft.value = "";
    return text;
  }

  show(open: boolean): void {
    this.open.value = open;
    if (open) this.#unread.value = 0;
  }

  #made(message: NewMessage): ChatMessage {
    const id = this.#nextId;
    this.#nextId += 1;
    return { key: null, at: new Date(), state: "sent", file: null, ...message, id };
  }

  #show(messages: readonly ChatMessage[], news: number): void {
    const kept = newest(messages);
    this.messages.value = kept;
    this.#unread.value = this.open.value ? 0 : Math.min(kept.length, this.#unread.value + news);
  }

  #find(key: string, messages: readonly ChatMessage[]): number {
    return messages.findIndex((message) => message.key === key);
  }
}

function placeOf({ at }: NewMessage, messages: readonly ChatMessage[]): number {
  const later = messages.findIndex((message) => at !== undefined && message.at > at);
  return later < 0 ? messages.length : later;
}

function newest(messages: readonly ChatMessage[]): readonly ChatMessage[] {
  let length = 0;
  let first = messages.length;
  while (first > 0 && messages.length - first < MAX_MESSAGES) {
    length += messages[first - 1]?.text.length ?? 0;
    if (length > MAX_TOTAL_LENGTH) break;
    first -= 1;
  }
  return messages.slice(first);
}
