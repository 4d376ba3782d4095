import { type Signal, signal } from "@preact/signals-core";
import { type Claims, type Role, readClaims } from "../api/claims.ts";
import type { MeetingLink, ParticipantsApi } from "../api/participants.ts";
import { type Cause, causeOf, staysInForm, Trouble } from "../trouble.ts";
import type { Announcer } from "./announcer.ts";
import type { LocalDevices } from "./devices.ts";
import type { Meeting } from "./meeting.ts";
import type { Memory } from "./memory.ts";
import type { RecorderButton } from "./recorder.ts";
import type { Recordings } from "./recordings.ts";

export type PageState =
  | { readonly at: "opening" }
  | { readonly at: "prejoin" }
  | { readonly at: "meeting"; readonly meeting: Meeting }
  /** `cause` is null for somebody who left on purpose. */
  | { readonly at: "stopped"; readonly cause: Cause | null };

/** What the page stands on; a test gives plain objects. */
export interface PageParts {
  readonly link: MeetingLink;
  readonly api: ParticipantsApi;
  readonly recorder: RecorderButton;
  readonly recordings: Recordings;
  readonly devices: LocalDevices;
  readonly memory: Memory;
  readonly announcer: Announcer;
  readonly hasWebRtc: boolean;
  /** Loads the media code: large, so it comes after the form is shown. */
  readonly loadMeeting: () => Promise<Pick<typeof Meeting, "join">>;
}

/** The way of one person through the page: the link is looked at, the form, the meeting, the end. */
export class MeetingPage {
  readonly state = signal<PageState>({ at: "opening" });
  readonly name: Signal<string>;
  readonly role = signal<Role>("publisher");
  readonly joining = signal(false);
  readonly problem = signal<Cause | null>(null);
  readonly devices: LocalDevices;
  readonly announcer: Announcer;
  readonly memory: Memory;
  readonly recorder: RecorderButton;
  readonly recordings: Recordings;
  readonly roomTitle: string;
  readonly #parts: PageParts;

  constructor(parts: PageParts) {
    this.#parts = parts;
    this.devices = parts.devices;
    this.announcer = parts.announcer;
    this.memory = parts.memory;
    this.recorder = parts.recorder;
    this.recordings = parts.recordings;
    this.roomTitle = titleOf(parts.link.roomName);
    this.name = signal(parts.memory.preferences().name);
  }

  /** Looks at the link, then shows the form: nobody is asked for a camera for a meeting that is over, or only to watch. */
  async open(): Promise<void> {
    this.state.value = { at: "opening" };
    this.problem.value = null;
    try {
      if (!this.#parts.link.roomName) throw new Trouble("no_link");
      if (!this.#parts.hasWebRtc) throw new Trouble("no_webrtc");
      this.role.value = await this.#parts.api.role(this.#parts.link);
    } catch (error) {
      this.#stop(causeOf(error));
      return;
    }
    this.state.value = { at: "prejoin" };
    if (this.role.value !== "viewer") void this.devices.start();
    // so that it is there when Join is pressed; should it fail, Join tells
    this.#parts.loadMeeting().catch(() => undefined);
  }

  async join(): Promise<void> {
    const name = this.name.value.trim();
    if (this.joining.value) return;
    this.joining.value = true;
    this.problem.value = null;
    try {
      await this.#enter(name);
    } catch (error) {
      this.#refuse(causeOf(error));
    } finally {
      this.joining.value = false;
    }
  }

  async #enter(participantName: string): Promise<void> {
    const { api, link, memory } = this.#parts;
    const loading = this.#parts.loadMeeting().catch((cause: unknown) => {
      throw new Trouble("server_unreachable", { cause });
    });
    const [meetings, token] = await Promise.all([
      loading,
      api.token(link, participantName, memory.token(link.roomName)),
    ]);
    memory.keepToken(link.roomName, token);
    this.#remember(participantName);
    const { livekitUrl, role } = claimsOf(token);
    this.role.value = role;
    const entry = {
      livekitUrl,
      token,
      onToken: (newer: string) => memory.keepToken(link.roomName, newer),
      takeTracks: () => this.devices.handOver(),
    };
    const meeting = await meetings.join(entry, this.announcer, (cause) => this.#stop(cause));
    if (role === "moderator") {
      void this.recorder.prepare();
      this.recordings.follow(meeting.recording);
    }
    this.state.value = { at: "meeting", meeting };
  }

  #remember(name: string): void {
    const { camera, microphone } = this.devices;
    this.memory.remember({
      name,
      cameraOn: camera.on.value,
      cameraId: camera.chosenId.value,
      microphoneOn: microphone.on.value,
      microphoneId: microphone.chosenId.value,
    });
  }

  #refuse(cause: Cause): void {
    if (staysInForm(cause)) this.problem.value = cause;
    else this.#stop(cause);
  }

  #stop(cause: Cause | null): void {
    this.devices.stop();
    this.state.value = { at: "stopped", cause };
  }
}

function claimsOf(token: string): Claims {
  try {
    return readClaims(token);
  } catch (cause) {
    throw new Trouble("unexpected", { cause });
  }
}

/** A room's name is a prefix that people chose, and a random suffix that means nothing to them. */
export function titleOf(roomName: string): string {
  return /^(.+)-[a-z0-9]{15}$/.exec(roomName)?.[1] ?? "";
}
