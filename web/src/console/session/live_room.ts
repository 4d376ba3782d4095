import { computed, signal } from "@preact/signals-core";
import { type Refusal, refusalFrom } from "../api/refusal.ts";
import type { ConsoleServer } from "../api/server.ts";
import type { ConnectionQuality, Participant, Recording, Role, Room } from "../api/types.ts";
import { Action } from "./action.ts";
import { type Allowed, allowedOf, preferencesOf } from "./allowed.ts";
import { Coalesced } from "./coalesced.ts";
import type { ConsoleEvent } from "./events.ts";

const REFRESH_MS = 300;
/** The media server measures in steps of five seconds. */
const QUALITY_EVERY_MS = 5000;
const RECORDINGS_SHOWN = 5;

/** One room: its links, who is in it now, what it allows, its recordings. */
export class LiveRoom {
  readonly name: string;
  readonly room = signal<Room | null>(null);
  readonly participants = signal<readonly Participant[]>([]);
  /** Whether it could be asked who is in it. */
  readonly participantsKnown = signal(false);
  /** How good their connections are, by name; empty where the media server does not tell. */
  readonly quality = signal<ReadonlyMap<string, ConnectionQuality>>(new Map());
  readonly recordings = signal<readonly Recording[]>([]);
  /** Why the room cannot be shown; `gone` once it was deleted while it was shown. */
  readonly refusal = signal<Refusal | null>(null);
  readonly gone = signal(false);
  readonly action = new Action();
  readonly recordingAction = new Action();
  readonly running = computed(() => this.recordings.value.find((one) => isRunning(one)) ?? null);
  readonly #server: ConsoleServer;
  /** How many changes are on the way: what the server says meanwhile can be older. */
  #changing = 0;
  #qualityTimer: ReturnType<typeof setInterval> | undefined;
  readonly #refreshRoom = new Coalesced(() => this.#loadRoom(), REFRESH_MS);
  readonly #refreshPeople = new Coalesced(() => this.#loadPeople(), REFRESH_MS);
  readonly #refreshRecordings = new Coalesced(() => this.#loadRecordings(), REFRESH_MS);

  constructor(server: ConsoleServer, name: string) {
    this.#server = server;
    this.name = name;
  }

  async refresh(): Promise<void> {
    this.#qualityTimer ??= setInterval(() => void this.#loadQuality(), QUALITY_EVERY_MS);
    await Promise.all([this.#loadRoom(), this.#loadPeople(), this.#loadRecordings(), this.#loadQuality()]);
  }

  close(): void {
    clearInterval(this.#qualityTimer);
    for (const one of [this.#refreshRoom, this.#refreshPeople, this.#refreshRecordings]) one.cancel();
  }

  onEvent({ name, data }: ConsoleEvent): void {
    if (data.roomName !== this.name) {
      if (name === "recordingDeleted") this.#refreshRecordings.soon();
    } else if (name === "roomDeleted") {
      this.gone.value = true;
    } else if (name === "roomChanged" || name === "roomCreated") {
      this.#refreshRoom.soon();
    } else if (name.startsWith("recording")) {
      this.#refreshRecordings.soon();
    } else {
      this.#refreshPeople.soon();
    }
  }

  allow(allowed: Partial<Allowed>): Promise<void> {
    const change = (room: Room): Room => {
      const preferences = preferencesOf({ ...allowedOf(room.preferences), ...allowed });
      return { ...room, preferences };
    };
    return this.#change(change, () => this.#server.changeRoom(this.name, preferencesOf(allowed)));
  }

  lock(locked: boolean): Promise<void> {
    const change = ({ locked: _before, ...room }: Room): Room => (locked ? { ...room, locked } : room);
    return this.#change(change, () => this.#server.lockRoom(this.name, locked));
  }

  rotateLinks(): Promise<boolean> {
    return this.action.run(async () => {
      this.room.value = await this.#server.rotateLinks(this.name);
    });
  }

  end(): Promise<boolean> {
    return this.#act(() => this.#server.endMeeting(this.name), this.#loadPeople);
  }

  delete(): Promise<boolean> {
    return this.action.run(() => this.#server.deleteRooms([this.name]));
  }

  send(message: string): Promise<boolean> {
    return this.action.run(() => this.#server.sendMessage(this.name, message));
  }

  mute(participant: string): Promise<boolean> {
    return this.#act(() => this.#server.mute(this.name, participant), this.#loadPeople);
  }

  stopCamera(participant: string): Promise<boolean> {
    return this.#act(() => this.#server.stopCamera(this.name, participant), this.#loadPeople);
  }

  remove(participant: string): Promise<boolean> {
    return this.#act(() => this.#server.remove(this.name, participant), this.#loadPeople);
  }

  changeRole(participant: string, role: Role): Promise<boolean> {
    return this.#act(() => this.#server.changeRole(this.name, participant, role), this.#loadPeople);
  }

  startRecording(): Promise<boolean> {
    return this.recordingAction.run(async () => {
      await this.#server.startRecording(this.name).finally(() => this.#loadRecordings());
    });
  }

  async stopRecording(): Promise<boolean> {
    const id = this.running.value?.recordingId;
    if (!id) return false;
    return this.recordingAction.run(async () => {
      await this.#server.stopRecording(id);
      await this.#loadRecordings();
    });
  }

  /** Shows a change at once; what the server says to it counts once nothing else is on the way. */
  async #change(change: (room: Room) => Room, act: () => Promise<unknown>): Promise<void> {
    const room = this.room.value;
    if (!room) return;
    this.room.value = change(room);
    this.#changing += 1;
    this.action.refusal.value = null;
    await act().catch((error: unknown) => {
      this.action.refusal.value = refusalFrom(error);
    });
    this.#changing -= 1;
    await this.#loadRoom();
  }

  #act(act: () => Promise<unknown>, load: () => Promise<void>): Promise<boolean> {
    return this.action.run(async () => {
      await act();
      await load.call(this);
    });
  }

  async #loadRoom(): Promise<void> {
    try {
      const room = await this.#server.room(this.name);
      if (this.#changing === 0) this.room.value = room;
      this.refusal.value = null;
    } catch (error) {
      const refusal = refusalFrom(error);
      if (refusal.status === 404 && this.room.value) this.gone.value = true;
      else this.refusal.value = refusal;
    }
  }

  async #loadPeople(): Promise<void> {
    try {
      const people = await this.#server.participants(this.name);
      this.participants.value = people.toSorted((one, other) => (one.joinedAt ?? 0) - (other.joinedAt ?? 0));
      this.participantsKnown.value = true;
    } catch {
      // the room itself says what is wrong
      this.participantsKnown.value = false;
    }
  }

  async #loadQuality(): Promise<void> {
    try {
      const found = await this.#server.roomQuality(this.name);
      const here = found.filter(({ connected }) => connected);
      this.quality.value = new Map(here.map((one) => [one.participantName, one]));
    } catch {
      // an addition to the list, which shows without it
    }
  }

  async #loadRecordings(): Promise<void> {
    const filter = { search: this.name, status: "", sort: "created", order: "desc" } as const;
    const page = await this.#server.recordings(filter, null, RECORDINGS_SHOWN).catch(() => null);
    if (page) this.recordings.value = page.items;
  }
}

export function isRunning(recording: Recording): boolean {
  return recording.status === "STARTING" || recording.status === "ACTIVE";
}
