import { signal } from "@preact/signals-core";
import { type Room, RoomEvent } from "livekit-client";
import { CHAT_TOPIC, type Chat, type ChatFile, type ChatMessage, FILE_BYTES_MAX } from "./chat.ts";
import { pictureType } from "./pictures.ts";
import { type FileReader, toTheEnd } from "./streams.ts";

/** How many files of one participant, and of all, can be on their way to this page at once. */
const OPEN_MAX = 2;
const OPEN_IN_ALL_MAX = 6;

/** How many files this page keeps, own ones too; the oldest makes room. */
const KEPT_MAX = 20;
const KEPT_BYTES_MAX = 60_000_000;

/** What is read of a file at once: a few packets. */
const PIECE_BYTES = 60_000;

interface Sending {
  readonly file: File;
  /** Set to end it. */
  stopped: "cancelled" | "failed" | null;
}

/** The files of a chat: whatever others send, what this page keeps of it is bounded. */
export class ChatFiles {
  readonly #chat: Chat;
  readonly #room: Room;
  readonly #sending = new Map<number, Sending>();
  readonly #open = new Map<string, number>();

  constructor(chat: Chat, room: Room) {
    this.#chat = chat;
    this.#room = room;
    // what is lost while the page connects again is missing at the others
    room.on(RoomEvent.Reconnecting, () => {
      for (const each of this.#sending.values()) each.stopped ??= "failed";
    });
  }

  /** Sends a file that is not too large. It stays in the list when it does not get through, to be sent again. */
  async send(file: File): Promise<void> {
    const { localParticipant: me } = this.#room;
    const shown = await shownFile(file, safeName(file.name), 0);
    const from = me.name || me.identity;
    const id = this.#chat.add({ from, mine: true, text: "", state: "sending", file: shown.file });
    if (id === null) return;
    this.#keepWithinBounds();
    await this.#send(id, file, shown.progress);
  }

  async sendAgain({ id, file: shown }: ChatMessage): Promise<void> {
    const known = this.#sending.get(id);
    if (!known || !shown) return;
    const progress = signal(0);
    this.#chat.update(id, { state: "sending", file: { ...shown, progress } });
    await this.#send(id, known.file, progress);
  }

  /** It goes from the list at once, also while the network takes nothing. */
  cancel(id: number): void {
    const sending = this.#sending.get(id);
    if (!sending) return;
    sending.stopped = "cancelled";
    this.#sending.delete(id);
    this.#chat.remove(id);
  }

  /** @returns the name of the file, or null for one that is not kept. */
  async receive(reader: FileReader, identity: string, from: string): Promise<string | null> {
    const open = this.#open.get(identity) ?? 0;
    const inAll = [...this.#open.values()].reduce((sum, each) => sum + each, 0);
    const refused = open >= OPEN_MAX || inAll >= OPEN_IN_ALL_MAX || (reader.info.size ?? 0) > FILE_BYTES_MAX;
    this.#open.set(identity, open + 1);
    const blob = await blobOf(reader, refused).catch(() => null);
    const left = (this.#open.get(identity) ?? 1) - 1;
    if (left > 0) this.#open.set(identity, left);
    else this.#open.delete(identity);
    if (!blob) return null;
    const { file } = await shownFile(blob, safeName(reader.info.name), 1);
    this.#chat.add({ from, mine: false, text: "", file });
    this.#keepWithinBounds();
    return file.name;
  }

  async #send(id: number, file: File, progress: { value: number }): Promise<void> {
    const sending: Sending = { file, stopped: null };
    this.#sending.set(id, sending);
    try {
      await this.#stream(file, sending, progress);
    } catch {
      sending.stopped ??= "failed";
    }
    if (sending.stopped === "cancelled") return;
    this.#chat.mark(id, sending.stopped ?? "sent");
    // one that failed can be sent again
    if (!sending.stopped) this.#sending.delete(id);
  }

  async #stream(file: File, sending: Sending, progress: { value: number }): Promise<void> {
    const about = { topic: CHAT_TOPIC, name: file.name, mimeType: file.type, totalSize: file.size };
    const writer = await this.#room.localParticipant.streamBytes(about);
    try {
      for (let at = 0; at < file.size && !sending.stopped; at += PIECE_BYTES) {
        await writer.write(new Uint8Array(await file.slice(at, at + PIECE_BYTES).arrayBuffer()));
        progress.value = Math.min(1, (at + PIECE_BYTES) / file.size);
      }
    } finally {
      // the others know from the end that there is no more to come: what is not whole, they drop
      await writer.close();
    }
  }

  #keepWithinBounds(): void {
    let [count, bytes] = [0, 0];
    for (const { id, file } of this.#chat.messages.value.toReversed()) {
      if (!file?.url) continue;
      count += 1;
      bytes += file.sizeBytes;
      if (count <= KEPT_MAX && bytes <= KEPT_BYTES_MAX) continue;
      this.#chat.update(id, { file: { ...file, url: null } });
    }
  }
}

async function shownFile(
  content: Blob,
  name: string,
  sent: number,
): Promise<{ file: ChatFile; progress: { value: number } }> {
  const type = await pictureType(content);
  const progress = signal(sent);
  // whatever its sender says it is: the browser must not show it as a page of ours
  const harmless = new Blob([content], { type: type ?? "application/octet-stream" });
  const url = URL.createObjectURL(harmless);
  return { file: { name, sizeBytes: content.size, url, isPicture: type !== null, progress }, progress };
}

/** A stream is read to its end also when it is refused: chunks that nobody reads would wait in memory. */
async function blobOf(reader: FileReader, refused: boolean): Promise<Blob | null> {
  const sizeMax = Math.min(reader.info.size ?? FILE_BYTES_MAX, FILE_BYTES_MAX);
  let chunks: Uint8Array<ArrayBuffer>[] | null = refused ? null : [];
  let size = 0;
  for await (const chunk of toTheEnd(reader)) {
    size += chunk.length;
    if (size > sizeMax) chunks = null;
    chunks?.push(chunk as Uint8Array<ArrayBuffer>);
  }
  return chunks && new Blob(chunks);
}

const NAME_LENGTH_MAX = 100;
const ENDING_LENGTH_MAX = 12;

/** A name that is one line, one file and what it looks like, whatever a sender calls it. */
export function safeName(name: string): string {
  const plain = name
    .slice(0, 1000)
    .replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, "")
    .replace(/[/\\:*?"<>|]/g, "_")
    .replace(/^[\s.]+|[\s.]+$/g, "");
  if (plain.length <= NAME_LENGTH_MAX) return plain || "file";
  const dot = plain.lastIndexOf(".");
  const ending = dot > plain.length - ENDING_LENGTH_MAX ? plain.slice(dot) : "";
  return `${plain.slice(0, NAME_LENGTH_MAX - ending.length - 1)}…${ending}`;
}
