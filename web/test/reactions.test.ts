import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AppError } from "../src/app_error.ts";
import { Announcer } from "../src/session/announcer.ts";
import { FakeApi } from "./fake_api.ts";
import { FakeRoom, joinedMeeting, meetingOptions } from "./fake_room.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function joined() {
  const [room, api] = [new FakeRoom(), new FakeApi()];
  const announcer = new Announcer();
  const meeting = await joinedMeeting(meetingOptions({ api: api.asApi }), announcer, () => {}, room);
  api.asked.length = 0;
  const shown = () => meeting.reactions.shown.value.map(({ identity, reaction }) => `${identity} ${reaction}`);
  return { room, api, meeting, shown, announcer };
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

test("they are read out in groups, for users who want that", async () => {
  const { room, announcer } = await joined();
  const said = () => announcer.announcements.value.map(({ message }) => message);
  const before = said();
  room.remoteParticipants.set("ben", { identity: "ben", name: "Ben", trackPublications: new Map() });
  const react = () => room.receive("tertulia.reaction", { participantName: "ben", reaction: "👍" });
  react();
  expect(said()).toEqual(before);
  announcer.readsSignals.value = true;
  for (let i = 0; i < 3; i += 1) react();
  expect(said()).toEqual([...before, "Ben: Thumbs up"]);
  await vi.advanceTimersByTimeAsync(1500);
  expect(said()).toContain("2 reactions");
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
