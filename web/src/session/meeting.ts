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
import { text } from "../i18n/index.ts";
import { type Cause, Trouble } from "../trouble.ts";
import type { Announcer } from "./announcer.ts";
import { CHAT_TOPIC, Chat } from "./chat.ts";
import { choicesOf, type DeviceChoice, type DeviceKind, deviceCause, type OpenTracks } from "./devices.ts";
import { causeOfConnectError, causeOfDisconnect } from "./media_errors.ts";
import { EMPTY_ROSTER, type ParticipantLike, rosterOf } from "./roster.ts";

/** With what somebody enters: where to, as whom, and how to get the tracks that were (being) opened before. */
export interface Entry {
  readonly livekitUrl: string;
  readonly token: string;
  /** Called with each newer token: the media server sends one every few minutes, the first at once. */
  readonly onToken: (token: string) => void;
  readonly takeTracks: () => Promise<OpenTracks>;
}

/** Everything after which the stage can look different. */
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
 * When to try again after the connection broke (the SDK adds half as much at random): about a minute, and never a long
 * wait, since a person waits with it. The SDK's own steps of seven seconds keep people out long after a restart.
 */
const RECONNECT_DELAYS_MS = [0, 300, 600, 1000, ...Array<number>(30).fill(2000)];

const SOURCE_KIND = { camera: "videoinput", microphone: "audioinput" } as const;

/** A running meeting as one participant has it: what the views show, and what can be done in it. */
export class Meeting {
  readonly roster = signal(EMPTY_ROSTER);
  readonly reconnecting = signal(false);
  readonly recording = signal(false);
  readonly soundBlocked = signal(false);
  readonly mayPublish = signal(false);
  readonly mayChat = signal(false);
  readonly microphoneOn = signal(false);
  readonly cameraOn = signal(false);
  readonly sharing = signal(false);
  readonly notice = signal<{ readonly about: "camera" | "microphone" | null; readonly cause: Cause } | null>(null);
  readonly chat = new Chat();
  readonly #room: Room;
  readonly #announcer: Announcer;

  private constructor(room: Room, announcer: Announcer) {
    this.#room = room;
    this.#announcer = announcer;
  }

