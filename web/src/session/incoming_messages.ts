/** What is kept of one message; a hand types less. */
export const MESSAGE_LENGTH_MAX = 100_000;

/** How many messages of one participant can be on their way at once. */
const OPEN_STREAMS_MAX = 8;

/** How many messages of one participant are taken at once, and each second after that: more than a hand types. */
const BURST_MESSAGES = 20;
const MESSAGES_PER_S = 4;

/** The part of a LiveKit text stream that is read: its chunks, as they arrive. */
export type TextReader = AsyncIterable<string>;

interface Sender {
  open: number;
  allowance: number;
  countedAtMs: number;
}

/** Reads text streams of other participants: whatever they send, what is kept of it is bounded. */
export class IncomingMessages {
  readonly #senders = new Map<string, Sender>();
  readonly #now: () => number;

  /** @param now a clock in milliseconds */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** @returns the text, cut at the limit, or null for a stream that broke or was one too many of its sender. */
  async read(reader: TextReader, identity: string): Promise<string | null> {
    const sender = this.#senderOf(identity);
    const refused = sender.open >= OPEN_STREAMS_MAX || !this.#charge(sender);
    sender.open += 1;
    try {
      return await textOf(reader, refused ? 0 : MESSAGE_LENGTH_MAX);
    } catch {
      return null;
    } finally {
      sender.open -= 1;
    }
  }

  /** Forgets a participant that has left. */
  forget(identity: string): void {
    this.#senders.delete(identity);
  }

  #senderOf(identity: string): Sender {
    const known = this.#senders.get(identity);
    if (known) return known;
    const sender = { open: 0, allowance: BURST_MESSAGES, countedAtMs: this.#now() };
    this.#senders.set(identity, sender);
    return sender;
  }

  #charge(sender: Sender): boolean {
    const now = this.#now();
    const earned = ((now - sender.countedAtMs) / 1000) * MESSAGES_PER_S;
    sender.countedAtMs = now;
    sender.allowance = Math.min(BURST_MESSAGES, sender.allowance + earned);
    if (sender.allowance < 1) return false;
    sender.allowance -= 1;
    return true;
  }
}

/** A stream is read to its end also after the limit: chunks that nobody reads would wait in memory. */
async function textOf(reader: TextReader, lengthMax: number): Promise<string | null> {
  let text = "";
  for await (const chunk of reader) {
    if (text.length < lengthMax) text += chunk.slice(0, lengthMax - text.length);
  }
  return text || null;
}
