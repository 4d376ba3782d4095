import { signal } from "@preact/signals-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Recording, RecordingStatus } from "../src/api/recordings.ts";
import { AppError, type Cause } from "../src/app_error.ts";
import { clockOf, sizeOf } from "../src/i18n/format.ts";
import { text } from "../src/i18n/index.ts";
import { Recordings } from "../src/session/recordings.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function recording(status: RecordingStatus, id = "one"): Recording {
  return { id, status, filename: `${id}.mp4`, startedAt: new Date(0), durationS: 7, sizeBytes: 1000 };
}

/** A list over a server whose answers the test sets; `requests` counts how often it was asked. */
function listOver(...statuses: RecordingStatus[]) {
  const server = {
    has: statuses.map((status) => recording(status)),
    error: null as Cause | null,
    requests: 0,
    tickets: 0,
  };
  const announced: string[] = [];
  const answer = <T>(value: T) => {
    if (server.error) throw new AppError(server.error);
    return value;
  };
  const recordings = new Recordings(
    {
      async list() {
        server.requests += 1;
        return answer(server.has);
      },
      async streamUrl(id) {
        server.tickets += 1;
        return answer(`/${id}?ticket=${server.tickets}`);
      },
      async delete(id) {
        server.has = answer(server.has.filter((one) => one.id !== id));
      },
    },
    { announce: (message) => void announced.push(message) },
  );
  const shown = () => recordings.all.value?.map((one) => one.status);
  return { recordings, server, announced, shown };
}

const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);

test("a stopped recording becomes playable without a reload, and that is announced, also while the list is closed", async () => {
  const { recordings, server, announced, shown } = listOver();
  const isRecording = signal(false);
  recordings.follow(isRecording);
  server.has = [recording("ACTIVE")];
  isRecording.value = true;
  await seconds(0);
  expect(shown()).toEqual(["ACTIVE"]);

  server.has = [recording("ENDING")];
  isRecording.value = false;
  await seconds(0);
  server.has = [recording("COMPLETE")];
  await seconds(1);
  expect(shown()).toEqual(["COMPLETE"]);
  expect(announced).toEqual([text.announce.recordingReady]);
});

test("polling ends: it pauses while a closed list waits for the meeting, and stops when every recording is final", async () => {
  const { recordings, server } = listOver("ACTIVE");
  const isRecording = signal(true);
  recordings.follow(isRecording);
  await seconds(60);
  expect(server.requests).toBe(1);

  recordings.show(true);
  await seconds(10);
  expect(server.requests).toBe(12);

  server.has = [recording("COMPLETE")];
  isRecording.value = false;
  await seconds(60);
  expect(server.requests).toBe(13);
});

test("a recording that was ready before is not announced", async () => {
  const { recordings, announced } = listOver("COMPLETE");
  recordings.show(true);
  await seconds(0);
  await recordings.refresh();
  expect(announced).toEqual([]);
});

test("a list that cannot be refreshed keeps its items, says why, and polls on", async () => {
  const { recordings, server, shown } = listOver("ENDING");
  recordings.show(true);
  await seconds(0);
  server.error = "recordings_unavailable";
  await seconds(1);
  expect(recordings.listError.value).toBe("recordings_unavailable");
  expect(shown()).toEqual(["ENDING"]);

  server.error = null;
  server.has = [recording("COMPLETE")];
  await seconds(1);
  expect(recordings.listError.value).toBeNull();
  expect(shown()).toEqual(["COMPLETE"]);
});

test("a moderator who is not admitted any more is told once", async () => {
  const { recordings, server } = listOver("ENDING");
  recordings.show(true);
  await seconds(0);
  server.error = "not_admitted";
  await seconds(60);
  expect(server.requests).toBe(2);
});

test("a late answer does not replace a newer one", async () => {
  const answers: ((list: Recording[]) => void)[] = [];
  const recordings = new Recordings(
    {
      list: () => new Promise((resolve) => void answers.push(resolve)),
      streamUrl: async () => "",
      delete: async () => {},
    },
    { announce: () => {} },
  );
  const refreshes = [recordings.refresh(), recordings.refresh()];
  answers[1]?.([recording("COMPLETE")]);
  answers[0]?.([recording("ACTIVE")]);
  await Promise.all(refreshes);
  expect(recordings.all.value?.map((one) => one.status)).toEqual(["COMPLETE"]);
});

test("plays by a URL, and gets another one when that has expired", async () => {
  const { recordings } = listOver("COMPLETE");
  await recordings.play(recording("COMPLETE"));
  expect(recordings.playing.value?.url).toBe("/one?ticket=1");
  await seconds(600);
  // a download has a URL of its own, which does not extend this one
  await recordings.streamUrl(recording("COMPLETE"));
  await recordings.playerFailed();
  expect(recordings.playing.value?.url).toBe("/one?ticket=3");
  expect(recordings.error.value).toBeNull();
});

test("a recording that does not play is reported, not retried for ever", async () => {
  const { recordings, server } = listOver("COMPLETE");
  await recordings.play(recording("COMPLETE"));
  await recordings.playerFailed();
  expect(recordings.playing.value).toBeNull();
  expect(recordings.error.value).toBe("recording_unplayable");
  expect(server.tickets).toBe(1);
});

test("a recording that was deleted elsewhere is reported as such", async () => {
  const { recordings, server } = listOver("COMPLETE");
  server.error = "recording_gone";
  await recordings.play(recording("COMPLETE"));
  expect(recordings.playing.value).toBeNull();
  expect(recordings.error.value).toBe("recording_gone");
});

test("is deleted only after the confirmation", async () => {
  const { recordings, server, shown, announced } = listOver("COMPLETE");
  await recordings.refresh();
  recordings.confirmDeletion(recording("COMPLETE"));
  recordings.confirmDeletion(null);
  await recordings.delete();
  expect(server.has).toHaveLength(1);

  recordings.confirmDeletion(recording("COMPLETE"));
  await recordings.delete();
  expect(shown()).toEqual([]);
  expect(announced).toEqual([text.announce.recordingDeleted]);
});

test("a recording that cannot be deleted stays in the list, with the reason", async () => {
  const { recordings, server, shown } = listOver("COMPLETE");
  await recordings.refresh();
  server.error = "recordings_unavailable";
  recordings.confirmDeletion(recording("COMPLETE"));
  await recordings.delete();
  expect(shown()).toEqual(["COMPLETE"]);
  expect(recordings.error.value).toBe("recordings_unavailable");
});

test.each([
  [0, "0:00"],
  [7.9, "0:07"],
  [754, "12:34"],
  [3723, "1:02:03"],
])("%s seconds are shown as %s", (durationS, shown) => {
  expect(clockOf(durationS)).toBe(shown);
});

test("a size is shown in megabytes", () => {
  expect(sizeOf(12_340_000)).toBe("12.3 MB");
});
