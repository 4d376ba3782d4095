import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AppError } from "../src/app_error.ts";
import { Announcer } from "../src/session/announcer.ts";
import { Meeting } from "../src/session/meeting.ts";
import { FakeApi } from "./fake_api.ts";
import { FakeRoom, joinOptions } from "./fake_room.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function joined() {
  const [room, api] = [new FakeRoom(), new FakeApi()];
  const meeting = await Meeting.join(joinOptions({ api: api.asApi }), new Announcer(), () => {}, room.asRoom);
  api.asked.length = 0;
  const shown = () => meeting.reactions.shown.value.map(({ identity, reaction }) => `${identity} ${reaction}`);
  return { room, api, meeting, shown };
}

test("the server's reactions are shown for five seconds", async () => {
  const { room, shown } = await joined();
  room.receive("tertulia.reaction", { participantName: "ben", reaction: "👍" });
  expect(shown()).toEqual(["ben 👍"]);
  await vi.advanceTimersByTimeAsync(4900);
  expect(shown()).toEqual(["ben 👍"]);
  await vi.advanceTimersByTimeAsync(200);
  expect(shown()).toEqual([]);
});

test.each([{ identity: "mallory" }, { sid: "PA_mallory" }])(
  "what a participant sends (%o) is no reaction",
  async (by) => {
    const { room, shown } = await joined();
    room.receive("tertulia.reaction", { participantName: "ben", reaction: "👍" }, by);
    expect(shown()).toEqual([]);
  },
);

test.each([
  [{ participantName: "ben", reaction: "<b>" }],
  [{ participantName: 7, reaction: "👍" }],
  [null],
  ["x".repeat(10_000)],
])("%j is no reaction", async (body) => {
  const { room, shown } = await joined();
  room.receive("tertulia.reaction", body);
  expect(shown()).toEqual([]);
});

test("they are bounded, of one and of all", async () => {
  const { room, shown } = await joined();
  for (const reaction of ["👍", "👎", "👏", "🎉"])
    room.receive("tertulia.reaction", { participantName: "ben", reaction });
  expect(shown()).toEqual(["ben 👎", "ben 👏", "ben 🎉"]);
  for (let i = 0; i < 200; i += 1) room.receive("tertulia.reaction", { participantName: `p${i}`, reaction: "👍" });
  expect(shown()).toHaveLength(60);
});

test("the own reaction goes to the server; one too many is not shown, another refusal is", async () => {
  const { api, meeting, shown } = await joined();
  await meeting.reactions.send("🎉");
  expect(api.asked).toEqual(["react ana 🎉"]);
  expect(shown()).toEqual([]);
  api.refusal = new AppError("too_many_tries");
  await meeting.reactions.send("🎉");
  expect(meeting.error.value).toBeNull();
  api.refusal = new AppError("server_unreachable");
  await meeting.reactions.send("🎉");
  expect(meeting.error.value).toEqual({ device: null, cause: "server_unreachable" });
});
