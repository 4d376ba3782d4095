/** Everything that a page sees of the element: attributes, methods, events. This file is published as it is. */

export type Role = "moderator" | "publisher" | "viewer";
export type Quality = "excellent" | "good" | "poor" | "lost";
export type DeviceKind = "camera" | "microphone";

/** Who has changed a device: the participant, or a moderator. */
export type ChangedBy = "participant" | "moderator";

/** Why the participant is no longer in the meeting. */
export type LeftReason =
  | "voluntary_leave"
  | "network_disconnect"
  | "server_shutdown"
  | "participant_kicked"
  | "meeting_ended"
  | "meeting_ended_by_self"
  | "duplicate_identity"
  | "unknown";

export interface MeetParticipant {
  readonly identity: string;
  readonly name: string;
  readonly isLocal: boolean;
  /** Null where the server does not tell. */
  readonly role: Role | null;
  readonly microphone: boolean;
  readonly camera: boolean;
  readonly screenShare: boolean;
  readonly hand: boolean;
  readonly quality: Quality | null;
}

export interface MeetDevice {
  readonly kind: DeviceKind;
  readonly id: string;
  readonly label: string;
  readonly selected: boolean;
}

/** A failure: its name for programs, and words for people. */
export interface MeetFailure {
  readonly cause: string;
  readonly message: string;
}

/** The events, by name, with what is in their `detail`. */
export interface MeetEvents {
  /** The page in the iframe listens. */
  ready: Record<string, never>;
  meetingJoined: { readonly roomId: string; readonly participantIdentity: string; readonly role: Role };
  meetingLeft: { readonly roomId: string; readonly participantIdentity: string; readonly reason: LeftReason };
  /** The user has closed the last screen, or has left and is sent on: the page may take its space back. */
  meetingClosed: { readonly roomId: string };
  participantJoined: { readonly roomId: string; readonly participant: MeetParticipant };
  participantLeft: { readonly roomId: string; readonly participant: MeetParticipant };
  participantChanged: { readonly roomId: string; readonly participant: MeetParticipant };
  microphoneChanged: { readonly on: boolean; readonly by: ChangedBy };
  cameraChanged: { readonly on: boolean; readonly by: ChangedBy };
  screenShareChanged: { readonly on: boolean };
  handChanged: { readonly on: boolean };
  reaction: { readonly participantIdentity: string; readonly reaction: string };
  chatMessage: { readonly from: string; readonly mine: boolean; readonly text: string };
  recordingChanged: { readonly recording: boolean };
  /** Who speaks now; empty when nobody does. */
  activeSpeaker: { readonly participantIdentities: readonly string[] };
  qualityChanged: { readonly participantIdentity: string; readonly quality: Quality };
  error: MeetFailure;
}

export type MeetEventName = keyof MeetEvents;

/** The methods. Each promise is rejected with an Error: `cause` is its name, `message` says it in words. */
export interface MeetMethods {
  meetingLeave(): Promise<void>;
  /** Ends the meeting for all. For moderators. */
  meetingEnd(): Promise<void>;
  /** Removes a participant. For moderators. */
  participantKick(identity: string): Promise<void>;
  /** Mutes a participant's microphone, or stops the camera. For moderators. */
  participantMute(identity: string, kind?: DeviceKind): Promise<void>;
  /** Mutes all microphones but the moderators'. For moderators. */
  muteAll(): Promise<void>;
  /** Without `on`, this and the next three switch over. */
  setMicrophone(on?: boolean): Promise<void>;
  setCamera(on?: boolean): Promise<void>;
  /** Switching it on needs a click of the user just before: browsers demand it. */
  setScreenShare(on?: boolean): Promise<void>;
  setHand(on?: boolean): Promise<void>;
  sendChat(text: string): Promise<void>;
  /** Resolves when media is being written. For moderators. */
  startRecording(): Promise<void>;
  /** For moderators. */
  stopRecording(): Promise<void>;
  /** One of the page's layouts: `grid`, `speaker`. */
  setLayout(layout: string): Promise<void>;
  /**
   * One of the page's backgrounds: `none`, `light` or `strong` blur (`blur` is the same as `strong`), a picture (`dawn`,
   * `sea`, `forest`, `night`), or `own`, the one that the user has chosen. Resolves when it is shown.
   */
  setBackground(background: string): Promise<void>;
  participants(): Promise<readonly MeetParticipant[]>;
  devices(): Promise<readonly MeetDevice[]>;
  chooseDevice(kind: DeviceKind, id: string): Promise<void>;
}

/** The attributes as properties. Null: the attribute is not there. */
export interface MeetProperties {
  roomUrl: string | null;
  recordingUrl: string | null;
  participantName: string | null;
  leaveRedirectUrl: string | null;
  showOnlyRecordings: boolean;
  showRecording: string | null;
  /** Of every element; here also the language of the meeting. */
  lang: string;
  theme: string | null;
  camera: string | null;
  microphone: string | null;
  skipPrejoin: boolean;
  layout: string | null;
  hide: string | null;
}

/** What `on`, `once` and `off` are, for any table of events. */
export interface Subscribing<Events> {
  on<Name extends keyof Events & string>(name: Name, act: (detail: Events[Name]) => void): this;
  once<Name extends keyof Events & string>(name: Name, act: (detail: Events[Name]) => void): this;
  /** Without `act`: all that `on` and `once` have added for this event. */
  off<Name extends keyof Events & string>(name: Name, act?: (detail: Events[Name]) => void): this;
}

export interface TertuliaMeetElement
  extends HTMLElement,
    MeetMethods,
    Omit<MeetProperties, "lang">,
    Subscribing<MeetEvents> {
  addEventListener<Name extends MeetEventName>(
    name: Name,
    act: (event: CustomEvent<MeetEvents[Name]>) => unknown,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    name: string,
    act: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions,
  ): void;
}
