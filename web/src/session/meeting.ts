import { signal } from "@preact/signals-core";
import {
  ConnectionState,
  DefaultReconnectPolicy,
  type DisconnectReason,
  LocalAudioTrack,
  LocalVideoTrack,
  type Participant,
  Room,
  RoomEvent,
  setLogLevel,
  Track,
  VideoPresets,
} from "livekit-client";
import { AppError, type Cause } from "../app_error.ts";
import { text } from "../i18n/index.ts";
import type { Announcer } from "./announcer.ts";
import { CHAT_TOPIC, Chat } from "./chat.ts";
import { type DeviceKind, type DeviceOption, deviceCause, type LocalTracks, optionsOf } from "./devices.ts";
import { causeOfConnectError, causeOfDisconnect } from "./media_errors.ts";
import { EMPTY_ROSTER, type ParticipantLike, rosterOf } from "./roster.ts";

/** Where to connect, with which token, and how to get the tracks that the form has opened or is opening. */
export interface JoinOptions {
  readonly livekitUrl: string;
  readonly token: string;
  /** Called with each newer token: the media server sends one every few minutes, the first at once. */
  readonly onTokenRefreshed: (token: string) => void;
  readonly detachTracks: () => Promise<LocalTracks>;
}

/** Everything after which the roster can change. */
const ROSTER_EVENTS = [
  RoomEvent.ParticipantConnected,
  RoomEvent.ParticipantDisconnected,
  RoomEvent.ParticipantNameChanged,
  RoomEvent.ParticipantPermissionsChanged,
  RoomEvent.TrackPublished,
  RoomEvent.TrackUnpublished,
  RoomEvent.TrackSubscribed,
  RoomEvent.TrackUnsubscribed,
  RoomEvent.TrackMuted,
  RoomEvent.TrackUnmuted,
  RoomEvent.LocalTrackPublished,
  RoomEvent.LocalTrackUnpublished,
  RoomEvent.ActiveSpeakersChanged,
  RoomEvent.Reconnected,
] as const;

/**
 * When to reconnect after the connection broke (the SDK adds half as much at random): for about a minute, in short steps,
 * since the user is waiting. The SDK's own steps of seven seconds would delay the return after a restart.
 */
const RECONNECT_DELAYS_MS = [0, 300, 600, 1000, ...Array<number>(30).fill(2000)];

const SOURCE_KIND = { camera: "videoinput", microphone: "audioinput" } as const;

/** A running meeting as its local participant has it: the state that the views show, and the actions. */
export class Meeting {
  readonly roster = signal(EMPTY_ROSTER);
  readonly reconnecting = signal(false);
  readonly recording = signal(false);
  readonly audioBlocked = signal(false);
  readonly canPublish = signal(false);
  readonly canChat = signal(false);
  readonly microphoneOn = signal(false);
  readonly cameraOn = signal(false);
  readonly screenShareOn = signal(false);
  readonly error = signal<{ readonly device: DeviceKind | null; readonly cause: Cause } | null>(null);
  readonly chat = new Chat();
  readonly #room: Room;
  readonly #announcer: Announcer;

  private constructor(room: Room, announcer: Announcer) {
    this.#room = room;
    this.#announcer = announcer;
  }

