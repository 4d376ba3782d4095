import { computed, type Signal, signal } from "@preact/signals-core";
import { type DisconnectReason, type Participant, type Room, RoomEvent, Track } from "livekit-client";
import type { Role } from "../api/claims.ts";
import type { MeetingApi } from "../api/meeting.ts";
import { AppError, type Cause, causeOf } from "../app_error.ts";
import { text } from "../i18n/index.ts";
import type { Announcer } from "./announcer.ts";
import type { Background } from "./background.ts";
import { CameraFlip } from "./camera_flip.ts";
import { Chat } from "./chat.ts";
import { Conversation } from "./conversation.ts";
import { DeviceWatch } from "./device_watch.ts";
import { type DetachedTrack, type DeviceKind, INPUT_KIND } from "./devices.ts";
import { oncePerFrame } from "./frames.ts";
import { Hand } from "./hand.ts";
import { LiveEffects } from "./live_effects.ts";
import { LiveSettings } from "./live_settings.ts";
import { LobbyGuests } from "./lobby_guests.ts";
import { LiveDevice, type MediaFailure, type TrackEffect } from "./local_media.ts";
import { causeOfConnectError, causeOfDisconnect } from "./media_errors.ts";
import { Moderation } from "./moderation.ts";
import { Network } from "./network.ts";
import type { NoiseSuppression } from "./noise.ts";
import { Notices } from "./notices.ts";
import { People } from "./people.ts";
import { PushToTalk } from "./push_to_talk.ts";
import { Reactions, spokenReaction, spokenReactions } from "./reactions.ts";
import { newRoom } from "./room.ts";
import { EMPTY_ROSTER, HAND_ATTRIBUTE, handRaisedAt, type ParticipantLike, roleOf, rosterOf } from "./roster.ts";
import { ScreenShare } from "./screen_share.ts";
import { onServerMessage, type ServerTopic } from "./server_messages.ts";
import type { Speaker } from "./speaker.ts";
import { pauseUnseenVideos } from "./unseen_videos.ts";

/** Where to connect, and with which token. */
export interface Access {
  readonly livekitUrl: string;
  readonly token: string;
}

/** What a meeting needs of the page, and how to get the tracks that the form has opened or is opening. */
export interface MeetingOptions {
  /** What the link gives, until the media server says it. */
  readonly expectedRole: Role;
  readonly api: MeetingApi;
  /** The chat so far, where the page comes back into a meeting. */
  readonly chat?: Chat | undefined;
  readonly background: Background;
  readonly noise: NoiseSuppression;
  readonly speaker: Pick<Speaker, "selectedId" | "fail">;
  /** Whether to tell users who speak while they are muted. */
  readonly hearsMuted: boolean;
  /** Which devices the user chose; empty for the standard ones. */
  readonly deviceIds: Readonly<Record<DeviceKind, string>>;
  /** What the form has opened, or is opening while the browser asks. */
  readonly detachTrack: (kind: DeviceKind) => Promise<DetachedTrack>;
  readonly onDeviceSelected: (kind: DeviceKind, id: string) => void;
  /** Called with each newer token: the media server sends one every few minutes, the first at once. */
  readonly onTokenRefreshed: (token: string) => void;
}

/** Everything after which the roster can change. */
const ROSTER_EVENTS = [
  RoomEvent.ParticipantConnected,
  RoomEvent.ParticipantDisconnected,
  RoomEvent.ParticipantNameChanged,
  RoomEvent.ParticipantPermissionsChanged,
  RoomEvent.ParticipantAttributesChanged,
  RoomEvent.ParticipantMetadataChanged,
  RoomEvent.TrackPublished,
  RoomEvent.TrackUnpublished,
  RoomEvent.TrackSubscribed,
  RoomEvent.TrackUnsubscribed,
  RoomEvent.TrackMuted,
  RoomEvent.TrackUnmuted,
  RoomEvent.LocalTrackPublished,
  RoomEvent.LocalTrackUnpublished,
  RoomEvent.ActiveSpeakersChanged,
  RoomEvent.ConnectionQualityChanged,
  RoomEvent.Reconnected,
] as const;

