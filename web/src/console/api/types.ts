import type { components } from "../../api/schema.d.ts";

type Schemas = components["schemas"];

/** One page of a list, and the token of the next one. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly next: string | null;
}

export type Role = "moderator" | "publisher" | "viewer";
export type RoomPreferences = Schemas["RoomPreferences"];
export type RoomOptions = Schemas["OpenViduMeetRoomOptions"];
export type Participant = Schemas["MeetParticipant"];
export type RecordingState = Schemas["RecordingState"];

export type Room = Schemas["RoomWithMeeting"];
export type Recording = Schemas["RecordingInView"];
export type LostRecording = Schemas["LostRecordingShown"];

/** A setting that may change while the server runs, and where its value comes from. */
export interface Changeable<T> {
  readonly value: T;
  readonly source: string;
}
export interface Appearance {
  readonly name?: string | null;
  readonly logo?: string | null;
  readonly accentLight?: string | null;
  readonly accentDark?: string | null;
}
export interface RoomDefaults {
  readonly maxParticipants?: number | null;
  readonly lifetimeS?: number | null;
  readonly preferences?: RoomPreferences;
}
export interface RecordingSettings {
  readonly preset?: string;
  readonly maxDurationS?: number;
  readonly maxBytes?: number;
  readonly emptyTimeoutS?: number;
  readonly minFreeBytes?: number;
}
export interface ChangeableSettings {
  readonly participantAuth: Changeable<string>;
  readonly embedOrigins: Changeable<readonly string[]>;
  readonly corsOrigins: Changeable<readonly string[]>;
  readonly appearance: Changeable<Appearance>;
  readonly roomDefaults: Changeable<RoomDefaults>;
  readonly recordings: Changeable<RecordingSettings>;
}
export interface ShownSetting {
  readonly name: string;
  readonly section?: string;
  readonly value?: unknown;
  readonly source?: string;
  readonly default?: unknown;
  readonly description?: string;
}
export interface Settings {
  readonly changeable: ChangeableSettings;
  readonly settings: readonly ShownSetting[];
}
export type SettingsChange = { readonly [Name in keyof ChangeableSettings]?: unknown };

export interface ApiKey {
  readonly id: string;
  readonly name: string;
  readonly createdDate?: number;
  readonly lastUsedDate?: number;
  readonly expiresDate?: number;
  /** `configured` where a setting holds it, so that it cannot be changed here. */
  readonly source?: string;
}
export interface NewApiKey extends ApiKey {
  /** Shown once. */
  readonly key: string;
}

export interface Status {
  readonly version: string;
  readonly database: { readonly state: string; readonly kind: string };
  readonly disk: { readonly state: string; readonly freeBytes?: number; readonly totalBytes?: number };
  readonly media: {
    readonly state: string;
    readonly embedded: boolean;
    readonly rooms?: number;
    readonly participants?: number;
  };
  readonly recorders: { readonly capacity: number; readonly running: number; readonly waiting: number };
}

export type InsightPeriod = "24h" | "30d";
export interface Insight {
  readonly stepS: number;
  readonly points: readonly (Readonly<Record<string, number | null | undefined>> & { readonly at: number })[];
}
