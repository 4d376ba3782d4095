import { signal } from "@preact/signals-core";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Recording, RecordingStatus } from "../src/api/recordings.ts";
import { clockOf, sizeOf } from "../src/i18n/format.ts";
import { text } from "../src/i18n/index.ts";
import { Recordings } from "../src/session/recordings.ts";
import { type Cause, Trouble } from "../src/trouble.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function recording(status: RecordingStatus, id = "one"): Recording {
  return { id, status, filename: `${id}.mp4`, startedAt: new Date(0), durationS: 7, sizeBytes: 1000 };
}

/** A list over a server whose answers the test sets; `looks` counts how often it was asked. */
function listOver(...statuses: RecordingStatus[]) {
  const server = {
    has: statuses.map((status) => recording(status)),
    trouble: null as Cause | null,
    looks: 0,
    tickets: 0,
  };
  const said: string[] = [];
  const answer = <T>(value: T) => {
    if (server.trouble) throw new Trouble(server.trouble);
    return value;
  };
  const recordings = new Recordings(
    {
      async list() {
        server.looks += 1;
        return answer(server.has);
      },
      async address(id) {
        server.tickets += 1;
        return answer(`/${id}?ticket=${server.tickets}`);
      },
      async delete(id) {
        server.has = answer(server.has.filter((one) => one.id !== id));
      },
    },
    { say: (words) => void said.push(words) },
  );
  const shown = () => recordings.all.value?.map((one) => one.status);
  return { recordings, server, said, shown };
}

const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);

test("a stopped recording becomes playable by itself, and that is said, also while the list is closed", async () => {
  const { recordings, server, said, shown } = listOver();
  const recordingNow = signal(false);
  recordings.follow(recordingNow);
  server.has = [recording("ACTIVE")];
  recordingNow.value = true;
  await seconds(0);
  expect(shown()).toEqual(["ACTIVE"]);

  server.has = [recording("ENDING")];
  recordingNow.value = false;
  await seconds(0);
  server.has = [recording("COMPLETE")];
  await seconds(1);
  expect(shown()).toEqual(["COMPLETE"]);
  expect(said).toEqual([text.announce.recordingReady]);
});

test("nobody asks on and on: not while a closed list waits for the meeting, not when everything is final", async () => {
  const { recordings, server } = listOver("ACTIVE");
  const recordingNow = signal(true);
  recordings.follow(recordingNow);
  await seconds(60);
  expect(server.looks).toBe(1);

  recordings.show(true);
  await seconds(10);
  expect(server.looks).toBe(12);

  server.has = [recording("COMPLETE")];
  recordingNow.value = false;
  await seconds(60);
  expect(server.looks).toBe(13);
});

test("what was ready before is not announced", async () => {
  const { recordings, said } = listOver("COMPLETE");
  recordings.show(true);
  await seconds(0);
  await recordings.look();
  expect(said).toEqual([]);
});

test("a list that cannot be read keeps what it had, says why, and goes on", async () => {
  const { recordings, server, shown } = listOver("ENDING");
  recordings.show(true);
  await seconds(0);
  server.trouble = "recordings_unavailable";
  await seconds(1);
  expect(recordings.unread.value).toBe("recordings_unavailable");
  expect(shown()).toEqual(["ENDING"]);

  server.trouble = null;
  server.has = [recording("COMPLETE")];
  await seconds(1);
  expect(recordings.unread.value).toBeNull();
  expect(shown()).toEqual(["COMPLETE"]);
});

test("somebody whose place is gone is told once", async () => {
  const { recordings, server } = listOver("ENDING");
  recordings.show(true);
  await seconds(0);
  server.trouble = "not_admitted";
  await seconds(60);
  expect(server.looks).toBe(2);
});

test("an answer that comes late does not displace a newer one", async () => {
  const answers: ((list: Recording[]) => void)[] = [];
  const recordings = new Recordings(
    {
      list: () => new Promise((resolve) => void answers.push(resolve)),
      address: async () => "",
      delete: async () => {},
    },
    { say: () => {} },
  );
  const looks = [recordings.look(), recordings.look()];
  answers[1]?.([recording("COMPLETE")]);
  answers[0]?.([recording("ACTIVE")]);
  await Promise.all(looks);
  expect(recordings.all.value?.map((one) => one.status)).toEqual(["COMPLETE"]);
});

test("plays by an address, and gets another one when that has run out", async () => {
  const { recordings } = listOver("COMPLETE");
  await recordings.play(recording("COMPLETE"));
  expect(recordings.playing.value?.address).toBe("/one?ticket=1");
  await seconds(600);
  // a download's address is another one, and makes this one no younger
  await recordings.address(recording("COMPLETE"));
  await recordings.playerFailed();
  expect(recordings.playing.value?.address).toBe("/one?ticket=3");
  expect(recordings.problem.value).toBeNull();
});

test("a recording that does not play is told, not tried for ever", async () => {
  const { recordings, server } = listOver("COMPLETE");
  await recordings.play(recording("COMPLETE"));
  await recordings.playerFailed();
  expect(recordings.playing.value).toBeNull();
  expect(recordings.problem.value).toBe("recording_unplayable");
  expect(server.tickets).toBe(1);
});

test("a recording that somebody else deleted is told as such", async () => {
  const { recordings, server } = listOver("COMPLETE");
  server.trouble = "recording_gone";
  await recordings.play(recording("COMPLETE"));
  expect(recordings.playing.value).toBeNull();
  expect(recordings.problem.value).toBe("recording_gone");
});

test("is deleted only after the question", async () => {
  const { recordings, server, shown, said } = listOver("COMPLETE");
  await recordings.look();
  recordings.askToDelete(recording("COMPLETE"));
  recordings.askToDelete(null);
  await recordings.delete();
  expect(server.has).toHaveLength(1);

  recordings.askToDelete(recording("COMPLETE"));
  await recordings.delete();
  expect(shown()).toEqual([]);
  expect(said).toEqual([text.announce.recordingDeleted]);
});

test("what cannot be deleted stays in the list, and why is said", async () => {
  const { recordings, server, shown } = listOver("COMPLETE");
  await recordings.look();
  server.trouble = "recordings_unavailable";
  recordings.askToDelete(recording("COMPLETE"));
  await recordings.delete();
  expect(shown()).toEqual(["COMPLETE"]);
  expect(recordings.problem.value).toBe("recordings_unavailable");
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
