import { expect, test } from "vitest";
import type { Ask } from "../src/api/http.ts";
import { recordingsApi } from "../src/api/recordings.ts";
import { RecorderButton } from "../src/session/recorder.ts";
import { Trouble } from "../src/trouble.ts";

function apiOver(answers: Record<string, unknown>) {
  const asked: string[] = [];
  const http = async ({ method, path, bearer, body }: Ask) => {
    asked.push([method, path, bearer, body && JSON.stringify(body)].filter(Boolean).join(" "));
    return answers[`${method} ${path}`] ?? {};
  };
  return { api: recordingsApi(http, "standup-x", () => "tok"), asked };
}

test.each([
  [{ preferences: { recordingPreferences: { enabled: true } } }, true],
  [{ preferences: { recordingPreferences: { enabled: false } } }, false],
  [{}, false],
  [null, false],
])("a room that says %o allows recordings: %s", async (room, allowed) => {
  const { api } = apiOver({ "GET /rooms/standup-x?fields=preferences": room });
  await expect(api.allowed()).resolves.toBe(allowed);
});

test("starts with the moderator's own token", async () => {
  const { api, asked } = apiOver({});
  await api.start();
  expect(asked).toEqual(['POST /recordings tok {"roomId":"standup-x"}']);
});

test("stops what runs in this room, and nothing else", async () => {
  const { api, asked } = apiOver({
    "GET /recordings": [
      { recordingId: "old", roomId: "standup-x", status: "COMPLETE" },
      { recordingId: "other", roomId: "retro-y", status: "ACTIVE" },
      { recordingId: "a/b", roomId: "standup-x", status: "ACTIVE" },
    ],
  });
  await api.stop();
  expect(asked.slice(1)).toEqual(["PUT /recordings/a%2Fb tok"]);
});

test("reads the list of this room, and nothing that it does not know", async () => {
  const { api } = apiOver({
    "GET /recordings": [
      { recordingId: "a", roomId: "standup-x", status: "STARTING", filename: "a.mp4" },
      { recordingId: "b", roomId: "standup-x", status: "COMPLETE", startDate: 5000, duration: 61.5, size: 2_000_000 },
      { recordingId: "c", roomId: "retro-y", status: "COMPLETE" },
      { recordingId: "d", roomId: "standup-x", status: "SOMETHING_NEW" },
      { roomId: "standup-x", status: "COMPLETE" },
      null,
    ],
  });
  await expect(api.list()).resolves.toEqual([
    { id: "a", status: "STARTING", filename: "a.mp4", startedAt: null, durationS: 0, sizeBytes: 0 },
    { id: "b", status: "COMPLETE", filename: "", startedAt: new Date(5000), durationS: 61.5, sizeBytes: 2_000_000 },
  ]);
});

test("an address carries a ticket, since a video element in a foreign iframe can send nothing else", async () => {
  const { api, asked } = apiOver({ "POST /recordings/a%2Fb/stream-ticket": { ticket: "t&t" } });
  await expect(api.address("a/b")).resolves.toBe("/meet/internal-api/v1/recordings/a%2Fb/stream?ticket=t%26t");
  expect(asked).toEqual(["POST /recordings/a%2Fb/stream-ticket tok"]);
});

test("deletes with the moderator's own token", async () => {
  const { api, asked } = apiOver({});
  await api.delete("a/b");
  expect(asked).toEqual(["DELETE /recordings/a%2Fb tok"]);
});

test("a failure is told, and the button can be pressed again", async () => {
  const button = new RecorderButton({
    allowed: async () => true,
    start: async () => {
      throw new Trouble("recording_failed");
    },
    stop: async () => {},
  });
  await expect(button.toggle(false)).resolves.toBe("recording_failed");
  expect(button.busy.value).toBe(false);
  await expect(button.toggle(true)).resolves.toBeNull();
});

test("pressing twice asks once", async () => {
  let asked = 0;
  const button = new RecorderButton({
    allowed: async () => true,
    start: async () => {
      asked += 1;
    },
    stop: async () => {},
  });
  await Promise.all([button.toggle(false), button.toggle(false)]);
  expect(asked).toBe(1);
});