/** A running meeting as its local participant has it: the state that the views show, and the actions. */
export class Meeting {
  readonly roster = signal(EMPTY_ROSTER);
  readonly reconnecting = signal(false);
  readonly recording = signal(false);
  readonly audioBlocked = signal(false);
  /** The user's own role, which a moderator can change during the meeting. */
  readonly role: Signal<Role>;
  readonly settings: LiveSettings;
  readonly canPublish: Signal<boolean>;
  readonly canChat = signal(false);
  readonly videoBlocked = signal(false);
  readonly error = signal<MediaFailure | null>(null);
  readonly microphone: LiveDevice;
  readonly camera: LiveDevice;
  readonly screenShare: ScreenShare;
  readonly cameraFlip: CameraFlip;
  readonly hand: Hand;
  readonly reactions: Reactions;
  readonly moderation: Moderation;
  /** The guests in the lobby. */
  readonly guests: LobbyGuests;
  readonly people = new People(this.roster);
  readonly notices = new Notices();
  readonly devices: DeviceWatch;
  readonly effects: LiveEffects;
  readonly network: Network;
  readonly pushToTalk: PushToTalk;
  readonly chat: Chat;
  readonly conversation: Conversation;
  readonly #room: Room;
  readonly #announcer: Announcer;
  readonly #options: MeetingOptions;

  private constructor(room: Room, announcer: Announcer, options: MeetingOptions) {
    this.#room = room;
    this.#options = options;
    this.role = signal(options.expectedRole);
    this.canPublish = signal(options.expectedRole !== "viewer");
    this.chat = options.chat ?? new Chat();
    this.#announcer = announcer;
    this.microphone = new LiveDevice("microphone", room, this.error, options.noise as TrackEffect);
    this.camera = new LiveDevice("camera", room, this.error, options.background as TrackEffect);
    this.screenShare = new ScreenShare(room, this.error);
    this.cameraFlip = new CameraFlip(room, this.camera, (id) => options.onDeviceSelected("camera", id));
    const identity = () => room.localParticipant.identity;
    const fail = (error: unknown) => this.#fail(error);
    this.hand = new Hand(options.api, identity, fail);
    this.reactions = new Reactions((reaction) => options.api.react(identity(), reaction), fail);
    this.moderation = new Moderation(options.api, fail);
    this.guests = new LobbyGuests(options.api, this.notices, announcer, fail);
    this.settings = new LiveSettings(options.api);
    const { chat, settings } = this;
    this.conversation = new Conversation({ chat, room, api: options.api, settings, announcer });
    this.network = new Network(room, announcer);
    this.devices = new DeviceWatch(room, this, this.notices, announcer, options);
    this.effects = new LiveEffects(this, options, this.notices, announcer);
    this.pushToTalk = new PushToTalk(this.microphone, (on) => this.set("microphone", on));
  }

