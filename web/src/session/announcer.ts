import { signal } from "@preact/signals-core";

/** How long a sentence stays for a screen reader to pick up. */
const SENTENCE_LIFETIME_MS = 4000;

export interface Sentence {
  readonly id: number;
  readonly words: string;
}

/** What a screen reader says about what happens. Each sentence is an element of its own, so none displaces another. */
export class Announcer {
  readonly sentences = signal<readonly Sentence[]>([]);
  #nextId = 0;

  say(words: string): void {
    const id = this.#nextId;
    this.#nextId += 1;
    this.sentences.value = [...this.sentences.value, { id, words }];
    setTimeout(() => {
      this.sentences.value = this.sentences.value.filter((sentence) => sentence.id !== id);
    }, SENTENCE_LIFETIME_MS);
  }
}
