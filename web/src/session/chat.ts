import { computed, signal } from "@preact/signals-core";

export interface ChatMessage {
  readonly id: string;
  readonly from: string;
  readonly mine: boolean;
  readonly text: string;
  readonly sentAt: Date;
}

/** LiveKit's own topic for chat: other clients and agents use it as well. */
export const CHAT_TOPIC = "lk.chat";

/** Bounds the memory of a page that stays open for days. */
const MAX_MESSAGES = 500;

/** The chat messages since the user joined. They are stored nowhere else. */
export class Chat {
  readonly messages = signal<readonly ChatMessage[]>([]);
  readonly open = signal(false);
  readonly #read = signal(0);
  readonly unread = computed(() => this.messages.value.length - this.#read.value);

  add(message: ChatMessage): void {
    const all = [...this.messages.value, message];
    const dropped = Math.max(0, all.length - MAX_MESSAGES);
    this.messages.value = all.slice(dropped);
    this.#read.value = this.open.value ? this.messages.value.length : Math.max(0, this.#read.value - dropped);
  }

  show(open: boolean): void {
    this.open.value = open;
    if (open) this.#read.value = this.messages.value.length;
  }
}
