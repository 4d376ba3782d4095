import { effect, type Signal, signal } from "@preact/signals-core";
import { type LocalTrackPublication, Room, RoomEvent, Track, TrackEvent } from "livekit-client";
import { text } from "../i18n/index.ts";
import type { Announcer } from "./announcer.ts";
import type { CameraFlip } from "./camera_flip.ts";
import { type DeviceKind, type DeviceOption, INPUT_KIND, optionsOf } from "./devices.ts";
import { whenIdle } from "./idle.ts";
import { watchSilence } from "./level.ts";
import { type LiveDevice, sourceOf } from "./local_media.ts";
import type { Notices } from "./notices.ts";
import type { Speaker } from "./speaker.ts";

/** A browser lists its choice of a device under these ids, next to the device itself. */
const ALIASES: ReadonlySet<string> = new Set(["default", "communications"]);

const KINDS: readonly DeviceKind[] = ["microphone", "camera"];

type Watched = Readonly<Record<DeviceKind, LiveDevice>> & { readonly cameraFlip: CameraFlip };

interface Choices {
  readonly hearsMuted: boolean;
  /** Where the sound is to be heard, which the user can change. */
  readonly speaker: Pick<Speaker, "selectedId" | "fail">;
}

/** Notices what happens to the user's devices during a meeting: plugged in, pulled out, silent, muted by others. */
export class DeviceWatch {
  /** Changes when the system's devices do. */
  readonly version = signal(0);
  /** Whether a muted microphone is listened to, on this device, to tell the user that nobody hears it. */
  readonly hearsMuted: Signal<boolean>;
  readonly #room: Room;
  readonly #devices: Watched;
  readonly #notices: Notices;
  readonly #announcer: Announcer;
  readonly #speaker: Choices["speaker"];
  #known: ReadonlySet<string> | null = null;
  /** Devices that ended by themselves: the SDK opens another one, or mutes. */
  readonly #lost = new Set<DeviceKind>();
  /** A restarted microphone has another track to listen to. */
  readonly #restarts = signal(0);
  readonly #stops: (() => void)[] = [];

  constructor(room: Room, devices: Watched, notices: Notices, announcer: Announcer, { hearsMuted, speaker }: Choices) {
    this.#room = room;
    this.#devices = devices;
    this.#notices = notices;
    this.#announcer = announcer;
    this.hearsMuted = signal(hearsMuted);
    this.#speaker = speaker;
  }

