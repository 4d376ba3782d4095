import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { AppError, type Cause } from "../src/app_error.ts";
import { Announcer } from "../src/session/announcer.ts";
import { FakeApi } from "./fake_api.ts";
import { FakeRoom, joinedMeeting, meetingOptions } from "./fake_room.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

async function joined() {
  const [room, api, announcer, ends] = [new FakeRoom(), new FakeApi(), new Announcer(), [] as (Cause | null)[]];
  const options = meetingOptions({ api: api.asApi });
  const meeting = await joinedMeeting(options, announcer, (cause) => void ends.push(cause), room);
  api.asked.length = 0;
  const setHand = (at: string) => {
    room.localParticipant.attributes["tertulia.hand"] = at;
    room.emit("participantAttributesChanged", { "tertulia.hand": at }, room.localParticipant);
  };
  const speak = (isSpeaking: boolean) => {
    room.localParticipant.isSpeaking = isSpeaking;
    room.emit("activeSpeakersChanged", []);
  };
  const said = () => announcer.announcements.value.map(({ message }) => message);
  return { room, api, meeting, setHand, speak, said, announcer };
}

test("the button asks the server, and shows what the room says", async () => {
  const { api, meeting, setHand, said } = await joined();
  await meeting.hand.toggle();
  expect(api.asked).toEqual(["setHand ana true"]);
  expect(meeting.hand.raised.value).toBe(false);
  setHand("1000");
  expect(meeting.hand.raised.value).toBe(true);
  expect(meeting.roster.value.participants[0]?.hand).toBe(1);
  await meeting.hand.toggle();
  setHand("");
  expect(api.asked).toEqual(["setHand ana true", "setHand ana false"]);
  expect(said().slice(-2)).toEqual(["Your hand is raised", "Your hand is lowered"]);
});

test("a press before the room has answered means the opposite of the press before", async () => {
  const { api, meeting, setHand } = await joined();
  const first = meeting.hand.toggle();
  await meeting.hand.toggle();
  meeting.hand.refresh(false, false);
  await first;
  expect(api.asked).toEqual(["setHand ana true", "setHand ana false"]);
  setHand("1000");
  setHand("");
  await vi.advanceTimersByTimeAsync(1000);
  await meeting.hand.toggle();
  await meeting.hand.toggle();
  expect(api.asked.slice(2)).toEqual(["setHand ana true", "setHand ana false"]);
});

test("a refusal is shown, and the button works again", async () => {
  const { api, meeting } = await joined();
  api.refusal = new AppError("action_failed");
  await meeting.hand.toggle();
  expect(meeting.error.value).toEqual({ device: null, cause: "action_failed" });
  api.refusal = null;
  await meeting.hand.toggle();
  expect(api.asked).toHaveLength(2);
});

test("the hand goes down when its user has spoken for two seconds, pauses between words included", async () => {
  const { api, setHand, speak } = await joined();
  setHand("1000");
  speak(true);
  await vi.advanceTimersByTimeAsync(1500);
  speak(false);
  await vi.advanceTimersByTimeAsync(1000);
  expect(api.asked).toEqual([]);
  speak(true);
  await vi.advanceTimersByTimeAsync(600);
  expect(api.asked).toEqual(["setHand ana false"]);
});

test("it stays up for a cough, after a long pause, and for what was said before", async () => {
  const { api, setHand, speak } = await joined();
  speak(true);
  await vi.advanceTimersByTimeAsync(5000);
  speak(false);
  setHand("1000");
  for (let i = 0; i < 3; i += 1) {
    speak(true);
    await vi.advanceTimersByTimeAsync(1200);
    speak(false);
    await vi.advanceTimersByTimeAsync(4000);
  }
  expect(api.asked).toEqual([]);
});

test("hands of others are read out in groups, for users who want that", async () => {
  const { room, said, announcer } = await joined();
  const ada = { identity: "Ada", name: "Ada", attributes: { "tertulia.hand": "1" } };
  room.emit("participantAttributesChanged", ada.attributes, ada);
  expect(said().filter((message) => message.startsWith("Raised hand"))).toEqual([]);
  announcer.readsSignals.value = true;
  for (const name of ["Ben", "Cleo"]) {
    const participant = { identity: name, name, attributes: { "tertulia.hand": "1" } };
    room.emit("participantAttributesChanged", participant.attributes, participant);
  }
  expect(said().filter((message) => message.startsWith("Raised hand"))).toEqual(["Raised hand: Ben"]);
  await vi.advanceTimersByTimeAsync(1500);
  expect(said()).toContain("Raised hand: Cleo");
});
