import type { MeetMethods } from "./types.ts";

/** The attributes after whose change the iframe opens another page. */
export const PAGE_ATTRIBUTES = ["room-url", "recording-url", "show-only-recordings", "show-recording"] as const;

/** The attributes that the page in the iframe takes over while it runs. */
export const LIVE_ATTRIBUTES = [
  "participant-name",
  "leave-redirect-url",
  "lang",
  "theme",
  "camera",
  "microphone",
  "skip-prejoin",
  "layout",
  "hide",
] as const;

/** Attributes that are there or not; "false" counts as not there. */
export const BOOLEAN_ATTRIBUTES: readonly string[] = ["show-only-recordings", "skip-prejoin"];

export const METHODS = [
  "meetingLeave",
  "meetingEnd",
  "participantKick",
  "participantMute",
  "muteAll",
  "setMicrophone",
  "setCamera",
  "setScreenShare",
  "setHand",
  "sendChat",
  "startRecording",
  "stopRecording",
  "setLayout",
  "setBackground",
  "participants",
  "devices",
  "chooseDevice",
] as const satisfies readonly (keyof MeetMethods)[];

export type MethodName = (typeof METHODS)[number];

/** What the element sends by the port. */
export type ToPage =
  | { readonly id: number; readonly method: string; readonly args: readonly unknown[] }
  | { readonly set: Readonly<Record<string, string | null>> };

/** What the page sends by the port. */
export type FromPage =
  | { readonly welcome: true }
  | { readonly id: number; readonly result: unknown }
  | { readonly id: number; readonly error: { readonly cause: string; readonly message: string } }
  | { readonly event: string; readonly detail: unknown };
