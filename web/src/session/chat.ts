import { computed, signal } from "@preact/signals-core";

export type MessageState = "sending" | "sent" | "failed";

export interface ChatMessage {
  /** Of this page: an id that a sender chooses could be another message's. */
  readonly id: number;
  readonly from: string;
  readonly mine: boolean;
  readonly text: string;
  /** When it arrived here: a time that a sender claims may be any number. */
  readonly at: Date;
  readonly state: MessageState;
}

/** LiveKit's own topic for chat: other clients and agents use it as well. */
export const CHAT_TOPIC = "lk.chat";

/** Bound the memory of a page that stays open for days. */
const MAX_MESSAGES = 500;
const MAX_TOTAL_LENGTH = 1_000_000;

/** The chat messages since the user joined, and what is being written. They are stored nowhere else. */
export class Chat {
  readonly messages = signal<readonly ChatMessage[]>([]);
  readonly open = signal(false);
  /** What is typed and not sent: it outlives the panel. */
  readonly draft = signal("");
  readonly #read = signal(0);
  readonly unread = computed(() => this.messages.value.length - this.#read.value);
  #nextId = 0;

  /** @returns the message's id. */
  add(message: Pick<ChatMessage, "from" | "mine" | "text"> & { readonly state?: MessageState }): number {
    const id = this.#nextId;
    this.#nextId += 1;
    const all = [...this.messages.value, { state: "sent" as const, ...message, id, at: new Date() }];
    const kept = newest(all);
    const dropped = all.length - kept.length;
    this.messages.value = kept;
    this.#read.value = this.open.value ? kept.length : Math.max(0, this.#read.value - dropped);
    return id;
  }

  mark(id: number, state: MessageState): void {
    this.messages.value = this.messages.value.map((message) => (message.id === id ? { ...message, state } : message));
  }

  /** Takes the draft for sending: it is empty at once, so that a second Enter sends nothing. */
  takeDraft(): string {
    const text = this.draft.value.trim();
    this.draft.value = "";
    return text;
  }

  show(open: boolean): void {
    this.open.value = open;
    if (open) this.#read.value = this.messages.value.length;
  }
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
