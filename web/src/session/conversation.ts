import { type Participant, type Room, RoomEvent } from "livekit-client";
import type { MeetingApi, PostedMessage } from "../api/meeting.ts";
import { causeOf } from "../app_error.ts";
import { text } from "../i18n/index.ts";
import type { Announcer } from "./announcer.ts";
import { CHAT_TOPIC, type Chat, type ChatMessage, type NewMessage } from "./chat.ts";
import type { ChatFiles } from "./chat_files.ts";
import { IncomingMessages } from "./incoming_messages.ts";
import type { LiveSettings } from "./live_settings.ts";
import { drain, type FileReader, toTheEnd } from "./streams.ts";

/** The attribute of a text stream by which a message is known that our server shows as well. */
const ID_ATTRIBUTE = "tertulia.id";
const ID = /^[\w-]{1,64}$/;

/** When our server could not be asked, it is asked again: after the first time, and at the latest. */
const RETRY_MS = 3000;
const RETRY_MAX_MS = 30_000;
const WORTH_RETRYING: ReadonlySet<string> = new Set(["server_unreachable", "server_stopping", "too_many_tries"]);

export interface ConversationParts {
  readonly chat: Chat;
  readonly room: Room;
  readonly api: Pick<MeetingApi, "postMessage" | "messages">;
  readonly settings: LiveSettings;
  readonly announcer: Announcer;
}

/**
 * Sends and receives what is in the chat. A message goes two ways under one id: by a text stream, which every LiveKit
 * client reads, and to our server, which keeps it and shows it to all pages; each page shows it once.
 */
export class Conversation {
  readonly #parts: ConversationParts;
  /** What the media server has taken: sent again, it goes to our server alone. */
  readonly #streamed = new Set<number>();
  #files: Promise<ChatFiles> | null = null;
  /** The end of the last request: they go to our server in order. */
  #posting: Promise<unknown> = Promise.resolve();
  #retry: ReturnType<typeof setTimeout> | undefined;
  #retryMs = RETRY_MS;

  constructor(parts: ConversationParts) {
    this.#parts = parts;
  }

