import { batch, computed, effect, type Signal, signal, untracked } from "@preact/signals-core";
import type { FunctionComponent } from "preact";
import { type Claims, identityOf, type Role, readClaims } from "../api/claims.ts";
import type { LobbyApi } from "../api/lobby.ts";
import type { MeetingApi } from "../api/meeting.ts";
import type { MeetingLink, ParticipantsApi } from "../api/participants.ts";
import { AppError, type Cause, causeOf, isRecoverableInForm } from "../app_error.ts";
import { text } from "../i18n/index.ts";
import type { Announcer } from "./announcer.ts";
import type { Background } from "./background.ts";
import type { Brand } from "./brand.ts";
import type { Chat } from "./chat.ts";
import type { DeviceKind, LocalDevices } from "./devices.ts";
import { nextName } from "./free_name.ts";
import { type LobbySeat, LobbyWait, type WaitResult } from "./lobby_wait.ts";
import type { Access, Meeting } from "./meeting.ts";
import type { NoiseSuppression } from "./noise.ts";
import type { RecordingControl } from "./recording_control.ts";
import type { Recordings } from "./recordings.ts";
import { type NetworkLike, Returning, type Try } from "./returning.ts";
import type { PageStorage } from "./storage.ts";
import { UpcomingMeeting } from "./upcoming.ts";

export type PageState =
  | { readonly view: "opening" }
  | { readonly view: "prejoin" }
  /** A moderator has to let the user in. */
  | { readonly view: "lobby"; readonly waiting: LobbyWait }
  | { readonly view: "meeting"; readonly meeting: Meeting }
  /** The connection was lost for longer than the SDK tries; the page tries on. */
  | { readonly view: "returning"; readonly returning: Returning }
  /** Something in place of the meeting, for a page around that asks for it. */
  | { readonly view: "other"; readonly Screen: FunctionComponent<{ readonly page: MeetingPage }> }
  /** `cause` is null when the user left. */
  | { readonly view: "ended"; readonly cause: Cause | null };

/** A connection that is lost again sooner than this after a return is not worth another one. */
const STABLE_AFTER_MS = 10_000;

/** A seat from before a reload, one of before a removal, a new one: what needs more is a fault. */
const SEATS_MAX = 3;

/** What may pass while the network or the server comes back. */
const WORTH_ANOTHER_TRY: ReadonlySet<Cause> = new Set<Cause>([
  "server_unreachable",
  "server_stopping",
  "media_blocked",
  "too_many_tries",
  "name_taken",
  "unexpected",
]);

type MeetingCode = Pick<typeof Meeting, "prepare">;

/** What the page needs from outside; tests pass plain objects. */
export interface PageDependencies {
  readonly brand: Brand;
  readonly link: MeetingLink;
  readonly api: ParticipantsApi;
  readonly meetingApi: MeetingApi;
  readonly lobbyApi: LobbyApi;
  readonly recordingControl: RecordingControl;
  readonly recordings: Recordings;
  readonly devices: LocalDevices;
  readonly background: Background;
  readonly noise: NoiseSuppression;
  readonly storage: PageStorage;
  readonly announcer: Announcer;
  readonly hasWebRtc: boolean;
  readonly network: NetworkLike;
  /** Loads the media code: large, so it comes after the form is shown. */
  readonly loadMeeting: () => Promise<MeetingCode>;
}

/** The states of the page: checking the link, the form, the meeting, the end screen. */
export class MeetingPage {
  readonly brand: Brand;
  readonly state = signal<PageState>({ view: "opening" });
  readonly name: Signal<string>;
  readonly role = signal<Role>("publisher");
  readonly joining = signal(false);
  readonly upcoming = new UpcomingMeeting();
  readonly error = signal<Cause | null>(null);
  /** A name that may be free, while the one that was asked for is taken. */
  readonly offeredName = signal<string | null>(null);
  /** What a page around wants: another layout than the user's, and to be told that the user is done. */
  readonly wantedLayout = signal<string | null>(null);
  readonly close = signal<(() => void) | null>(null);
  readonly devices: LocalDevices;
  readonly background: Background;
  readonly noise: NoiseSuppression;
  readonly announcer: Announcer;
  readonly storage: PageStorage;
  readonly recordingControl: RecordingControl;
  readonly recordings: Recordings;
  readonly roomTitle: string;
  readonly #dependencies: PageDependencies;
  #stopFollowing = () => {};
  /** The name for which another one was offered. */
  #ownName: string | null = null;

