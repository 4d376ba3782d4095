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

export interface Appearance {
  readonly name: string;
  /** A `data:` URL of a picture. */
  readonly logo: string;
  readonly accentLight: string;
  readonly accentDark: string;
}
export interface RoomDefaults {
  readonly maxParticipants?: number;
  readonly lifetimeS?: number;
  readonly preferences?: RoomPreferences;
}
export interface RecordingSettings {
  readonly preset?: string;
  readonly maxDurationS?: number;
  /** null: no limit. */
  readonly maxBytes?: number | null;
  readonly emptyTimeoutS?: number;
  readonly minFreeBytes?: number;
}
/** The settings that may change while the server runs. */
export interface ChangeableSettings {
  readonly participantAuth: string;
  readonly embedOrigins: readonly string[];
  readonly corsOrigins: readonly string[];
  readonly appearance: Appearance;
  readonly roomDefaults: RoomDefaults;
  readonly recordings: RecordingSettings;
}
export type SettingName = keyof ChangeableSettings;
/** A setting of the server's start. */
export interface ShownSetting {
  readonly name: string;
  readonly section: string;
  readonly value: string;
  /** `option`, `environment`, `tertulia.toml` or `default`. */
  readonly source: string;
  readonly default: string;
  readonly allowed: string;
  readonly description: string;
  /** Under which it changes while the server runs. */
  readonly changeableAs?: string;
}
export interface Settings {
  readonly values: ChangeableSettings;
  /** The names of those that were changed here. */
  readonly stored: readonly string[];
  readonly settings: readonly ShownSetting[];
}
/** null gives a setting back the value that it is configured with. */
export type SettingsChange = { readonly [Name in SettingName]?: ChangeableSettings[Name] | null };

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
