import type { RoomDefaults, RoomOptions } from "../api/types.ts";
import { type Allowed, allowedOf, preferencesOf } from "./allowed.ts";

export type Lifetime = "day" | "week" | "month" | "year" | "date";

const DAY_MS = 86_400_000;
const DAYS: Readonly<Record<Exclude<Lifetime, "date">, number>> = { day: 1, week: 7, month: 30, year: 365 };

/** What the form for a new room holds. */
export interface NewRoom {
  readonly name: string;
  readonly lifetime: Lifetime;
  /** As a `datetime-local` field has it, in the user's own time. */
  readonly expiresAt: string;
  readonly mostParticipants: string;
  readonly allowed: Allowed;
}

export const NEW_ROOM: NewRoom = {
  name: "",
  lifetime: "month",
  expiresAt: "",
  mostParticipants: "",
  allowed: allowedOf(),
};

/** The form as it begins: with what the settings say of new rooms. */
export function newRoomFrom(defaults: RoomDefaults, now: number): NewRoom {
  const { maxParticipants, lifetimeS, preferences } = defaults;
  return {
    ...NEW_ROOM,
    ...(lifetimeS !== undefined && lifetimeOf(lifetimeS * 1000, now)),
    mostParticipants: maxParticipants?.toString() ?? "",
    allowed: allowedOf(preferences),
  };
}

function lifetimeOf(lifetimeMs: number, now: number): Pick<NewRoom, "lifetime" | "expiresAt"> {
  const [name] = Object.entries(DAYS).find(([, days]) => days * DAY_MS === lifetimeMs) ?? [];
  if (name) return { lifetime: name as Lifetime, expiresAt: "" };
  const at = new Date(now + lifetimeMs);
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return { lifetime: "date", expiresAt: local.toISOString().slice(0, 16) };
}

/** When the room shall end; null where the form does not say, or says a time that is over. */
export function expiryOf({ lifetime, expiresAt }: NewRoom, now: number): number | null {
  if (lifetime !== "date") return now + DAYS[lifetime] * DAY_MS;
  const chosen = new Date(expiresAt).getTime();
  return chosen > now ? chosen : null;
}

export function optionsOf(room: NewRoom, expirationDate: number): RoomOptions {
  const most = Number.parseInt(room.mostParticipants, 10);
  return {
    expirationDate,
    ...(room.name.trim() && { roomNamePrefix: room.name.trim() }),
    ...(most > 0 && { maxParticipants: most }),
    preferences: preferencesOf(room.allowed),
  };
}
