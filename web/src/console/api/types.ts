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
export type ConnectionQuality = Schemas["ConnectionQuality"];
export type RecordingState = Schemas["RecordingState"];

export type Room = Schemas["RoomWithMeeting"];
export type Recording = Schemas["RecordingInView"];
export type LostRecording = Schemas["LostRecordingShown"];

export type Appearance = Schemas["AppearanceSettings"];
export type RoomDefaults = Schemas["RoomDefaultSettings"];
/** `maxBytes` can be null, for no limit: the generated types know it only from its description. */
export type RecordingSettings = Omit<Schemas["RecordingSettings"], "maxBytes"> & { readonly maxBytes?: number | null };
/** The settings that may change while the server runs. */
export type ChangeableSettings = Omit<Schemas["SettingsNow"], "recordings"> & {
  readonly recordings: RecordingSettings;
};
export type SettingName = keyof ChangeableSettings;
/** A setting of the server's start. */
export type ShownSetting = Schemas["SettingShown"];
export type Settings = Omit<Schemas["AllSettings"], "values"> & { readonly values: ChangeableSettings };
/** null gives a setting back the value that it is configured with. */
export type SettingsChange = Omit<Schemas["SettingsChange"], "recordings"> & {
  readonly recordings?: RecordingSettings | null;
};

export type ApiKey = Schemas["ApiKeyShown"];
/** With the secret, which is shown once. */
export type NewApiKey = Schemas["ApiKeyMade"];

export type Status = Schemas["InstallationStatus"];

export type InsightPeriod = "24h" | "30d";
export type Insight = Omit<Schemas["InsightShown"], "period">;