  start(): void {
    const room = this.#room;
    room
      .on(RoomEvent.MediaDevicesChanged, () => void this.#compare())
      .on(RoomEvent.LocalTrackPublished, (publication) => this.#follow(publication))
      .on(RoomEvent.LocalTrackUnpublished, () => {
        this.#restarts.value += 1;
      })
      .on(RoomEvent.TrackMuted, (publication) => this.#onMuted(publication.source))
      .on(RoomEvent.Disconnected, () => this.#stop());
    // the SDK has it from the server: the only mute that is not the user's own
    room.engine.on("remoteMute", (sid: string, muted: boolean) => {
      if (muted) this.#onRemoteMute(sid);
    });
    this.#stops.push(
      effect(() => {
        this.#restarts.value;
        return this.#watchSilence(this.#devices.microphone.on.value);
      }),
      effect(() => {
        this.#restarts.value;
        return this.#watchMuted(this.hearsMuted.value && !this.#devices.microphone.on.value);
      }),
    );
    this.#stops.push(
      effect(() => {
        if (this.#devices.camera.on.value) this.#notices.dismiss("camera_stopped");
      }),
      effect(() => {
        this.version.value;
        if (!this.#devices.camera.on.value) this.#devices.cameraFlip.refresh(0);
        else void this.options("camera").then(({ length }) => this.#devices.cameraFlip.refresh(length));
      }),
      this.#followSpeaker(),
    );
    void this.#compare();
  }

  /** The room was made with the speaker of the form; later choices follow. */
  #followSpeaker(): () => void {
    const { selectedId } = this.#speaker;
    let used = selectedId.peek();
    return effect(() => {
      const { value: id } = selectedId;
      if (id === used) return;
      used = id;
      this.#room.switchActiveDevice("audiooutput", id).catch(() => this.#speaker.fail());
    });
  }

  async options(kind: DeviceKind): Promise<readonly DeviceOption[]> {
    return optionsOf(await listed(kind), kind);
  }

  /** A moderator asks; only the user opens the microphone. */
  onAskedToUnmute(): void {
    const canPublish = this.#room.localParticipant.permissions?.canPublish ?? false;
    if (!canPublish || this.#devices.microphone.on.value) return;
    this.#tell("ask_to_unmute");
  }

  #tell(kind: "ask_to_unmute" | "muted_by_moderator" | "camera_stopped" | "speaking_muted"): void {
    this.#notices.show({ kind });
    this.#announcer.announce(text.notices[kind]);
  }

  #stop(): void {
    for (const stop of this.#stops) stop();
  }

  /** Looks for devices that were not there before. */
  async #compare(): Promise<void> {
    const found = await Promise.all(KINDS.map(async (kind) => ({ kind, options: await this.options(kind) })));
    const all = found.flatMap(({ kind, options }) => options.map((option) => ({ device: kind, ...option })));
    const known = this.#known;
    this.#known = new Set(all.map(({ id }) => id));
    if (known === null) return;
    this.version.value += 1;
    // before permission is given, browsers list nothing
    if (known.size === 0) return;
    const added = all.find(({ id }) => !known.has(id) && !ALIASES.has(id));
    if (!added || !(this.#room.localParticipant.permissions?.canPublish ?? false)) return;
    this.#notices.show({ kind: "device_added", ...added });
    this.#announcer.announce(text.notices.device_added(added.device, added.label));
  }

  #follow({ track, source }: LocalTrackPublication): void {
    const kind = kindOf(source);
    if (!kind || !track) return;
    track.on(TrackEvent.Ended, () => this.#lost.add(kind));
    track.on(TrackEvent.Restarted, () => {
      this.#restarts.value += 1;
      if (!this.#lost.delete(kind)) return;
      const { label } = sourceOf(track);
      this.#notices.show({ kind: "device_replaced", device: kind, label });
      this.#announcer.announce(text.notices.device_replaced(kind, label));
    });
  }

  #onMuted(source: Track.Source): void {
    const kind = kindOf(source);
    if (kind && this.#lost.delete(kind)) this.#devices[kind].fail("device_missing");
  }

  #onRemoteMute(sid: string): void {
    const publication = this.#room.localParticipant.trackPublications.get(sid);
    if (publication?.source === Track.Source.Microphone) this.#tell("muted_by_moderator");
    if (publication?.source === Track.Source.Camera) this.#tell("camera_stopped");
  }

  /** A muted microphone is silent as it should be; what a notice says of it is then no longer true. */
  #watchSilence(isOn: boolean): (() => void) | undefined {
    if (!isOn) {
      this.#notices.dismiss("silent_microphone");
      return undefined;
    }
    this.#notices.dismiss("muted_by_moderator");
    this.#notices.dismiss("ask_to_unmute");
    const track = this.#microphoneTrack();
    if (!track) return undefined;
    return whenIdle(() => {
      // the first words after a mute do not wait for it
      if (this.hearsMuted.peek()) mutedSpeech().catch(doNothing);
      return watchSilence(track, (isSilent) => this.#tellSilence(isSilent));
    });
  }

  #tellSilence(isSilent: boolean): void {
    if (isSilent) this.#notices.show({ kind: "silent_microphone" });
    else this.#notices.dismiss("silent_microphone");
    if (isSilent) this.#announcer.announce(text.notices.silent_microphone);
  }

  /** A microphone that is only muted is still open; one that the user never switched on is not opened for this. */
  #watchMuted(isWanted: boolean): () => void {
    const track = isWanted ? this.#microphoneTrack() : undefined;
    let stop = () => {};
    let isOver = !track;
    if (track)
      void mutedSpeech().then(({ watchMutedSpeech }) => {
        if (!isOver) stop = watchMutedSpeech(track, this.#mutedSpeechTeller());
      }, doNothing);
    return () => {
      isOver = true;
      stop();
      this.#notices.dismiss("speaking_muted");
    };
  }

  /** Tells it once aloud. Users who dismiss it know that they are muted, until they mute themselves again. */
  #mutedSpeechTeller(): (isSpeech: boolean) => void {
    let isTold = false;
    let isShown = false;
    let isDismissed = false;
    return (isSpeech) => {
      if (isShown && !this.#notices.has("speaking_muted")) isDismissed = true;
      isShown = isSpeech && !isDismissed;
      if (!isShown) return this.#notices.dismiss("speaking_muted");
      if (isTold) this.#notices.show({ kind: "speaking_muted" });
      else this.#tell("speaking_muted");
      isTold = true;
    };
  }

  #microphoneTrack(): MediaStreamTrack | undefined {
    const publication = this.#room.localParticipant.getTrackPublication(Track.Source.Microphone);
    // of a quiet room noise suppression leaves nothing, which is no fault of the microphone
    return publication?.track && sourceOf(publication.track);
  }
}

function mutedSpeech() {
  return import("./muted_speech.ts");
}

/** Without that part of the page (a network that fails) nothing is noticed, and all else goes on. */
function doNothing(): void {}

function kindOf(source: Track.Source): DeviceKind | null {
  if (source === Track.Source.Microphone) return "microphone";
  return source === Track.Source.Camera ? "camera" : null;
}

/** Without asking for permission: a device that nobody uses needs no prompt. */
async function listed(kind: DeviceKind): Promise<MediaDeviceInfo[]> {
  return Room.getLocalDevices(INPUT_KIND[kind], false).catch(() => []);
}
