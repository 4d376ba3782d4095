import type { Cause } from "../trouble.ts";
import { BASE_PATH, fieldOf, type Http } from "./http.ts";

/** The states of a recording, as the server has them. */
export type RecordingStatus = "STARTING" | "ACTIVE" | "ENDING" | "COMPLETE" | "LIMITED_REACHED" | "FAILED" | "ABORTED";

export interface Recording {
  readonly id: string;
  readonly status: RecordingStatus;
  readonly filename: string;
  /** When the first frame was written; null before that. */
  readonly startedAt: Date | null;
  readonly durationS: number;
  readonly sizeBytes: number;
}

/** Recording a room, as a moderator who is in it may. */
export interface RecordingsApi {
  /** Whether the room's settings allow recordings. */
  allowed(): Promise<boolean>;
  /** Starts a recording; resolves once media is being written. @throws Trouble */
  start(): Promise<void>;
  /** Stops what is running. @throws Trouble */
  stop(): Promise<void>;
  /** The room's recordings, newest first. @throws Trouble */
  list(): Promise<readonly Recording[]>;
  /**
   * An address that opens this one recording for ten minutes, for what can send neither a cookie nor a header:
   * a video element or a download inside a foreign iframe. @throws Trouble
   */
  address(id: string): Promise<string>;
  /** Deletes a finished recording for good. @throws Trouble */
  delete(id: string): Promise<void>;
}

const CAUSES: Readonly<Record<number, Cause>> = {
  401: "not_admitted",
  403: "recording_off",
  404: "recording_conflict",
  409: "recording_conflict",
  500: "recording_failed",
  503: "recording_failed",
};

/** What a refusal means for a recording that is there already. */
const CAUSES_OF_KEPT: Readonly<Record<number, Cause>> = {
  401: "not_admitted",
  403: "not_admitted",
  404: "recording_gone",
  409: "recording_running",
  500: "recordings_unavailable",
  502: "recordings_unavailable",
  503: "recordings_unavailable",
};

/** Without these nothing is known of a recording, and a status that is not known promises nothing. */
const STATUSES: readonly unknown[] = [
  "STARTING",
  "ACTIVE",
  "ENDING",
  "COMPLETE",
  "LIMITED_REACHED",
  "FAILED",
  "ABORTED",
] satisfies RecordingStatus[];

const STOPPABLE: readonly RecordingStatus[] = ["STARTING", "ACTIVE"];

/** @param token gives the moderator's own token, which is what permits it. */
export function recordingsApi(http: Http, roomName: string, token: () => string | null): RecordingsApi {
  const ask = (method: "GET" | "POST" | "PUT", path: string, body?: object) =>
    http({ method, path, bearer: token(), causes: CAUSES, ...(body && { body }) });
  const askOfKept = (method: "GET" | "POST" | "DELETE", path: string) =>
    http({ method, path, bearer: token(), causes: CAUSES_OF_KEPT });

  async function list(): Promise<readonly Recording[]> {
    const answer = await askOfKept("GET", "/recordings");
    const ours = Array.isArray(answer) ? answer.filter((one) => fieldOf(one, "roomId") === roomName) : [];
    return ours.flatMap(recordingOf);
  }

  return {
    async allowed() {
      const room = await ask("GET", `/rooms/${encodeURIComponent(roomName)}?fields=preferences`);
      return fieldOf(fieldOf(fieldOf(room, "preferences"), "recordingPreferences"), "enabled") === true;
    },
    async start() {
      await ask("POST", "/recordings", { roomId: roomName });
    },
    async stop() {
      for (const { id, status } of await list()) if (STOPPABLE.includes(status)) await ask("PUT", pathOf(id));
    },
    list,
    async address(id) {
      const ticket = fieldOf(await askOfKept("POST", `${pathOf(id)}/stream-ticket`), "ticket");
      return `${BASE_PATH}${pathOf(id)}/stream?ticket=${encodeURIComponent(String(ticket))}`;
    },
    async delete(id) {
      await askOfKept("DELETE", pathOf(id));
    },
  };
}

function pathOf(id: string): string {
  return `/recordings/${encodeURIComponent(id)}`;
}

function recordingOf(answer: unknown): Recording[] {
  const id = fieldOf(answer, "recordingId");
  const status = fieldOf(answer, "status");
  if (typeof id !== "string" || !STATUSES.includes(status)) return [];
  const startDate = fieldOf(answer, "startDate");
  return [
    {
      id,
      status: status as RecordingStatus,
      filename: String(fieldOf(answer, "filename") ?? ""),
      startedAt: typeof startDate === "number" ? new Date(startDate) : null,
      durationS: numberIn(answer, "duration"),
      sizeBytes: numberIn(answer, "size"),
    },
  ];
}

function numberIn(answer: unknown, name: string): number {
  const value = fieldOf(answer, name);
  return typeof value === "number" ? value : 0;
}
