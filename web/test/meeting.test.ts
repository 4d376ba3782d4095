import { expect, test } from "vitest";
import type { Cause } from "../src/app_error.ts";
import { Announcer } from "../src/session/announcer.ts";
import type { DeviceKind } from "../src/session/devices.ts";
import { FakeMediaTrack, FakeRoom, joinedMeeting, meetingOptions, question } from "./fake_room.ts";

/** A meeting that was joined while the browser asks for both devices. */
async function joined(room = new FakeRoom()) {
  const questions = { camera: question(), microphone: question() };
  const announcer = new Announcer();
  const ends: (Cause | null)[] = [];
  const options = meetingOptions({ detachTrack: (kind: DeviceKind) => questions[kind].asked });
  const meeting = await joinedMeeting(options, announcer, (cause) => void ends.push(cause), room);
  const said = () => announcer.announcements.value.map(({ message }) => message);
  return { room, meeting, questions, said, ends };
}

const sources = (room: FakeRoom) => room.published.map(({ source }) => source);

test("Unmute while the browser still asks publishes one microphone, and Mute acts on it", async () => {
  const { room, meeting, questions } = await joined();
  const pressed = meeting.toggle("microphone");
  questions.microphone.answer(new FakeMediaTrack("microphone"));
  await pressed;
  expect(sources(room)).toEqual(["microphone"]);
  expect(room.asked).toEqual([]);
  expect(meeting.microphone.on.value).toBe(true);
  await meeting.toggle("microphone");
  expect(room.published.map(({ isMuted }) => isMuted)).toEqual([true]);
  expect(meeting.microphone.on.value).toBe(false);
});

test("a microphone that the browser refused is asked for again by Unmute", async () => {
  const { room, meeting, questions } = await joined();
  questions.microphone.answer(null, "device_denied");
  await meeting.microphone.set(false);
  expect(meeting.error.value).toEqual({ device: "microphone", cause: "device_denied" });
  await meeting.toggle("microphone");
  expect(sources(room)).toEqual(["microphone"]);
  expect(meeting.error.value).toBeNull();
});

test("Unmute while the browser still asks about a microphone that it then refuses asks again", async () => {
  const { room, meeting, questions } = await joined();
  const pressed = meeting.toggle("microphone");
  questions.microphone.answer(null);
  await pressed;
  expect(sources(room)).toEqual(["microphone"]);
  expect(meeting.microphone.on.value).toBe(true);
});

test("a moderator's mute stays when the connection is lost", async () => {
  const { room, meeting, questions } = await joined();
  questions.microphone.answer(new FakeMediaTrack("microphone"));
  await meeting.microphone.change(async () => {});
  expect(meeting.microphone.wanted).toBe(true);
  const [microphone] = room.published;
  if (microphone) microphone.isMuted = true;
  room.emit("trackMuted", microphone, room.localParticipant);
  expect(meeting.microphone.wanted).toBe(false);
  room.published.pop();
  room.emit("localTrackUnpublished", microphone);
  expect(meeting.microphone.wanted).toBe(false);
});

test("a lost connection leaves what was wanted as it was", async () => {
  const { room, meeting, questions, ends } = await joined();
  questions.microphone.answer(new FakeMediaTrack("microphone"));
  await meeting.microphone.change(async () => {});
  const [microphone] = room.published.splice(0);
  room.emit("localTrackUnpublished", microphone);
  room.emit("disconnected", undefined);
  expect(ends).toEqual(["connection_lost"]);
  expect(meeting.microphone.wanted).toBe(true);
  expect(meeting.camera.wanted).toBe(true);
});

test("joins are announced in groups, and shared screens when they begin and end", async () => {
  const { room, said } = await joined();
  for (let i = 0; i < 20; i += 1) room.emit("participantConnected", { identity: `p${i}`, name: `P${i}` });
  expect(said().filter((message) => message.includes("joined"))).toEqual(["P0 joined"]);
  room.emit("localTrackPublished", { source: "screen_share" });
  room.emit("localTrackUnpublished", { source: "screen_share" });
  room.emit("trackUnpublished", { source: "screen_share" }, { identity: "ben", name: "Ben" });
  expect(said().slice(-3)).toEqual([
    "You are sharing your screen",
    "You are no longer sharing your screen",
    "Ben is no longer sharing a screen",
  ]);
});

test("a camera that is slow to open does not hold the microphone back", async () => {
  const { room, meeting, questions } = await joined();
  questions.microphone.answer(new FakeMediaTrack("microphone"));
  await meeting.microphone.change(async () => {});
  expect(sources(room)).toEqual(["microphone"]);
  questions.camera.answer(new FakeMediaTrack("camera"));
  await meeting.camera.change(async () => {});
  expect(sources(room)).toEqual(["microphone", "camera"]);
});

test("a publish that fails closes the camera and says so", async () => {
  const { room, meeting, questions } = await joined();
  room.publishFails = new Error("no answer from the server");
  const camera = new FakeMediaTrack("camera");
  questions.camera.answer(camera);
  await expect.poll(() => meeting.error.value).toEqual({ device: "camera", cause: "device_failed" });
  expect(camera.readyState).toBe("ended");
  expect(meeting.camera.on.value).toBe(false);
});

test("a device that opens after the end of the meeting is closed", async () => {
  const { room, questions, meeting } = await joined();
  room.state = "disconnected";
  const camera = new FakeMediaTrack("camera");
  questions.camera.answer(camera);
  await meeting.camera.change(async () => {});
  expect(camera.readyState).toBe("ended");
  expect(room.published).toEqual([]);
});

test("Enter twice sends once; a message that does not get through can be sent again", async () => {
  const { room, meeting } = await joined();
  meeting.chat.draft.value = "hello";
  await Promise.all([meeting.conversation.sendDraft(), meeting.conversation.sendDraft()]);
  expect(room.sent).toEqual(["hello"]);

  room.sending = Promise.reject(new Error("no network"));
  meeting.chat.draft.value = "again";
  await meeting.conversation.sendDraft();
  const failed = meeting.chat.messages.value[1];
  expect(failed).toMatchObject({ text: "again", state: "failed" });
  room.sending = Promise.resolve();
  if (failed) await meeting.conversation.sendAgain(failed);
  expect(meeting.chat.messages.value.map(({ state }) => state)).toEqual(["sent", "sent"]);
});
