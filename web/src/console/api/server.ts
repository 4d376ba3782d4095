import { readClaims } from "../../api/claims.ts";
import type { TestMeeting } from "../session/connection_test.ts";
import type { Asker } from "./ask.ts";
import type {
  ApiKey,
  Appearance,
  ConnectionQuality,
  Insight,
  InsightPeriod,
  LostRecording,
  NewApiKey,
  Page,
  Participant,
  Recording,
  RecordingState,
  Role,
  Room,
  RoomOptions,
  RoomPreferences,
  Settings,
  SettingsChange,
  Status,
} from "./types.ts";

const PUBLIC_PATH = "/meet/api/v1";
const TEST_ROOM = "connection-test";
const TEST_ROOM_MS = 10 * 60_000;

export type Order = "asc" | "desc";

export interface RoomFilter {
  readonly search: string;
  readonly sort: "created" | "name" | "expires";
  readonly order: Order;
  /** Only rooms in which a meeting runs. */
  readonly live: boolean;
}

export interface RecordingFilter {
  readonly search: string;
  readonly status: RecordingState | "";
  readonly sort: "created" | "size" | "duration";
  readonly order: Order;
}

/** What the console asks of the server. Everything throws `Refusal`. */
export class ConsoleServer {
  readonly #asker: Asker;

  constructor(asker: Asker) {
    this.#asker = asker;
  }

  /** How the pages of this installation look. Needs no login. */
  appearance(signal: AbortSignal): Promise<Partial<Appearance>> {
    return this.#asker.ask("GET", "/appearance", { signal });
  }

  rooms(filter: RoomFilter, after: string | null, maxItems: number): Promise<Page<Room>> {
    const query = { ...filter, live: filter.live ? "true" : "", maxItems, nextPageToken: after };
    return this.#asker.page<Room>("/console/rooms", query);
  }

  room(name: string): Promise<Room> {
    return this.#asker.ask("GET", room(name));
  }

  createRoom(body: RoomOptions): Promise<Room> {
    return this.#asker.ask("POST", "/rooms", { body });
  }

  changeRoom(name: string, preferences: RoomPreferences): Promise<Room> {
    return this.#asker.ask("PUT", room(name), { body: { preferences } });
  }

  rotateLinks(name: string): Promise<Room> {
    return this.#asker.ask("POST", `${room(name)}/rotate-links`);
  }

  lockRoom(name: string, locked: boolean): Promise<void> {
    return this.#asker.ask(locked ? "PUT" : "DELETE", `${room(name)}/lock`);
  }

  endMeeting(name: string): Promise<void> {
    return this.#asker.ask("POST", `${room(name)}/end`);
  }

  sendMessage(name: string, message: string): Promise<void> {
    return this.#asker.ask("POST", `${room(name)}/notices`, { body: { message } });
  }

  deleteRooms(roomNames: readonly string[]): Promise<void> {
    return this.#asker.ask("DELETE", "/console/rooms", { body: { roomNames } });
  }

  participants(name: string): Promise<readonly Participant[]> {
    return this.#asker.ask("GET", `${room(name)}/participants`);
  }

  roomQuality(name: string): Promise<readonly ConnectionQuality[]> {
    return this.#asker.ask("GET", `/console${room(name)}/quality`);
  }

  changeRole(name: string, participant: string, role: Role): Promise<Participant> {
    return this.#asker.ask("PUT", `${room(name)}/participants/${encodeURIComponent(participant)}`, { body: { role } });
  }

  mute(name: string, participant: string): Promise<void> {
    return this.#asker.ask("POST", `${room(name)}/participants/${encodeURIComponent(participant)}/mute`);
  }

  stopCamera(name: string, participant: string): Promise<void> {
    return this.#asker.ask("POST", `${room(name)}/participants/${encodeURIComponent(participant)}/stop-camera`);
  }