  /** Makes one that can be drawn, and connected later. */
  static prepare(options: MeetingOptions, announcer: Announcer, room: Room = newRoom(options)): Meeting {
    const meeting = new Meeting(room, announcer, options);
    meeting.conversation.listen();
    pauseUnseenVideos(room);
    onServerMessage(room, (topic, body) => meeting.#onServerMessage(topic, body));
    // the SDK stores it for its own reconnects and has no public event for it
    room.engine.on("tokenRefreshed", options.onTokenRefreshed);
    return meeting;
  }

  /**
   * Connects, then publishes the tracks that are open.
   * @param onEnd is called once, with null when the user left.
   * @throws AppError
   */
  async connect({ livekitUrl, token }: Access, onEnd: (cause: Cause | null) => void): Promise<void> {
    const room = this.#room;
    await room.connect(livekitUrl, token).catch((cause: unknown) => {
      throw new AppError(causeOfConnectError(cause), { cause });
    });
    this.#listen(onEnd);
    this.devices.start();
    this.#refresh();
    const settled = this.#loadSettings();
    void this.#catchUp(settled);
    this.effects.start();
    this.recording.value = room.isRecording;
    this.#announcer.announce(text.announce.inMeeting);
    if (room.isRecording) this.#announcer.announce(text.announce.recordingOn);
    const { detachTrack } = this.#options;
    void this.microphone.publish(detachTrack("microphone"));
    // whether the room allows the background has to be known before the others see it
    void this.camera.publish(this.effects.ready(detachTrack("camera"), settled));
  }

  toggle(kind: DeviceKind): Promise<void> {
    return this.set(kind, !this[kind].on.value);
  }

  async set(kind: DeviceKind, on: boolean): Promise<void> {
    await this[kind].set(on);
    this.#announcer.announce(text.announce[kind][this[kind].on.value ? "on" : "off"]);
  }

  selectedDeviceId(kind: DeviceKind): string {
    return this.#room.getActiveDevice(INPUT_KIND[kind]) ?? "";
  }

  async selectDevice(kind: DeviceKind, id: string): Promise<void> {
    const before = this.selectedDeviceId(kind);
    this.#options.onDeviceSelected(kind, id);
    const take = (deviceId: string) => this.#room.switchActiveDevice(INPUT_KIND[kind], deviceId);
    await this[kind].replace(
      () => take(id),
      async () => {
        await take(before);
        this.#options.onDeviceSelected(kind, before);
      },
      id,
    );
  }

  /** Tries a device again that has failed: the same one, or, where it is gone, the first that there is. */
  async retry(kind: DeviceKind): Promise<void> {
    const options = await this.devices.options(kind);
    const { chosenId } = this.error.value ?? {};
    if (chosenId && options.some(({ id }) => id === chosenId)) return this.selectDevice(kind, chosenId);
    const [first] = options;
    if (first && !options.some(({ id }) => id === this.selectedDeviceId(kind))) await this.selectDevice(kind, first.id);
    await this[kind].set(true);
  }

  /** Starts what the browser holds back until the user presses something. */
  async startPlayback(): Promise<void> {
    await Promise.all([this.#room.startAudio(), this.#room.startVideo()]);
  }

  async leave(): Promise<void> {
    await this.#room.disconnect();
  }

  #listen(onEnd: (cause: Cause | null) => void): void {
    const room = this.#room;
    const { announce } = text;
    const hasGuests = computed(() => this.role.value === "moderator" && this.settings.current.value?.lobby === true);
    const stopGuests = this.guests.follow(hasGuests);
    const refresh = oncePerFrame(() => this.#refresh());
    for (const event of ROSTER_EVENTS) room.on(event, refresh);
    room
      .on(RoomEvent.ParticipantConnected, (participant) =>
        this.#announcer.announceInGroups("joined", nameOf(participant), announce.joined),
      )
      .on(RoomEvent.ParticipantDisconnected, (participant) =>
        this.#announcer.announceInGroups("left", nameOf(participant), announce.left),
      )
      .on(RoomEvent.TrackSubscribed, ({ source }, _publication, participant) => {
        if (source === Track.Source.ScreenShare) this.#announcer.announce(announce.screenShared(nameOf(participant)));
      })
      .on(RoomEvent.TrackUnpublished, ({ source }, participant) => {
        if (source === Track.Source.ScreenShare) this.#announcer.announce(announce.screenEnded(nameOf(participant)));
      })
      .on(RoomEvent.LocalTrackPublished, ({ source }) => {
        if (source === Track.Source.ScreenShare) this.#announcer.announce(announce.shareOn);
      })
      .on(RoomEvent.LocalTrackUnpublished, ({ source }) => {
        // also by the browser's own button, or because the window was closed
        if (source === Track.Source.ScreenShare) this.#announcer.announce(announce.shareOff);
      })
      .on(RoomEvent.ParticipantAttributesChanged, (changed, participant) => this.#announceHand(changed, participant))
      .on(RoomEvent.TrackMuted, () => this.#settle())
      .on(RoomEvent.TrackUnmuted, () => this.#settle())
      .on(RoomEvent.Reconnecting, () => this.#setReconnecting(true))
      .on(RoomEvent.SignalReconnecting, () => this.#setReconnecting(true))
      .on(RoomEvent.Reconnected, () => {
        this.#setReconnecting(false);
        void this.#catchUp();
      })
      .on(RoomEvent.AudioPlaybackStatusChanged, () => {
        this.audioBlocked.value = !room.canPlaybackAudio;
      })
      .on(RoomEvent.VideoPlaybackStatusChanged, () => {
        this.videoBlocked.value = !room.canPlaybackVideo;
      })
      .on(RoomEvent.RecordingStatusChanged, (recording) => {
        this.recording.value = recording;
        this.#announcer.announce(recording ? announce.recordingOn : announce.recordingOff);
      })
      .on(RoomEvent.Disconnected, (reason?: DisconnectReason) => {
        stopGuests();
        this.effects.stop();
        onEnd(causeOfDisconnect(reason));
      });
  }

  /** Asks for what was told while the page was not connected. */
  async #loadSettings(): Promise<void> {
    await this.settings.load();
    this.#refresh();
  }

  async #catchUp(settled = this.#loadSettings()): Promise<void> {
    await settled;
    if (this.canChat.value) await this.conversation.catchUp();
  }

  /** Shows what the server refused; the meeting goes on. */
  #fail(error: unknown): void {
    this.error.value = { device: null, cause: causeOf(error) };
  }

  #onServerMessage(topic: ServerTopic, body: Readonly<Record<string, unknown>>): void {
    if (topic === "tertulia.reaction") this.#onReaction(body);
    if (topic === "tertulia.chat") this.conversation.receive(body);
    if (topic === "tertulia.room") this.#onSettings(body);
    if (topic === "tertulia.lobby") void this.guests.refresh();
    if (topic === "tertulia.ask-to-unmute") this.devices.onAskedToUnmute();
    if (topic === "tertulia.notice") this.#onNotice(String(body.message ?? "").trim());
  }

  /** What the administrator tells all who are in the room. */
  #onNotice(message: string): void {
    if (!message) return;
    this.notices.show({ kind: "from_console", message });
    this.#announcer.announce(text.notices.from_console(message));
  }

  #onReaction(body: Readonly<Record<string, unknown>>): void {
    const received = this.reactions.receive(body);
    const by = received && this.#room.remoteParticipants.get(received.identity);
    if (by) this.#announcer.announceSignal("reactions", spokenReaction(nameOf(by), received.reaction), spokenReactions);
  }

  #onSettings(body: Readonly<Record<string, unknown>>): void {
    const before = this.settings.current.value;
    const settings = this.settings.receive(body);
    if (before && settings && before.locked !== settings.locked)
      this.#announcer.announce(settings.locked ? text.announce.locked : text.announce.unlocked);
    this.#refresh();
  }

  #announceHand(changed: Readonly<Record<string, string>>, participant: Participant): void {
    if (!(HAND_ATTRIBUTE in changed)) return;
    const { announce } = text;
    const isUp = handRaisedAt(participant) !== null;
    if (participant.isLocal) this.#announcer.announce(isUp ? announce.handUp : announce.handDown);
    else if (isUp) this.#announcer.announceSignal("hands", nameOf(participant), announce.handsRaised);
  }

  #settle(): void {
    this.microphone.settle();
    this.camera.settle();
  }

  #setReconnecting(reconnecting: boolean): void {
    if (this.reconnecting.value === reconnecting) return;
    this.reconnecting.value = reconnecting;
    this.#announcer.announce(reconnecting ? text.announce.reconnecting : text.announce.reconnected);
  }

  #refresh(): void {
    const { localParticipant: me, remoteParticipants } = this.#room;
    // both kinds of track can be attached, which is all that the tiles need
    this.roster.value = rosterOf([me, ...remoteParticipants.values()] as unknown as readonly ParticipantLike[]);
    this.canPublish.value = me.permissions?.canPublish ?? false;
    this.canChat.value = (me.permissions?.canPublishData ?? false) && this.settings.current.value?.chat !== false;
    this.role.value = roleOf(me as unknown as ParticipantLike) ?? this.role.value;
    this.microphone.refresh();
    this.camera.refresh();
    this.screenShare.refresh();
    this.hand.refresh(handRaisedAt(me) !== null, me.isSpeaking);
  }
}

function nameOf(participant: Participant): string {
  return participant.name || participant.identity;
}
