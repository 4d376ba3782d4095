import { computed, signal } from "@preact/signals-core";

export interface ChatMessage {
  readonly id: string;
  readonly from: string;
  readonly mine: boolean;
  readonly text: string;
  readonly sentAt: Date;
}

/** LiveKit's own topic for chat, so that other clients and agents take part. */
export const CHAT_TOPIC = "lk.chat";

/** A page that stays open for days must not grow without end. */
const KEPT_MESSAGES = 500;

/** What has been said in writing since this person joined. Nothing of it is kept anywhere else. */
export class Chat {
  readonly messages = signal<readonly ChatMessage[]>([]);
  readonly open = signal(false);
  readonly #read = signal(0);
  readonly unread = computed(() => this.messages.value.length - this.#read.value);

  add(message: ChatMessage): void {
    const all = [...this.messages.value, message];
    const dropped = Math.max(0, all.length - KEPT_MESSAGES);
    this.messages.value = all.slice(dropped);
    this.#read.value = this.open.value ? this.messages.value.length : Math.max(0, this.#read.value - dropped);
  }

  show(open: boolean): void {
    this.open.value = open;
    if (open) this.#read.value = this.messages.value.length;
  }
}
