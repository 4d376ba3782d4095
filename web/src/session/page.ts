import { type Signal, signal } from "@preact/signals-core";
import { type Claims, type Role, readClaims } from "../api/claims.ts";
import type { MeetingLink, ParticipantsApi } from "../api/participants.ts";
import { AppError, type Cause, causeOf, isRecoverableInForm } from "../app_error.ts";
import type { Announcer } from "./announcer.ts";
import type { LocalDevices } from "./devices.ts";
import type { Meeting } from "./meeting.ts";
import type { RecordingControl } from "./recording_control.ts";
import type { Recordings } from "./recordings.ts";
import type { PageStorage } from "./storage.ts";

export type PageState =
  | { readonly view: "opening" }
  | { readonly view: "prejoin" }
  | { readonly view: "meeting"; readonly meeting: Meeting }
  /** `cause` is null when the user left. */
  | { readonly view: "ended"; readonly cause: Cause | null };

/** What the page needs from outside; tests pass plain objects. */
export interface PageDependencies {
  readonly link: MeetingLink;
  readonly api: ParticipantsApi;
  readonly recordingControl: RecordingControl;
  readonly recordings: Recordings;
  readonly devices: LocalDevices;
  readonly storage: PageStorage;
  readonly announcer: Announcer;
  readonly hasWebRtc: boolean;
  /** Loads the media code: large, so it comes after the form is shown. */
  readonly loadMeeting: () => Promise<Pick<typeof Meeting, "join">>;
}

/** The states of the page: checking the link, the form, the meeting, the end screen. */
export class MeetingPage {
  readonly state = signal<PageState>({ view: "opening" });
  readonly name: Signal<string>;
  readonly role = signal<Role>("publisher");
  readonly joining = signal(false);
  readonly error = signal<Cause | null>(null);
  readonly devices: LocalDevices;
  readonly announcer: Announcer;
  readonly storage: PageStorage;
  readonly recordingControl: RecordingControl;
  readonly recordings: Recordings;
  readonly roomTitle: string;
  readonly #dependencies: PageDependencies;

  constructor(dependencies: PageDependencies) {
    this.#dependencies = dependencies;
    this.devices = dependencies.devices;
    this.announcer = dependencies.announcer;
    this.storage = dependencies.storage;
    this.recordingControl = dependencies.recordingControl;
    this.recordings = dependencies.recordings;
    this.roomTitle = titleOf(dependencies.link.roomName);
    this.name = signal(dependencies.storage.preferences().name);
  }

  /** Checks the link, then shows the form; a camera permission is requested only where there is something to publish in. */
  async open(): Promise<void> {
    this.state.value = { view: "opening" };
    this.error.value = null;
    try {
      if (!this.#dependencies.link.roomName) throw new AppError("no_link");
      if (!this.#dependencies.hasWebRtc) throw new AppError("no_webrtc");
      this.role.value = await this.#dependencies.api.role(this.#dependencies.link);
    } catch (error) {
      this.#end(causeOf(error));
      return;
    }
    this.state.value = { view: "prejoin" };
    if (this.role.value !== "viewer") void this.devices.start();
    // preloaded for Join, which reports a failure
    this.#dependencies.loadMeeting().catch(() => undefined);
  }

  async join(): Promise<void> {
    const name = this.name.value.trim();
    if (this.joining.value) return;
    this.joining.value = true;
    this.error.value = null;
    try {
      await this.#connect(name);
    } catch (error) {
      this.#fail(causeOf(error));
    } finally {
      this.joining.value = false;
    }
  }

  async #connect(participantName: string): Promise<void> {
    const { api, link, storage } = this.#dependencies;
    const loading = this.#dependencies.loadMeeting().catch((cause: unknown) => {
      throw new AppError("server_unreachable", { cause });
    });
    const [Meeting, token] = await Promise.all([
      loading,
      api.token(link, participantName, storage.token(link.roomName)),
    ]);
    storage.saveToken(link.roomName, token);
    this.#savePreferences(participantName);
    const { livekitUrl, role } = claimsOf(token);
    this.role.value = role;
    const options = {
      livekitUrl,
      token,
      onTokenRefreshed: (newer: string) => storage.saveToken(link.roomName, newer),
      detachTracks: () => this.devices.detachTracks(),
    };
    const meeting = await Meeting.join(options, this.announcer, (cause) => this.#end(cause));
    if (role === "moderator") {
      void this.recordingControl.load();
      this.recordings.follow(meeting.recording);
    }
    this.state.value = { view: "meeting", meeting };
  }

  #savePreferences(name: string): void {
    const { camera, microphone } = this.devices;
    this.storage.savePreferences({
      name,
      cameraOn: camera.on.value,
      cameraId: camera.selectedId.value,
      microphoneOn: microphone.on.value,
      microphoneId: microphone.selectedId.value,
    });
  }

  #fail(cause: Cause): void {
    if (isRecoverableInForm(cause)) this.error.value = cause;
    else this.#end(cause);
  }

  #end(cause: Cause | null): void {
    this.devices.stop();
    this.state.value = { view: "ended", cause };
  }
}

function claimsOf(token: string): Claims {
  try {
    return readClaims(token);
  } catch (cause) {
    throw new AppError("unexpected", { cause });
  }
}

/** The part of a room's name that was chosen; the rest is a random suffix. */
export function titleOf(roomName: string): string {
  return /^(.+)-[a-z0-9]{15}$/.exec(roomName)?.[1] ?? "";
}
