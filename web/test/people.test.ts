import { signal } from "@preact/signals-core";
import { expect, test } from "vitest";
import { AppError } from "../src/app_error.ts";
import { Announcer } from "../src/session/announcer.ts";
import { actionsFor, People, type PersonAction } from "../src/session/people.ts";
import { EMPTY_ROSTER, type Person, type Roster } from "../src/session/roster.ts";
import { FakeApi } from "./fake_api.ts";
import { FakeMediaTrack, FakeRoom, joinedMeeting, meetingOptions } from "./fake_room.ts";

function person(name: string, change: Partial<Person> = {}): Person {
  const state = { canPublish: true, microphone: false, camera: false, hand: 0, quality: null };
  return { identity: name, name, isLocal: false, role: "publisher", ...state, ...change };
}

function listOf(...people: Person[]) {
  const list = new People(signal<Roster>({ ...EMPTY_ROSTER, people }));
  return { list, names: () => list.shown.value.map(({ name }) => name) };
}

const crowd = Array.from({ length: 15 }, (_, i) => person(`p${i}`));

async function joined() {
  const [room, api, announcer] = [new FakeRoom(), new FakeApi(), new Announcer()];
  const meeting = await joinedMeeting(meetingOptions({ api: api.asApi }), announcer, () => {}, room);
  api.asked.length = 0;
  return { room, api, meeting };
}

test("raised hands are first, in their order; the others as they came", () => {
  const { names } = listOf(person("a"), person("b", { hand: 2 }), person("c"), person("d", { hand: 1 }));
  expect(names()).toEqual(["d", "b", "a", "c"]);
});

test("a search is offered beyond fifteen, and knows neither case nor accents", () => {
  const few = listOf(...crowd);
  few.list.search.value = "jose";
  expect(few.list.hasSearch.value).toBe(false);
  expect(few.names()).toHaveLength(15);
  const many = listOf(...crowd, person("José"));
  many.list.search.value = " jose";
  expect(many.list.hasSearch.value).toBe(true);
  expect(many.names()).toEqual(["José"]);
  many.list.show(false);
  expect(many.names()).toHaveLength(16);
});

test.each<[string, Partial<Person>, readonly PersonAction[]]>([
  ["one who listens", {}, ["askToUnmute", "remove"]],
  ["one who is on air", { microphone: true, camera: true, hand: 1 }, ["mute", "stopCamera", "lowerHand", "remove"]],
  ["a viewer", { canPublish: false }, ["remove"]],
  ["oneself", { isLocal: true, microphone: true }, []],
])("a moderator can do about %s what makes sense", (_who, change, actions) => {
  expect(actionsFor(person("a", change), "moderator")).toEqual(actions);
  expect(actionsFor(person("a", change), "publisher")).toEqual([]);
});

test("what a moderator does goes to the server", async () => {
  const { api, meeting } = await joined();
  const { moderation } = meeting;
  for (const action of ["mute", "askToUnmute", "stopCamera", "lowerHand", "remove"] as const)
    await moderation.act(action, "ben");
  await moderation.setRole("ben", "viewer");
  await Promise.all([moderation.muteAll(), moderation.lowerAllHands(), moderation.setLocked(true), moderation.end()]);
  expect(api.asked).toEqual([
    "mute ben",
    "askToUnmute ben",
    "stopCamera ben",
    "setHand ben false",
    "remove ben",
    "setRole ben viewer",
    "muteAll",
    "lowerAllHands",
    "setLocked true",
    "end",
  ]);
});

test("what the server refuses is shown", async () => {
  const { api, meeting } = await joined();
  api.refusal = new AppError("action_failed");
  await meeting.moderation.act("remove", "ben");
  expect(meeting.error.value).toEqual({ device: null, cause: "action_failed" });
});

test("the question to unmute is a notice until the microphone is on; no participant can ask it", async () => {
  const { room, meeting } = await joined();
  const kinds = () => meeting.notices.all.value.map(({ kind }) => kind);
  room.receive("tertulia.ask-to-unmute", {}, { identity: "mallory" });
  expect(kinds()).toEqual([]);
  room.receive("tertulia.ask-to-unmute", {});
  expect(kinds()).toEqual(["ask_to_unmute"]);
  expect(room.published).toEqual([]);
  await meeting.microphone.set(true);
  expect(kinds()).toEqual([]);
  room.receive("tertulia.ask-to-unmute", {});
  expect(kinds()).toEqual([]);
});

test("a camera that a moderator stopped is told until it is on again", async () => {
  const { room, meeting } = await joined();
  await room.localParticipant.publishTrack({ mediaStreamTrack: new FakeMediaTrack("camera") }, { source: "camera" });
  const [camera] = room.published;
  if (camera) camera.isMuted = true;
  room.emit("engine.remoteMute", "0", true);
  expect(meeting.notices.all.value.map(({ kind }) => kind)).toEqual(["camera_stopped"]);
  await meeting.camera.set(true);
  expect(meeting.notices.all.value).toEqual([]);
});
