import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Announcer } from "../src/session/announcer.ts";
import { Network } from "../src/session/network.ts";
import { pauseUnseenVideos } from "../src/session/unseen_videos.ts";
import { FakeRoom } from "./fake_room.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function watched() {
  const room = new FakeRoom();
  const announcer = new Announcer();
  const network = new Network(room.asRoom, announcer);
  const quality = (identity: string, is: string) => room.emit("connectionQualityChanged", is, { identity });
  const stream = (identity: string, state: string, source = "camera") =>
    room.emit("trackStreamStateChanged", { source }, state, { identity });
  const pass = (seconds: number) => vi.advanceTimersByTime(seconds * 1000);
  const said = () => announcer.announcements.value.map(({ message }) => message);
  return { room, network, quality, stream, pass, said };
}

test("whose network is bad is said when it lasts: mine", () => {
  const { network, quality, pass, said } = watched();
  quality("ana", "poor");
  pass(2.9);
  expect(network.own.value).toBe("good");
  pass(0.2);
  expect(network.own.value).toBe("weak");
  expect(network.others.value.size).toBe(0);
  expect(said()).toEqual(["Your connection is weak."]);
  quality("ana", "excellent");
  pass(9);
  expect(network.own.value).toBe("weak");
  pass(2);
  expect(network.own.value).toBe("good");
});

test("and theirs", () => {
  const { room, network, quality, pass, said } = watched();
  quality("ben", "poor");
  quality("cleo", "lost");
  pass(3);
  expect([...network.others.value]).toEqual([
    ["ben", "weak"],
    ["cleo", "lost"],
  ]);
  expect(network.own.value).toBe("good");
  expect(said()).toEqual([]);
  room.emit("participantDisconnected", { identity: "cleo" });
  expect([...network.others.value.keys()]).toEqual(["ben"]);
});

test("what flaps is neither said nor taken back", () => {
  const { network, quality, pass, said } = watched();
  const changes = vi.fn();
  network.own.subscribe(changes);
  for (let i = 0; i < 10; i += 1) {
    quality("ana", i % 2 ? "good" : "poor");
    pass(2);
  }
  expect(network.own.value).toBe("good");
  quality("ana", "poor");
  pass(4);
  for (let i = 0; i < 10; i += 1) {
    quality("ana", i % 2 ? "poor" : "good");
    pass(5);
  }
  expect(network.own.value).toBe("weak");
  expect(changes).toHaveBeenCalledTimes(2); // the first call is the present value
  expect(said()).toEqual([]); // once, and that was long ago
});

test("pictures that are held back for the sake of the sound are this user's network", () => {
  const { room, network, stream, pass, said } = watched();
  stream("ben", "paused");
  stream("ben", "paused", "screen_share");
  pass(0.6);
  expect([...network.paused.value]).toEqual(["participant:ben", "screen_share:ben"]);
  expect(network.own.value).toBe("weak");
  expect(said()).toEqual(["Your connection is weak."]);
  stream("ben", "active");
  pass(1);
  stream("ben", "paused");
  pass(5);
  expect(network.paused.value.size).toBe(2);
  stream("ben", "active");
  pass(4);
  room.emit("trackUnsubscribed", {}, { source: "screen_share" }, { identity: "ben" });
  expect(network.paused.value.size).toBe(0);
  expect(network.own.value).toBe("good");
});

test("nothing is said after the meeting", () => {
  const { room, network, quality, pass } = watched();
  quality("ana", "poor");
  room.emit("disconnected");
  pass(20);
  expect(network.own.value).toBe("good");
});

test("a video that no tile shows is paused", () => {
  const room = new FakeRoom();
  pauseUnseenVideos(room.asRoom);
  const track = (kind: string, attachedElements: unknown[]) => ({ kind, attachedElements, emit: vi.fn() });
  const [unseen, seen, sound] = [track("video", []), track("video", [{}]), track("audio", [])];
  for (const each of [unseen, seen, sound]) room.emit("trackSubscribed", each);
  expect(unseen.emit).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1000);
  expect(unseen.emit).toHaveBeenCalledExactlyOnceWith("visibilityChanged", false, unseen);
  expect(seen.emit).not.toHaveBeenCalled();
  expect(sound.emit).not.toHaveBeenCalled();
});