  /**
   * Connects, then publishes what was open before.
   * @param onEnd is called once, with null when the person left on purpose.
   * @throws Trouble
   */
  static async join(entry: Entry, announcer: Announcer, onEnd: (cause: Cause | null) => void): Promise<Meeting> {
    // the console is no place for who is in a meeting
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
    // the SDK keeps it for its own reconnects and tells it nowhere else
    room.engine.on("tokenRefreshed", entry.onToken);
    await room.connect(entry.livekitUrl, entry.token).catch((cause: unknown) => {
      throw new Trouble(causeOfConnectError(cause), { cause });
    });
    meeting.#listen(onEnd);
    meeting.#refresh();
    meeting.recording.value = room.isRecording;
    announcer.say(text.announce.inMeeting);
    if (room.isRecording) announcer.say(text.announce.recordingOn);
    void entry.takeTracks().then((tracks) => meeting.#publish(tracks));
    return meeting;
  }

  async toggleMicrophone(): Promise<void> {
    await this.#change("microphone", () => {
      const { localParticipant: me } = this.#room;
      return me.setMicrophoneEnabled(!me.isMicrophoneEnabled);
    });
    this.#announcer.say(this.microphoneOn.value ? text.announce.micOn : text.announce.micOff);
  }

  async toggleCamera(): Promise<void> {
    await this.#change("camera", () => {
      const { localParticipant: me } = this.#room;
      return me.setCameraEnabled(!me.isCameraEnabled);
    });
    this.#announcer.say(this.cameraOn.value ? text.announce.cameraOn : text.announce.cameraOff);
  }

  async toggleSharing(): Promise<void> {
    const { localParticipant: me } = this.#room;
    try {
      await me.setScreenShareEnabled(!me.isScreenShareEnabled, { audio: true, contentHint: "detail" });
    } catch (error) {
      // the person closed the browser's question: that is an answer, not a failure
      if (deviceCause(error) !== "device_denied") this.notice.value = { about: null, cause: "share_failed" };
    }
    this.#refresh();
  }

  async choices(kind: DeviceKind): Promise<readonly DeviceChoice[]> {
    return choicesOf(await Room.getLocalDevices(SOURCE_KIND[kind], false), kind);
  }

  chosenId(kind: DeviceKind): string {
    return this.#room.getActiveDevice(SOURCE_KIND[kind]) ?? "";
  }

  async choose(kind: DeviceKind, id: string): Promise<void> {
    await this.#change(kind, () => this.#room.switchActiveDevice(SOURCE_KIND[kind], id));
  }

  /** @returns whether it was sent; what was typed is kept otherwise. */
  async send(message: string): Promise<boolean> {
    const { localParticipant: me } = this.#room;
    try {
      const { id } = await me.sendText(message, { topic: CHAT_TOPIC });
      this.chat.add({ id, from: me.name || me.identity, mine: true, text: message, sentAt: new Date() });
      return true;
    } catch {
      this.notice.value = { about: null, cause: "message_not_sent" };
      return false;
    }
  }

  async enableSound(): Promise<void> {
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
      .on(RoomEvent.ParticipantConnected, (who) => this.#announcer.say(announce.joined(nameOf(who))))
      .on(RoomEvent.ParticipantDisconnected, (who) => this.#announcer.say(announce.left(nameOf(who))))
      .on(RoomEvent.TrackSubscribed, (track, _publication, who) => {
        if (track.source === Track.Source.ScreenShare) this.#announcer.say(announce.screenShared(nameOf(who)));
      })
      .on(RoomEvent.Reconnecting, () => this.#setReconnecting(true))
      .on(RoomEvent.SignalReconnecting, () => this.#setReconnecting(true))
      .on(RoomEvent.Reconnected, () => this.#setReconnecting(false))
      .on(RoomEvent.AudioPlaybackStatusChanged, () => {
        this.soundBlocked.value = !room.canPlaybackAudio;
      })
      .on(RoomEvent.RecordingStatusChanged, (recording) => {
        this.recording.value = recording;
        this.#announcer.say(recording ? announce.recordingOn : announce.recordingOff);
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
      this.#announcer.say(text.announce.message(name, message));
    });
  }

  async #publish({ camera, microphone }: OpenTracks): Promise<void> {
    const { localParticipant: me } = this.#room;
    if (!this.mayPublish.value || this.#room.state === ConnectionState.Disconnected) {
      camera?.stop();
      microphone?.stop();
      return;
    }
    // the SDK owns them from here: it closes the camera on mute, and opens it again
    const publications = [
      microphone &&
        this.#change("microphone", () => me.publishTrack(audio(microphone), { source: Track.Source.Microphone })),
      camera && this.#change("camera", () => me.publishTrack(video(camera), { source: Track.Source.Camera })),
    ];
    await Promise.all(publications);
  }

  /** Does something with a device; what fails is told in words and the meeting goes on. */
  async #change(about: DeviceKind, act: () => Promise<unknown>): Promise<void> {
    try {
      await act();
      if (this.notice.value?.about === about) this.notice.value = null;
    } catch (error) {
      this.notice.value = { about, cause: deviceCause(error) };
    }
    this.#refresh();
  }

  #setReconnecting(reconnecting: boolean): void {
    if (this.reconnecting.value === reconnecting) return;
    this.reconnecting.value = reconnecting;
    this.#announcer.say(reconnecting ? text.announce.reconnecting : text.announce.reconnected);
  }

  #refresh(): void {
    const { localParticipant: me, remoteParticipants } = this.#room;
    // attaching is what the page does with either kind of track; that a remote one can do more is no matter here
    this.roster.value = rosterOf([me, ...remoteParticipants.values()] as unknown as readonly ParticipantLike[]);
    this.mayPublish.value = me.permissions?.canPublish ?? false;
    this.mayChat.value = me.permissions?.canPublishData ?? false;
    this.microphoneOn.value = me.isMicrophoneEnabled;
    this.cameraOn.value = me.isCameraEnabled;
    this.sharing.value = me.isScreenShareEnabled;
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