  /** Takes part, also in what comes while the room connects. */
  listen(): void {
    const { room } = this.#parts;
    const incoming = new IncomingMessages();
    room.registerTextStreamHandler(CHAT_TOPIC, async (reader, { identity }) => {
      const message = await incoming.read(toTheEnd(reader), identity);
      const id = reader.info.attributes?.[ID_ATTRIBUTE] ?? "";
      if (message !== null) this.#show(identity, message, ID.test(id) ? keyOf(identity, id) : null);
    });
    room.registerByteStreamHandler(CHAT_TOPIC, (reader, { identity }) => void this.#receiveFile(reader, identity));
    room.on(RoomEvent.ParticipantDisconnected, ({ identity }) => incoming.forget(identity));
    room.on(RoomEvent.Disconnected, () => clearTimeout(this.#retry));
  }

  /** A message that our server shows to all. */
  receive({ messageId, participantName, text: message }: Readonly<Record<string, unknown>>): void {
    if (typeof messageId === "string" && typeof participantName === "string" && typeof message === "string")
      this.#show(participantName, message, keyOf(participantName, messageId));
  }

  /** Sends what could not be sent, and asks for what was missed. */
  async catchUp(): Promise<void> {
    const { api, chat, announcer } = this.#parts;
    this.#sendAllAgain();
    const kept = await api.messages().catch(() => null);
    if (!kept) return;
    const news = chat.merge(kept.map((message) => this.#fromServer(message)));
    if (news > 0) announcer.announce(text.announce.messages(news));
  }

  /** Sends what is typed. A message that does not get through stays in the list, to be sent again. */
  async sendDraft(): Promise<void> {
    const { chat } = this.#parts;
    const message = chat.takeDraft();
    if (!message) return;
    const key = keyOf(this.#me.identity, crypto.randomUUID());
    const from = nameOf(this.#me);
    const id = chat.add({ key, from, mine: true, text: message, state: "sending" });
    await this.#send(chat.messages.value.find((each) => each.id === id));
  }

  async sendAgain(message: ChatMessage): Promise<void> {
    if (message.file) return (await this.files()).sendAgain(message);
    this.#parts.chat.mark(message.id, "sending");
    await this.#send(message);
  }

  /** Files are sent and received by a part of the page that is loaded with the first one. */
  files(): Promise<ChatFiles> {
    this.#files ??= this.#loadFiles();
    return this.#files;
  }

  async #loadFiles(): Promise<ChatFiles> {
    try {
      const { ChatFiles } = await import("./chat_files.ts");
      return new ChatFiles(this.#parts.chat, this.#parts.room);
    } catch (error) {
      this.#files = null;
      throw error;
    }
  }

  get #me(): Participant {
    return this.#parts.room.localParticipant;
  }

  async #receiveFile(reader: FileReader, identity: string): Promise<void> {
    const { settings, announcer } = this.#parts;
    const files = settings.current.value?.chatFiles === false ? null : await this.files().catch(() => null);
    const name = this.#nameOf(identity);
    const file = await (files ? files.receive(reader, identity, name) : drain(reader));
    if (file) announcer.announceInGroups("messages", { name, message: file }, spokenMessages);
  }

  #show(identity: string, message: string, key: string | null): void {
    const { announcer, chat } = this.#parts;
    const name = this.#nameOf(identity);
    const mine = identity === this.#me.identity;
    const isNew = chat.add({ key, from: name, mine, text: message }) !== null;
    if (isNew && !mine) announcer.announceInGroups("messages", { name, message }, spokenMessages);
  }

  #fromServer({ messageId, participantName, text: message, sentAt }: PostedMessage): NewMessage {
    const mine = participantName === this.#me.identity;
    const from = this.#nameOf(participantName);
    return { key: keyOf(participantName, messageId), from, mine, text: message, at: new Date(sentAt) };
  }

  #nameOf(identity: string): string {
    const participant = this.#parts.room.remoteParticipants.get(identity);
    return participant ? nameOf(participant) : identity;
  }

  #sendAllAgain(): void {
    for (const message of this.#parts.chat.messages.value)
      if (message.mine && !message.file && message.state === "failed") void this.sendAgain(message);
  }

  async #send(message: ChatMessage | undefined): Promise<void> {
    if (!message?.key) return;
    const { api, announcer, chat } = this.#parts;
    const { id, key, text: body } = message;
    const streamed = this.#stream(id, idIn(key), body);
    // one after the other: who comes later sees them in the order in which they were written
    this.#posting = Promise.all([streamed, this.#posting.catch(() => null)]).then(() =>
      api.postMessage(this.#me.identity, idIn(key), body),
    );
    try {
      await this.#posting;
      chat.mark(id, "sent");
      this.#streamed.delete(id);
      this.#retryMs = RETRY_MS;
    } catch (error) {
      chat.mark(id, "failed");
      announcer.announce(text.chat.failed);
      if (WORTH_RETRYING.has(causeOf(error))) this.#retryLater();
    }
  }

  async #stream(id: number, messageId: string, body: string): Promise<void> {
    if (this.#streamed.has(id)) return;
    const { localParticipant } = this.#parts.room;
    await localParticipant.sendText(body, { topic: CHAT_TOPIC, attributes: { [ID_ATTRIBUTE]: messageId } });
    this.#streamed.add(id);
  }

  #retryLater(): void {
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#sendAllAgain(), this.#retryMs);
    this.#retryMs = Math.min(RETRY_MAX_MS, 2 * this.#retryMs);
  }
}

function keyOf(identity: string, id: string): string {
  return `${identity}\n${id}`;
}

function idIn(key: string): string {
  return key.slice(key.lastIndexOf("\n") + 1);
}

function nameOf(participant: Participant): string {
  return participant.name || participant.identity;
}

/** What is read out of a message; the chat has all of it. */
const SPOKEN_LENGTH_MAX = 300;

function spokenMessages(all: readonly { readonly name: string; readonly message: string }[]): string {
  const [only] = all;
  if (!only || all.length > 1) return text.announce.messages(all.length);
  const { name, message } = only;
  const spoken = message.length > SPOKEN_LENGTH_MAX ? `${message.slice(0, SPOKEN_LENGTH_MAX)} …` : message;
  return text.announce.message(name, spoken);
}
