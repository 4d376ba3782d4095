import { type ApiClient, answerOf, BASE_PATH, bearer, type Causes } from "./client.ts";
import type { components } from "./schema.d.ts";

type MeetRecording = components["schemas"]["MeetRecording"];

/** The states of a recording, as the server has them. */
export type RecordingStatus = components["schemas"]["RecordingState"];

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
  /** Starts a recording; resolves once media is being written. @throws AppError */
  start(): Promise<void>;
  /** Stops the running recording. @throws AppError */
  stop(): Promise<void>;
  /** The room's recordings, newest first. @throws AppError */
  list(): Promise<readonly Recording[]>;
  /**
   * A URL that opens this one recording for ten minutes, for what can send neither a cookie nor a header:
   * a video element or a download inside an iframe on another site. @throws AppError
   */
  streamUrl(id: string): Promise<string>;
  /** Deletes a finished recording for good. @throws AppError */
  delete(id: string): Promise<void>;
}

const CAUSES: Causes = {
  401: "not_admitted",
  403: "recording_off",
  404: "recording_conflict",
  409: "recording_conflict",
  500: "recording_failed",
  503: "recording_failed",
};

/** What a refusal means for a recording that exists. */
const CAUSES_OF_EXISTING: Causes = {
  401: "not_admitted",
  403: "not_admitted",
  404: "recording_gone",
  409: "recording_running",
  500: "recordings_unavailable",
  502: "recordings_unavailable",
  503: "recordings_unavailable",
};

/** A recording whose status is not one of these comes from a newer server, and is left out. */
const STATUSES: Readonly<Record<RecordingStatus, true>> = {
  STARTING: true,
  ACTIVE: true,
  ENDING: true,
  COMPLETE: true,
  LIMITED_REACHED: true,
  FAILED: true,
  ABORTED: true,
};

const STOPPABLE: readonly RecordingStatus[] = ["STARTING", "ACTIVE"];

/** @param token gives the moderator's own token, which is what permits it. */
export function recordingsApi(client: ApiClient, roomName: string, token: () => string | null): RecordingsApi {
  const headers = () => bearer(token());
  const recording = (id: string) => ({ headers: headers(), params: { path: { recordingId: id } } });

  async function list(): Promise<readonly Recording[]> {
    const answer = await answerOf(client.GET("/recordings", { headers: headers() }), CAUSES_OF_EXISTING);
    const found = Array.isArray(answer) ? (answer as readonly (MeetRecording | null)[]) : [];
    return found.flatMap((one) => (one?.roomId === roomName ? recordingFrom(one) : []));
  }

  return {
    async start() {
      await answerOf(client.POST("/recordings", { headers: headers(), body: { roomId: roomName } }), CAUSES);
    },
    async stop() {
      for (const { id, status } of await list())
        if (STOPPABLE.includes(status)) await answerOf(client.PUT("/recordings/{recordingId}", recording(id)), CAUSES);
    },
    list,
    async streamUrl(id) {
      const request = client.POST("/recordings/{recordingId}/stream-ticket", recording(id));
      const ticket = (await answerOf(request, CAUSES_OF_EXISTING))?.ticket ?? "";
      return `${BASE_PATH}/recordings/${encodeURIComponent(id)}/stream?ticket=${encodeURIComponent(ticket)}`;
    },
    async delete(id) {
      await answerOf(client.DELETE("/recordings/{recordingId}", recording(id)), CAUSES_OF_EXISTING);
    },
  };
}

function recordingFrom(answer: MeetRecording): Recording[] {
  const { recordingId: id, status, filename = "", startDate, duration = 0, size = 0 } = answer;
  if (!id || !status || !Object.hasOwn(STATUSES, status)) return [];
  const startedAt = startDate === undefined ? null : new Date(startDate);
  return [{ id, status, filename, startedAt, durationS: duration, sizeBytes: size }];
}
