import type { RoomPreferences } from "../api/types.ts";

/** What a room allows, each as a switch. */
export interface Allowed {
  readonly chat: boolean;
  readonly chatHistory: boolean;
  readonly chatFiles: boolean;
  readonly recording: boolean;
  readonly backgrounds: boolean;
  readonly lobby: boolean;
}

/** Where in the API's preferences a switch stands, and how it is where nothing is said. */
const PLACES: readonly (readonly [keyof Allowed, keyof RoomPreferences, string, boolean])[] = [
  ["chat", "chatPreferences", "enabled", true],
  ["chatHistory", "chatPreferences", "history", true],
  ["chatFiles", "chatPreferences", "files", true],
  ["recording", "recordingPreferences", "enabled", true],
  ["backgrounds", "virtualBackgroundPreferences", "enabled", true],
  ["lobby", "lobbyPreferences", "enabled", false],
];

type Part = Readonly<Record<string, boolean | undefined>>;

export function allowedOf(preferences: RoomPreferences = {}): Allowed {
  const value = (part: keyof RoomPreferences, name: string) => (preferences[part] as Part | undefined)?.[name];
  const values = PLACES.map(([key, part, name, standard]) => [key, value(part, name) ?? standard]);
  return Object.fromEntries(values) as Allowed;
}

/** The preferences for the API, with what is given: the rest stays as it is. */
export function preferencesOf(allowed: Partial<Allowed>): RoomPreferences {
  const preferences: Record<string, Part> = {};
  for (const [key, part, name] of PLACES)
    if (allowed[key] !== undefined) preferences[part] = { ...preferences[part], [name]: allowed[key] };
  return preferences as RoomPreferences;
}
