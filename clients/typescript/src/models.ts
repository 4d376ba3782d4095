// Values that the API takes and answers. Dates are milliseconds since the Unix epoch. Generated from the public API's document by `python -m tools.clients`.

/** Preferences for the chat in the room. */
export interface ChatPreferences {
  /** If true, chat messages may be sent. */
  readonly enabled?: boolean;
  /** An addition: if true, those who come later see the messages, until the meeting ends. On by default, shown where it is off. */
  readonly history?: boolean;
  /** An addition: if true, files may be sent in the chat. On by default, shown where it is off. */
  readonly files?: boolean;
}

/** Preferences for recording the room. */
export interface RecordingPreferences {
  /** If true, the meeting may be recorded. */
  readonly enabled?: boolean;
}

/** Preferences for virtual backgrounds in the room. */
export interface VirtualBackgroundPreferences {
  /** If true, virtual backgrounds may be used. */
  readonly enabled?: boolean;
}

/** Preferences for the lobby of the room: an addition. */
export interface LobbyPreferences {
  /** If true, publishers and viewers wait until a moderator lets them in. */
  readonly enabled?: boolean;
}

/** Preferences for the media of the room: an addition. */
export interface MediaPreferences {
  /** The only codecs that may be used, from the next meeting on: audio/opus and some for video. Empty: all. Media servers other than the embedded one do not look at it. */
  readonly codecs?: readonly ("video/VP8" | "video/H264" | "video/VP9" | "video/AV1" | "audio/opus" | "audio/red")[];
}

/** What a room allows. */
export interface RoomPreferences {
  readonly chatPreferences?: ChatPreferences;
  readonly recordingPreferences?: RecordingPreferences;
  readonly virtualBackgroundPreferences?: VirtualBackgroundPreferences;
  readonly lobbyPreferences?: LobbyPreferences;
  readonly mediaPreferences?: MediaPreferences;
}

/** A room. */
export interface Room {
  readonly roomName: string;
  readonly creationDate: number;
  readonly expirationDate: number;
  readonly preferences: RoomPreferences;
  readonly moderatorURL: string;
  readonly publisherURL: string;
  readonly viewerURL: string;
  readonly roomNamePrefix?: string;
  readonly maxParticipants?: number;
  /** An addition, only of a room that is locked. */
  readonly locked?: true;
}

/** A track that a participant publishes. */
export interface PublishedTrack {
  readonly sid: string;
  readonly source: string;
  readonly muted: boolean;
  /** An addition: of a picture, in pixels, if it is known. */
  readonly width?: number;
  readonly height?: number;
  /** An addition: the codec, as in `video/VP8`. */
  readonly mimeType?: string;
}

/** A participant who is in the room. */
export interface Participant {
  readonly participantName: string;
  readonly role: "moderator" | "publisher" | "viewer";
  readonly joinedAt: number;
  readonly tracks: readonly PublishedTrack[];
  readonly handRaisedAt?: number;
}

/** What a participant is in a room. */
export type Role = "moderator" | "publisher" | "viewer";

/** A message of the running meeting. */
export interface ChatMessage {
  readonly messageId: string;
  readonly participantName: string;
  readonly text: string;
  /** In milliseconds since the Unix epoch. */
  readonly sentAt: number;
}

/** What proves that a guest is the one who was let in. */
export interface LobbyTicket {
  readonly lobbyTicket: string;
}

/** A guest who waits. */
export interface LobbyGuest {
  readonly participantName: string;
  readonly waitingSince: number;
}

/** What was decided about a guest. */
export interface LobbyDecision {
  readonly state: "waiting" | "admitted" | "refused";
}

/** A participant's token: a LiveKit access token. */
export interface Token {
  readonly token: string;
}

/** A recording, as the public API shows it. */
export interface Recording {
  readonly id: string;
  readonly roomName: string;
  readonly outputMode: "COMPOSED";
  readonly status: "STARTING" | "STARTED" | "RECORDING" | "STOPPING" | "STOPPED" | "FAILED";
  readonly filename: string;
  readonly startedAt?: number;
  readonly endedAt?: number;
  readonly duration?: number;
  readonly size?: number;
}
