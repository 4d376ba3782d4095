import type { Room } from "livekit-client";
import { vi } from "vitest";
import type { Cause } from "../src/app_error.ts";
import type { Announcer } from "../src/session/announcer.ts";
import type { DetachedTrack, DeviceKind } from "../src/session/devices.ts";
import { Meeting, type MeetingOptions } from "../src/session/meeting.ts";
import { Speaker } from "../src/session/speaker.ts";
import { FakeApi } from "./fake_api.ts";
import { noEffects } from "./fake_effects.ts";

vi.stubGlobal("MediaStream", class {});

/** A track of the browser that only knows whether it was stopped. */
export class FakeMediaTrack extends EventTarget {
  readonly kind: "audio" | "video";
  readonly id = String(Math.random());
  readyState: "live" | "ended" = "live";
  enabled = true;
  readonly muted = false;

  constructor(device: DeviceKind) {
    super();
    this.kind = device === "camera" ? "video" : "audio";
  }

  getConstraints() {
    return {};
  }

  getSettings() {
    return {};
  }

  stop() {
    this.readyState = "ended";
  }
}

interface FakePublication {
  readonly source: string;
  isMuted: boolean;
  readonly track: { readonly mediaStreamTrack: FakeMediaTrack };
}

type Listener = (...args: never[]) => void;

/** What of the SDK's room the meeting uses: events as the test emits them, tracks in a map. */
export class FakeRoom {
  state = "connected";
  isRecording = false;
  canPlaybackAudio = true;
  canPlaybackVideo = true;
  readonly remoteParticipants = new Map<string, unknown>();
  readonly engine = { on: (event: string, act: Listener) => this.on(`engine.${event}`, act) };
  readonly published: FakePublication[] = [];
  readonly sent: string[] = [];
  readonly attributes: Record<string, string>[] = [];
  readonly streams: { name: string; size: number; received: number; closed: boolean }[] = [];
  /** Called after each piece of a file. */
  onWrite = (): void => {};
  readonly asked: DeviceKind[] = [];
  publishFails: Error | null = null;
  sending: Promise<void> = Promise.resolve();
  readonly localParticipant: FakeParticipant;
  readonly #listeners = new Map<string, Listener[]>();

  constructor() {
    this.localParticipant = new FakeParticipant(this);
  }

  on(event: string, act: Listener): this {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), act]);
    return this;
  }

  emit(event: string, ...args: unknown[]): void {
    for (const act of this.#listeners.get(event) ?? []) act(...(args as never[]));
  }

  /** A data message: by default the server's, which has no sender. */
  receive(topic: string, body: unknown, by: { readonly identity?: string; readonly sid?: string } = {}): void {
    const payload = new TextEncoder().encode(JSON.stringify(body));
    const value = { case: "user", value: { topic, payload } };
    const { identity = "", sid = "" } = by;
    this.emit("engine.dataPacketReceived", { participantIdentity: identity, participantSid: sid, value });
  }

  getActiveDevice(): string {
    return "";
  }

  registerTextStreamHandler(): void {}
  registerByteStreamHandler(): void {}
  async connect(): Promise<void> {}
  async disconnect(): Promise<void> {}

  get asRoom(): Room {
    return this as unknown as Room;
  }
}

class FakeParticipant {
  readonly identity = "ana";
  readonly sid = "PA_ana";
  readonly name = "Ana";
  readonly isLocal = true;
  isSpeaking = false;
  readonly attributes: Record<string, string> = {};
  metadata = JSON.stringify({ role: "publisher" });
  readonly permissions = { canPublish: true, canPublishData: true };
  readonly #room: FakeRoom;

  constructor(room: FakeRoom) {
    this.#room = room;
  }

  get trackPublications() {
    return new Map(this.#room.published.map((publication, i) => [String(i), publication]));
  }

  get isMicrophoneEnabled(): boolean {
    return this.#isOn("microphone");
  }

  get isCameraEnabled(): boolean {
    return this.#isOn("camera");
  }

  get isScreenShareEnabled(): boolean {
    return this.#isOn("screen_share");
  }

  getTrackPublication(source: string) {
    return this.#room.published.find((publication) => publication.source === source);
  }

  async publishTrack(track: { mediaStreamTrack: FakeMediaTrack }, { source }: { source: string }) {
    await Promise.resolve();
    if (this.#room.publishFails) throw this.#room.publishFails;
    this.#room.published.push({ source, isMuted: false, track });
  }

  setMicrophoneEnabled(on: boolean) {
    return this.#set("microphone", on);
  }

  setCameraEnabled(on: boolean) {
    return this.#set("camera", on);
  }

  async sendText(message: string, options?: { readonly attributes?: Record<string, string> }): Promise<void> {
    await this.#room.sending;
    this.#room.sent.push(message);
    this.#room.attributes.push(options?.attributes ?? {});
  }

  async streamBytes({ name, totalSize }: { readonly name: string; readonly totalSize: number }) {
    const stream = { name, size: totalSize, received: 0, closed: false };
    this.#room.streams.push(stream);
    return {
      write: async (piece: Uint8Array) => {
        stream.received += piece.length;
        this.#room.onWrite();
      },
      close: async () => {
        stream.closed = true;
      },
    };
  }

  #isOn(source: string): boolean {
    const publication = this.getTrackPublication(source);
    return publication !== undefined && !publication.isMuted;
  }

  /** As the SDK does: without a publication it opens the device and publishes it. */
  async #set(source: DeviceKind, on: boolean): Promise<void> {
    const publication = this.getTrackPublication(source);
    if (publication) publication.isMuted = !on;
    else if (on) {
      this.#room.asked.push(source);
      await this.publishTrack({ mediaStreamTrack: new FakeMediaTrack(source) }, { source });
    }
  }
}

/** A browser's question about a device, which the test answers. */
export function question() {
  let answer = (_track: FakeMediaTrack | null, _cause: DetachedTrack["cause"] = null): void => {};
  const asked = new Promise<DetachedTrack>((resolve) => {
    answer = (track, cause = null) => resolve({ track: track as unknown as MediaStreamTrack | null, cause });
  });
  return { asked, answer };
}

export function meetingOptions(change: Partial<MeetingOptions> = {}): MeetingOptions {
  return {
    expectedRole: "publisher",
    api: new FakeApi().asApi,
    onTokenRefreshed: () => {},
    onDeviceSelected: () => {},
    hearsMuted: false,
    speaker: new Speaker("", null, () => {}),
    deviceIds: { camera: "", microphone: "" },
    detachTrack: async () => ({ track: null, cause: null }),
    ...noEffects(),
    ...change,
  };
}

/** A meeting that is connected. */
export async function joinedMeeting(
  options: MeetingOptions,
  announcer: Announcer,
  onEnd: (cause: Cause | null) => void,
  room: FakeRoom,
): Promise<Meeting> {
  const meeting = Meeting.prepare(options, announcer, room.asRoom);
  await meeting.connect({ livekitUrl: "ws://media", token: "token" }, onEnd);
  return meeting;
}
