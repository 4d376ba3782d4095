import type { Cause } from "../trouble.ts";
import { fieldOf, type Http } from "./http.ts";

/** Recording a room, as a moderator who is in it may. */
export interface RecordingsApi {
  /** Whether the room's settings allow recordings. */
  allowed(): Promise<boolean>;
  /** Starts a recording; resolves once media is being written. @throws Trouble */
  start(): Promise<void>;
  /** Stops what is running. @throws Trouble */
  stop(): Promise<void>;
}

const CAUSES: Readonly<Record<number, Cause>> = {
  401: "not_admitted",
  403: "recording_off",
  404: "recording_conflict",
  409: "recording_conflict",
  500: "recording_failed",
  503: "recording_failed",
};

const RUNNING: readonly unknown[] = ["STARTING", "ACTIVE"];

/** @param token gives the moderator's own token, which is what permits it. */
export function recordingsApi(http: Http, roomName: string, token: () => string | null): RecordingsApi {
  const ask = (method: "GET" | "POST" | "PUT", path: string, body?: object) =>
    http({ method, path, bearer: token(), causes: CAUSES, ...(body && { body }) });

  return {
    async allowed() {
      const room = await ask("GET", `/rooms/${encodeURIComponent(roomName)}?fields=preferences`);
      return fieldOf(fieldOf(fieldOf(room, "preferences"), "recordingPreferences"), "enabled") === true;
    },
    async start() {
      await ask("POST", "/recordings", { roomId: roomName });
    },
    async stop() {
      const recordings = await ask("GET", "/recordings");
      const running = Array.isArray(recordings) ? recordings.filter(isRunningIn(roomName)) : [];
      for (const recording of running) {
        await ask("PUT", `/recordings/${encodeURIComponent(String(fieldOf(recording, "recordingId")))}`);
      }
    },
  };
}

function isRunningIn(roomName: string): (recording: unknown) => boolean {
  return (recording) => fieldOf(recording, "roomId") === roomName && RUNNING.includes(fieldOf(recording, "status"));
}