  constructor(dependencies: PageDependencies) {
    this.#dependencies = dependencies;
    this.brand = dependencies.brand;
    this.devices = dependencies.devices;
    this.background = dependencies.background;
    this.background.follow(this.devices.camera.track);
    this.noise = dependencies.noise;
    this.announcer = dependencies.announcer;
    this.storage = dependencies.storage;
    this.recordingControl = dependencies.recordingControl;
    this.recordings = dependencies.recordings;
    this.roomTitle = titleOf(dependencies.link.roomName);
    // a reload is the same participant again, also one with an offered name
    const token = this.storage.token(dependencies.link.roomName);
    this.name = signal((token && identityOf(token)) || this.storage.preferences().name);
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
    void (this.role.value === "viewer" ? this.devices.list() : this.devices.start());
    void this.#prepare();
    const seat = this.storage.seat(this.#dependencies.link.roomName);
    if (seat?.isWaiting) this.#waitOn(seat);
  }

  async join(): Promise<void> {
    const name = this.name.value.trim();
    await this.#enter(name, async () => {
      try {
        await this.#connect(name);
      } catch (error) {
        if (causeOf(error) !== "lobby") throw error;
        await this.#connectByLobby(name);
      }
    });
  }

  /** Joins under the name that was offered. The user's own name is what is kept for the next meeting. */
  async joinAsOffered(): Promise<void> {
    const { value: offered } = this.offeredName;
    if (!offered) return;
    const own = this.#ownName ?? this.name.value.trim();
    this.name.value = offered;
    this.#ownName = own;
    await this.join();
  }

  /** Goes on waiting in the lobby after a reload. */
  #waitOn({ name }: LobbySeat): void {
    this.name.value = name;
    void this.#enter(name, () => this.#connectByLobby(name));
  }

  async #enter(name: string, connect: () => Promise<void>): Promise<void> {
    if (this.joining.value) return;
    this.joining.value = true;
    this.error.value = null;
    const offered = this.offeredName.value;
    this.offeredName.value = null;
    if (name !== offered) this.#ownName = null;
    try {
      await connect();
      this.#savePreferences(this.#ownName ?? name);
    } catch (error) {
      if (causeOf(error) === "name_taken") this.offeredName.value = nextName(name);
      this.#fail(causeOf(error));
    } finally {
      this.joining.value = false;
    }
  }

  /** Waits in the lobby, then connects. A seat that the server does not accept (any more) is exchanged for a new one. */
  async #connectByLobby(name: string): Promise<void> {
    const { lobbyApi, link, storage } = this.#dependencies;
    for (let seats = 0; seats < SEATS_MAX; seats += 1) {
      const stored = this.#seatOf(name);
      const ticket = stored?.ticket ?? (await lobbyApi.enter(link, name));
      if (ticket === null) return this.#connect(name);
      const result = await this.#wait({ name, ticket });
      if (result === "left") return this.#end(null);
      if (result === "over") throw new AppError("meeting_over");
      if (result === "admitted" && (await this.#connectAdmitted(name))) return;
      storage.saveSeat(link.roomName, null);
      if (result === "refused") throw new AppError("lobby_refused");
    }
    throw new AppError("lobby");
  }

  async #wait(seat: LobbySeat): Promise<WaitResult> {
    const { lobbyApi, link, storage } = this.#dependencies;
    const waiting = new LobbyWait(lobbyApi, link);
    storage.saveSeat(link.roomName, { ...seat, isWaiting: true });
    this.state.value = { view: "lobby", waiting };
    const result = await waiting.run(seat);
    storage.saveSeat(link.roomName, { ...seat, isWaiting: false });
    return result;
  }

  /** @returns false where the ticket is of an earlier time: of before the user was removed. */
  async #connectAdmitted(name: string): Promise<boolean> {
    try {
      await this.#connect(name);
      return true;
    } catch (error) {
      if (causeOf(error) !== "lobby") throw error;
      return false;
    }
  }

  #seatOf(name: string): LobbySeat | null {
    const seat = this.storage.seat(this.#dependencies.link.roomName);
    return seat?.name === name ? seat : null;
  }

  async #connect(participantName: string, before?: Meeting): Promise<void> {
    const loading = this.#dependencies.loadMeeting().catch((cause: unknown) => {
      throw new AppError("server_unreachable", { cause });
    });
    const access = this.#access(participantName);
    // where loading fails first, its failure is the one to report
    access.catch(() => undefined);
    const code = await loading;
    const granted = await access;
    if (before) this.#openAsBefore(before);
    const meeting = this.upcoming.take(() => this.#meetingOf(code, before?.chat));
    const joinedAtMs = Date.now();
    const onEnd = (cause: Cause | null) => {
      const isStable = !before || Date.now() - joinedAtMs > STABLE_AFTER_MS;
      if (cause === "connection_lost" && isStable) void this.#return(meeting);
      else this.#end(cause);
    };
    await meeting.connect(granted, onEnd).catch((error: unknown) => {
      this.upcoming.forget();
      void this.#prepare();
      throw error;
    });
    batch(() => {
      this.#followRole(meeting);
      this.state.value = { view: "meeting", meeting };
      this.upcoming.forget();
    });
  }

  /** Loads the media code and has the meeting made for Join, which reports a failure. */
  async #prepare(): Promise<void> {
    const code = await this.#dependencies.loadMeeting().catch(() => null);
    const { camera, microphone, speaker } = this.devices;
    const choices = computed(() =>
      [this.role, camera.selectedId, microphone.selectedId, speaker.selectedId].map(({ value }) => value).join("\n"),
    );
    const { view } = this.state.peek();
    if (code && (view === "prejoin" || view === "lobby")) this.upcoming.follow(() => this.#meetingOf(code), choices);
  }

  #meetingOf(code: MeetingCode, chat?: Chat): Meeting {
    const { link, storage, meetingApi } = this.#dependencies;
    const options = {
      expectedRole: this.role.peek(),
      api: meetingApi,
      chat,
      background: this.background,
      noise: this.noise,
      speaker: this.devices.speaker,
      hearsMuted: storage.preferences().hearsMuted,
      onTokenRefreshed: (newer: string) => storage.saveToken(link.roomName, newer),
      deviceIds: {
        camera: this.devices.camera.selectedId.peek(),
        microphone: this.devices.microphone.selectedId.peek(),
      },
      detachTrack: (kind: DeviceKind) => this.devices.detach(kind),
      onDeviceSelected: (kind: DeviceKind, id: string) => this.devices.selected(kind, id),
    };
    return code.prepare(options, this.announcer);
  }

  /** Asks for a token of the participant. @throws AppError */
  async #access(participantName: string): Promise<Access> {
    const { api, link, storage } = this.#dependencies;
    const ticket = this.#seatOf(participantName)?.ticket;
    const token = await api.token(link, participantName, storage.token(link.roomName), ticket);
    storage.saveToken(link.roomName, token);
    const { livekitUrl, role } = claimsOf(token);
    this.role.value = role;
    return { livekitUrl, token };
  }

  /** Offers what the role and the room allow: both can change during the meeting. */
  #followRole(meeting: Meeting): void {
    let wasModerator = false;
    this.#stopFollowing();
    this.#stopFollowing = effect(() => {
      const isModerator = meeting.role.value === "moderator";
      this.recordingControl.available.value = isModerator && meeting.settings.current.value?.recording === true;
      untracked(() => {
        if (!isModerator) this.recordings.forget();
        else if (!wasModerator) this.recordings.follow(meeting.recording);
      });
      wasModerator = isModerator;
    });
  }

  /** Comes back into a meeting whose connection was lost, with the devices as they were. */
  async #return(lost: Meeting): Promise<void> {
    const returning = new Returning(this.#dependencies.network);
    this.state.value = { view: "returning", returning };
    this.announcer.announce(text.announce.returning);
    const tried = await returning.run(() => this.#tryToReturn(lost, returning));
    if (!tried) this.#end(returning.isStopped ? null : "connection_lost");
  }

  async #tryToReturn(lost: Meeting, returning: Returning): Promise<Try> {
    try {
      await this.#connect(this.name.value.trim(), lost);
      if (returning.isStopped) this.#leaveAfterAll();
      return "done";
    } catch (error) {
      this.devices.stop();
      const cause = causeOf(error);
      if (WORTH_ANOTHER_TRY.has(cause)) return "again";
      this.#end(cause);
      return "over";
    }
  }

  /** The user gave up while the last try was under way. */
  #leaveAfterAll(): void {
    const state = this.state.value;
    if (state.view === "meeting") void state.meeting.leave();
  }

  #openAsBefore(before: Meeting): void {
    for (const kind of ["camera", "microphone"] as const) {
      this.devices[kind].on.value = before[kind].wanted;
      this.devices[kind].selectedId.value = before.selectedDeviceId(kind) || this.devices[kind].selectedId.value;
    }
    if (this.role.value !== "viewer") void this.devices.start();
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
    if (!isRecoverableInForm(cause)) this.#end(cause);
    else {
      this.error.value = cause;
      if (this.state.value.view === "lobby") this.state.value = { view: "prejoin" };
    }
  }

  #end(cause: Cause | null): void {
    this.devices.stop();
    this.background.stop();
    this.upcoming.forget();
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
