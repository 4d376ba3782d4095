import { signal } from "@preact/signals-core";
import { expect, test, vi } from "vitest";
import { commandFor, eventsFor } from "../embed/src/openvidu_names.ts";
import { Bridge, type PortLike } from "../src/embedding/bridge.ts";
import { OpenViduMessages } from "../src/embedding/openvidu.ts";
import { allowedOrigins, trustIn } from "../src/embedding/trust.ts";
import type { MeetingPage } from "../src/session/page.ts";
import { FakeApi } from "./fake_api.ts";

const NAMED = { isAllowed: true, isNamed: true };
const BY_WILDCARD = { isAllowed: true, isNamed: false };

class FakePort implements PortLike {
  onmessage: PortLike["onmessage"] = null;
  readonly sent: unknown[] = [];
  isClosed = false;

  postMessage(message: unknown): void {
    this.sent.push(message);
  }

  close(): void {
    this.isClosed = true;
  }

  receive(data: unknown): void {
    this.onmessage?.({ data } as MessageEvent);
  }
}

function aBridge() {
  const api = new FakeApi();
  const people = [
    { identity: "Ana", name: "Ana", isLocal: true, hand: 0 },
    { identity: "Ben", name: "Ben", isLocal: false, hand: 1 },
  ];
  const meeting = {
    role: signal("moderator"),
    roster: signal({ people, screenShares: [] }),
    hand: { raised: signal(false) },
  };
  const page = { state: signal({ view: "meeting", meeting }) } as unknown as MeetingPage;
  const applied: unknown[] = [];
  const bridge = new Bridge({ page, api: api.asApi, isEndedBySelf: false }, (settings) => applied.push(settings));
  return { api, applied, bridge, page };
}

async function answerTo(method: unknown, args: unknown, trust = NAMED) {
  const { api, bridge } = aBridge();
  const port = new FakePort();
  bridge.connect(port, trust);
  port.receive({ id: 7, method, args });
  await vi.waitFor(() => expect(port.sent).toHaveLength(2));
  return { answer: port.sent[1] as { id: number; error?: { cause: string } }, asked: api.asked };
}

test("events wait for a port; a newer port takes the place of the older one", () => {
  const { bridge } = aBridge();
  bridge.emit("reaction", 1);
  const [first, second] = [new FakePort(), new FakePort()];
  bridge.connect(first, NAMED);
  expect(first.sent).toEqual([{ welcome: true }, { event: "reaction", detail: 1 }]);
  bridge.connect(second, NAMED);
  bridge.emit("reaction", 2);
  expect(first.isClosed).toBe(true);
  expect(first.sent).toHaveLength(2);
  expect(second.sent).toEqual([{ welcome: true }, { event: "reaction", detail: 2 }]);
});

test("what nobody hears is bounded", () => {
  const { bridge } = aBridge();
  for (let i = 0; i < 2000; i += 1) bridge.emit("reaction", i);
  const port = new FakePort();
  bridge.connect(port, NAMED);
  expect(port.sent).toHaveLength(501);
});

test("a method is answered by its number", async () => {
  const { answer, asked } = await answerTo("participantKick", ["Ben"]);
  expect(answer).toEqual({ id: 7, result: undefined });
  expect(asked).toEqual(["remove Ben"]);
});

test.each([
  ["meetingEnd", []],
  ["participantKick", ["Ben"]],
  ["participantMute", ["Ben"]],
  ["muteAll", []],
  ["startRecording", []],
  ["stopRecording", []],
])("%s is refused to an origin that only * allows", async (method, args) => {
  const { answer, asked } = await answerTo(method, args, BY_WILDCARD);
  expect(answer.error?.cause).toBe("origin_not_named");
  expect(asked).toEqual([]);
});

test.each([
  ["constructor", [], "no_such_method"],
  ["__proto__", [], "no_such_method"],
  [7, [], "no_such_method"],
  ["participantKick", [{}], "bad_argument"],
  ["participantKick", ["Nobody"], "not_found"],
  ["participantMute", ["Ben", "nose"], "bad_argument"],
  ["setHand", ["yes"], "bad_argument"],
])("%s %s: %s", async (method, args, cause) => {
  expect((await answerTo(method, args)).answer.error?.cause).toBe(cause);
});

test("what is not a message changes nothing", () => {
  const { applied, bridge } = aBridge();
  const port = new FakePort();
  bridge.connect(port, NAMED);
  for (const data of [null, 1, "x", {}, { set: 3 }, { id: "1", method: "muteAll" }]) port.receive(data);
  port.receive({ set: { theme: "dark" } });
  expect(applied).toEqual([{ theme: "dark" }]);
  expect(port.sent).toHaveLength(1);
});

test.each([
  ["https://a.example", ["https://a.example"], true, true],
  ["https://a.example:444", ["https://a.example"], false, false],
  ["http://a.example", ["https://a.example"], false, false],
  ["https://a.example.evil", ["https://a.example"], false, false],
  ["https://x.a.example", ["https://*.a.example"], true, true],
  ["https://a.example", ["https://*.a.example"], false, false],
  ["https://xa.example", ["https://*.a.example"], false, false],
  ["https://b.example", ["*"], true, false],
  ["https://a.example", ["*", "https://a.example"], true, true],
  ["null", ["https://a.example"], false, false],
  ["https://own.example", [], true, true],
])("%s under %s", (origin, allowed, isAllowed, isNamed) => {
  expect(trustIn(origin, allowed, "https://own.example")).toEqual({ isAllowed, isNamed });
});

test("without an answer of the server no origin is allowed", async () => {
  expect(await allowedOrigins(async () => Promise.reject(new Error("offline")))).toEqual([]);
  expect(await allowedOrigins(async () => new Response('{"origins": ["https://a", 3]}'))).toEqual(["https://a"]);
});

test("OpenVidu Meet's messages are answered to their origin alone", async () => {
  const { api, bridge } = aBridge();
  const posted: [unknown, string][] = [];
  const messages = new OpenViduMessages(bridge, (message, origin) => posted.push([message, origin]));
  const payload = { participantIdentity: "Ben" };
  await messages.receive({ command: "kickParticipant", payload }, "https://a.example", NAMED);
  expect(api.asked).toEqual(["remove Ben"]);
  await messages.receive({ command: "kickParticipant", payload }, "https://a.example", BY_WILDCARD);
  bridge.emit("meetingClosed", { roomId: "r" });
  expect(posted.map(([message]) => (message as { event: string }).event)).toEqual([
    "ready",
    "error",
    "meetingClosed",
    "closed",
  ]);
  expect(new Set(posted.map(([, origin]) => origin))).toEqual(new Set(["https://a.example"]));
});

test("OpenVidu Meet's names", () => {
  expect(commandFor("mediaToggleAudio", undefined)).toEqual({ method: "setMicrophone", args: [] });
  expect(commandFor("mediaToggleVideo", { active: false })).toEqual({ method: "setCamera", args: [false] });
  expect(commandFor("initialize", { domain: "https://a.example" })).toBeNull();
  expect(commandFor("constructor", {})).toBeNull();
  expect(eventsFor("cameraChanged", { on: true, by: "moderator" })).toEqual([
    ["mediaVideoStatusChanged", { active: true, origin: "moderator" }],
  ]);
});