  remove(roomName: string, participant: string): Promise<void> {
    const path = `/participants/${encodeURIComponent(participant)}`;
    // on the internal path only a moderator of the room may do it
    return this.#asker.ask("DELETE", path, { query: { roomName }, base: PUBLIC_PATH });
  }

  recordings(filter: RecordingFilter, after: string | null, maxItems: number): Promise<Page<Recording>> {
    return this.#asker.page<Recording>("/console/recordings", { ...filter, maxItems, nextPageToken: after });
  }

  startRecording(roomId: string): Promise<Recording> {
    return this.#asker.ask("POST", "/recordings", { body: { roomId } });
  }

  stopRecording(id: string): Promise<void> {
    return this.#asker.ask("PUT", `/recordings/${encodeURIComponent(id)}`);
  }

  deleteRecordings(recordingIds: readonly string[]): Promise<void> {
    return this.#asker.ask("DELETE", "/recordings", { body: { recordingIds } });
  }

  /** A ticket for what can send no header: a video element, or a download. */
  async streamTicket(id: string): Promise<string> {
    const { ticket } = await this.#asker.ask<{ ticket: string }>(
      "POST",
      `/recordings/${encodeURIComponent(id)}/stream-ticket`,
    );
    return ticket;
  }

  repairRecordings(): Promise<void> {
    return this.#asker.ask("POST", "/console/recordings/repair");
  }

  lostRecordings(): Promise<readonly LostRecording[]> {
    return this.#asker.ask("GET", "/console/lost-recordings");
  }

  adoptRecording(id: string): Promise<Recording> {
    return this.#asker.ask("POST", `/console/lost-recordings/${encodeURIComponent(id)}/adopt`);
  }

  settings(): Promise<Settings> {
    return this.#asker.ask("GET", "/console/settings");
  }

  changeSettings(body: SettingsChange): Promise<Settings> {
    return this.#asker.ask("PUT", "/console/settings", { body });
  }

  apiKeys(): Promise<readonly ApiKey[]> {
    return this.#asker.ask("GET", "/console/api-keys");
  }

  createApiKey(name: string): Promise<NewApiKey> {
    return this.#asker.ask("POST", "/console/api-keys", { body: { name } });
  }

  rotateApiKey(id: string, graceS: number): Promise<NewApiKey> {
    return this.#asker.ask("POST", `/console/api-keys/${encodeURIComponent(id)}/rotate`, { body: { graceS } });
  }

  revokeApiKey(id: string): Promise<void> {
    return this.#asker.ask("DELETE", `/console/api-keys/${encodeURIComponent(id)}`);
  }

  changePassword(currentPassword: string, newPassword: string): Promise<void> {
    return this.#asker.ask("PUT", "/auth/password", { body: { currentPassword, newPassword } });
  }

  status(): Promise<Status> {
    return this.#asker.ask("GET", "/console/status");
  }

  /** Makes a room that lasts for the test of the connection, and lets us into it. */
  async openTestMeeting(): Promise<TestMeeting> {
    const expirationDate = Date.now() + TEST_ROOM_MS;
    const { roomName = "", moderatorURL = "" } = await this.createRoom({ expirationDate, roomNamePrefix: TEST_ROOM });
    const secret = new URL(moderatorURL).searchParams.get("secret") ?? "";
    const body = { roomName, secret, participantName: TEST_ROOM };
    const { token } = await this.#asker.ask<{ token: string }>("POST", "/participants/token", { body });
    return { token, url: readClaims(token).livekitUrl, close: () => this.deleteRooms([roomName]) };
  }

  insight(period: InsightPeriod): Promise<Insight> {
    return this.#asker.ask("GET", "/console/insight", { query: { period } });
  }

  events(lastEventId: string, signal: AbortSignal): Promise<ReadableStream<string>> {
    return this.#asker.stream("/console/events", { query: { lastEventId }, signal });
  }
}

function room(name: string): string {
  return `/rooms/${encodeURIComponent(name)}`;
}