  /**
   * Connects, then publishes the tracks that are open.
   * @param onEnd is called once, with null when the user left.
   * @throws AppError
   */
  static async join(
    options: JoinOptions,
    announcer: Announcer,
    onEnd: (cause: Cause | null) => void,
  ): Promise<Meeting> {
    // names of participants do not belong in the console
    setLogLevel("error");
    const room = new Room({
      adaptiveStream: true,
      dynacast: true,
      videoCaptureDefaults: { resolution: VideoPresets.h720.resolution },
      reconnectPolicy: new DefaultReconnectPolicy(RECONNECT_DELAYS_MS),
      publishDefaults: { simulcast: true, videoCodec: "vp8" },
    });
    const meeting = new Meeting(room, announcer);
    meeting.#listenToChat();
    // the SDK stores it for its own reconnects and has no public event for it
    room.engine.on("tokenRefreshed", options.onTokenRefreshed);
    await room.connect(options.livekitUrl, options.token).catch((cause: unknown) => {
      throw new AppError(causeOfConnectError(cause), { cause });
    });
    meeting.#listen(onEnd);
    meeting.#refresh();
    meeting.recording.value = room.isRecording;
    announcer.announce(text.announce.inMeeting);
    if (room.isRecording) announcer.announce(text.announce.recordingOn);
    void options.detachTracks().then((tracks) => meeting.#publish(tracks));
    return meeting;
  }

  async toggleMicrophone(): Promise<void> {
    await this.#change("microphone", () => {
      const { localParticipant: me } = this.#room;
      return me.setMicrophoneEnabled(!me.isMicrophoneEnabled);
    });
    this.#announcer.announce(this.microphoneOn.value ? text.announce.micOn : text.announce.micOff);
  }

  async toggleCamera(): Promise<void> {
    await this.#change("camera", () => {
      const { localParticipant: me } = this.#room;
      return me.setCameraEnabled(!me.isCameraEnabled);
    });
    this.#announcer.announce(this.cameraOn.value ? text.announce.cameraOn : text.announce.cameraOff);
  }

  async toggleScreenShare(): Promise<void> {
    const { localParticipant: me } = this.#room;
    try {
      await me.setScreenShareEnabled(!me.isScreenShareEnabled, { audio: true, contentHint: "detail" });
    } catch (error) {
      // the user dismissed the browser's prompt: that is not a failure
      if (deviceCause(error) !== "device_denied") this.error.value = { device: null, cause: "share_failed" };
    }
    this.#refresh();
  }

  async deviceOptions(kind: DeviceKind): Promise<readonly DeviceOption[]> {
    return optionsOf(await Room.getLocalDevices(SOURCE_KIND[kind], false), kind);
  }

  selectedDeviceId(kind: DeviceKind): string {
    return this.#room.getActiveDevice(SOURCE_KIND[kind]) ?? "";
  }

  async selectDevice(kind: DeviceKind, id: string): Promise<void> {
    await this.#change(kind, () => this.#room.switchActiveDevice(SOURCE_KIND[kind], id));
  }

  /** @returns whether it was sent. */
  async send(message: string): Promise<boolean> {
    const { localParticipant: me } = this.#room;
    try {
      const { id } = await me.sendText(message, { topic: CHAT_TOPIC });
      this.chat.add({ id, from: me.name || me.identity, mine: true, text: message, sentAt: new Date() });
      return true;
    } catch {
      this.error.value = { device: null, cause: "message_not_sent" };
      return false;
    }
  }

  async startAudio(): Promise<void> {
    await this.#room.startAudio();
  }

  async leave(): Promise<void> {
    await this.#room.disconnect();
  }

  #listen(onEnd: (cause: Cause | null) => void): void {
    const room = this.#room;
    const { announce } = text;
    for (const event of ROSTER_EVENTS) room.on(event, () => this.#refresh());
    room
      .on(RoomEvent.ParticipantConnected, (participant) =>
        this.#announcer.announce(announce.joined(nameOf(participant))),
      )
      .on(RoomEvent.ParticipantDisconnected, (participant) =>
        this.#announcer.announce(announce.left(nameOf(participant))),
      )
      .on(RoomEvent.TrackSubscribed, (track, _publication, participant) => {
        if (track.source === Track.Source.ScreenShare)
          this.#announcer.announce(announce.screenShared(nameOf(participant)));
      })
      .on(RoomEvent.Reconnecting, () => this.#setReconnecting(true))
      .on(RoomEvent.SignalReconnecting, () => this.#setReconnecting(true))
      .on(RoomEvent.Reconnected, () => this.#setReconnecting(false))
      .on(RoomEvent.AudioPlaybackStatusChanged, () => {
        this.audioBlocked.value = !room.canPlaybackAudio;
      })
      .on(RoomEvent.RecordingStatusChanged, (recording) => {
        this.recording.value = recording;
        this.#announcer.announce(recording ? announce.recordingOn : announce.recordingOff);
      })
      .on(RoomEvent.Disconnected, (reason?: DisconnectReason) => onEnd(causeOfDisconnect(reason)));
  }

  #listenToChat(): void {
    this.#room.registerTextStreamHandler(CHAT_TOPIC, async (reader, { identity }) => {
      const message = await reader.readAll();
      const from = this.#room.remoteParticipants.get(identity);
      const name = from ? nameOf(from) : identity;
      this.chat.add({
        id: reader.info.id,
        from: name,
        mine: false,
        text: message,
        sentAt: new Date(reader.info.timestamp),
      });
      this.#announcer.announce(text.announce.message(name, message));
    });
  }

  async #publish({ camera, microphone }: LocalTracks): Promise<void> {
    const { localParticipant: me } = this.#room;
    if (!this.canPublish.value || this.#room.state === ConnectionState.Disconnected) {
      camera?.stop();
      microphone?.stop();
      return;
    }
    // the SDK owns them from here: it closes the camera on mute and opens it again
    const publications = [
      microphone &&
        this.#change("microphone", () => me.publishTrack(audio(microphone), { source: Track.Source.Microphone })),
      camera && this.#change("camera", () => me.publishTrack(video(camera), { source: Track.Source.Camera })),
    ];
    await Promise.all(publications);
  }

  /** Changes a device; a failure becomes `error` and the meeting goes on. */
  async #change(device: DeviceKind, act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
      if (this.error.value?.device === device) this.error.value = null;
    } catch (error) {
      this.error.value = { device, cause: deviceCause(error) };
    }
    this.#refresh();
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
    this.canChat.value = me.permissions?.canPublishData ?? false;
    this.microphoneOn.value = me.isMicrophoneEnabled;
    this.cameraOn.value = me.isCameraEnabled;
    this.screenShareOn.value = me.isScreenShareEnabled;
  }
}

function nameOf(participant: Participant): string {
  return participant.name || participant.identity;
}

function audio(track: MediaStreamTrack): LocalAudioTrack {
  return new LocalAudioTrack(track, track.getConstraints(), false);
}

function video(track: MediaStreamTrack): LocalVideoTrack {
  return new LocalVideoTrack(track, track.getConstraints(), false);
}
