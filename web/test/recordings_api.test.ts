import { expect, test } from "vitest";
import { apiClient } from "../src/api/client.ts";
import { recordingsApi } from "../src/api/recordings.ts";
import { AppError } from "../src/app_error.ts";
import { RecordingControl } from "../src/session/recording_control.ts";

const BASE = "https://meet.example.org/meet/internal-api/v1";

/** @param answers by method and path; what is not listed answers `{}`. */
function apiOver(answers: Record<string, unknown>) {
  const sent: string[] = [];
  const client = apiClient("https://meet.example.org", async (input) => {
    const request = new Request(input);
    const what = `${request.method} ${request.url.replace(BASE, "")}`;
    sent.push([what, request.headers.get("authorization"), await request.text()].filter(Boolean).join(" "));
    return what in answers ? Response.json(answers[what]) : Response.json({});
  });
  return { api: recordingsApi(client, "standup-x", () => "tok"), sent };
}

test("starts with the moderator's own token", async () => {
  const { api, sent } = apiOver({});
  await api.start();
  expect(sent).toEqual(['POST /recordings Bearer tok {"roomId":"standup-x"}']);
});

test("stops the running recording of this room, and no other", async () => {
  const { api, sent } = apiOver({
    "GET /recordings": [
      { recordingId: "old", roomId: "standup-x", status: "COMPLETE" },
      { recordingId: "other", roomId: "retro-y", status: "ACTIVE" },
      { recordingId: "a/b", roomId: "standup-x", status: "ACTIVE" },
    ],
  });
  await api.stop();
  expect(sent.slice(1)).toEqual(["PUT /recordings/a%2Fb Bearer tok"]);
});

test("lists the recordings of this room, without those of an unknown status", async () => {
  const { api } = apiOver({
    "GET /recordings": [
      { recordingId: "a", roomId: "standup-x", status: "STARTING", filename: "a.mp4" },
      { recordingId: "b", roomId: "standup-x", status: "COMPLETE", startDate: 5000, duration: 61.5, size: 2_000_000 },
      { recordingId: "c", roomId: "retro-y", status: "COMPLETE" },
      { recordingId: "d", roomId: "standup-x", status: "SOMETHING_NEW" },
      { recordingId: "e", roomId: "standup-x", status: "toString" },
      { roomId: "standup-x", status: "COMPLETE" },
      null,
    ],
  });
  await expect(api.list()).resolves.toEqual([
    { id: "a", status: "STARTING", filename: "a.mp4", startedAt: null, durationS: 0, sizeBytes: 0 },
    { id: "b", status: "COMPLETE", filename: "", startedAt: new Date(5000), durationS: 61.5, sizeBytes: 2_000_000 },
  ]);
});

test("a stream URL carries a ticket, since a video element in an iframe on another site can send nothing else", async () => {
  const { api, sent } = apiOver({ "POST /recordings/a%2Fb/stream-ticket": { ticket: "t&t" } });
  await expect(api.streamUrl("a/b")).resolves.toBe("/meet/internal-api/v1/recordings/a%2Fb/stream?ticket=t%26t");
  expect(sent).toEqual(["POST /recordings/a%2Fb/stream-ticket Bearer tok"]);
});

test("deletes with the moderator's own token", async () => {
  const { api, sent } = apiOver({});
  await api.delete("a/b");
  expect(sent).toEqual(["DELETE /recordings/a%2Fb Bearer tok"]);
});

test("a failure is returned, and the control can be used again", async () => {
  const button = new RecordingControl({
    start: async () => {
      throw new AppError("recording_failed");
    },
    stop: async () => {},
  });
  await expect(button.toggle(false)).resolves.toBe("recording_failed");
  expect(button.busy.value).toBe(false);
  await expect(button.toggle(true)).resolves.toBeNull();
});

test("toggling twice sends one request", async () => {
  let requests = 0;
  const button = new RecordingControl({
    start: async () => {
      requests += 1;
    },
    stop: async () => {},
  });
  await Promise.all([button.toggle(false), button.toggle(false)]);
  expect(requests).toBe(1);
});
