import { expect, test } from "vitest";
import { bytesOf, dayOf } from "../../src/console/i18n/format.ts";
import { text } from "../../src/console/i18n/index.ts";
import { allowedOf, preferencesOf } from "../../src/console/session/allowed.ts";
import { type Check, ConnectionTest, type Result, verdictOf } from "../../src/console/session/connection_test.ts";
import { devicesOf } from "../../src/console/session/devices_of.ts";
import { embeddingCode } from "../../src/console/session/embedding_code.ts";
import { seriesOf } from "../../src/console/session/insight.ts";
import { expiryOf, NEW_ROOM, newRoomFrom, optionsOf } from "../../src/console/session/new_room.ts";
import { badOriginIn, originsOf } from "../../src/console/session/origins.ts";
import { qrPath } from "../../src/console/session/qr_code.ts";
import { qualityOf } from "../../src/console/session/quality.ts";
import { hrefOf, routeOf } from "../../src/console/session/router.ts";
import { contrastOf, isColour } from "../../src/session/contrast.ts";

const NOW = Date.UTC(2026, 10, 28, 12);
const DAY_MS = 86_400_000;

test("addresses lead to screens and back", () => {
  expect(routeOf(hrefOf("rooms", "a/b ü"))).toEqual({ section: "rooms", item: "a/b ü" });
  expect(routeOf("#/health")).toEqual({ section: "health", item: null });
  for (const odd of ["", "#", "#/", "#/nonsense", "#/rooms/%E0%A4%A"])
    expect(routeOf(odd)).toEqual({ section: "rooms", item: null });
});

test("a new room is what the form says", () => {
  const week = { ...NEW_ROOM, name: " standup ", lifetime: "week", mostParticipants: "12" } as const;
  expect(expiryOf(week, NOW)).toBe(NOW + 7 * DAY_MS);
  expect(optionsOf({ ...week, allowed: { ...week.allowed, chatFiles: false, lobby: true } }, 5)).toEqual({
    expirationDate: 5,
    roomNamePrefix: "standup",
    maxParticipants: 12,
    preferences: {
      chatPreferences: { enabled: true, history: true, files: false },
      recordingPreferences: { enabled: true },
      virtualBackgroundPreferences: { enabled: true },
      lobbyPreferences: { enabled: true },
    },
  });
  expect(expiryOf({ ...NEW_ROOM, lifetime: "date", expiresAt: "2001-01-01T00:00" }, NOW)).toBeNull();
  expect(expiryOf({ ...NEW_ROOM, lifetime: "date", expiresAt: "" }, NOW)).toBeNull();
});

test("a new room begins as the settings say", () => {
  const given = { maxParticipants: 8, lifetimeS: 7 * 86_400, preferences: { chatPreferences: { enabled: false } } };
  expect(newRoomFrom(given, NOW)).toMatchObject({
    lifetime: "week",
    mostParticipants: "8",
    allowed: { chat: false, chatHistory: true, recording: true, lobby: false },
  });
  const odd = newRoomFrom({ lifetimeS: 3600 }, NOW);
  expect(expiryOf(odd, NOW)).toBe(NOW + 3_600_000);
  expect(newRoomFrom({}, NOW)).toEqual(NEW_ROOM);
});

test("what a room allows is read and written, and only what changes is sent", () => {
  const preferences = {
    chatPreferences: { enabled: true, history: false },
    recordingPreferences: { enabled: false },
    lobbyPreferences: { enabled: true },
  };
  const allowed = allowedOf(preferences);
  expect(allowed).toEqual({
    chat: true,
    chatHistory: false,
    chatFiles: true,
    recording: false,
    backgrounds: true,
    lobby: true,
  });
  expect(allowedOf(preferencesOf(allowed))).toEqual(allowed);
  expect(preferencesOf({ chatHistory: true })).toEqual({ chatPreferences: { history: true } });
  expect(preferencesOf({})).toEqual({});
});

test("the lines for a page have the room and the script of its server", () => {
  expect(embeddingCode("https://meet.example.com/meet/standup-x/?secret=a&lang=de")).toBe(
    '<script async src="https://meet.example.com/meet/v1/tertulia-meet.js"></script>\n' +
      '<tertulia-meet room-url="https://meet.example.com/meet/standup-x/?secret=a&amp;lang=de" ' +
      'style="display: block; height: 640px"></tertulia-meet>',
  );
});

test("devices are told from tracks", () => {
  const tracks = [
    { source: "MICROPHONE", muted: true },
    { source: "CAMERA", muted: false, width: 1280, height: 720 },
    { source: "SCREEN_SHARE", muted: false },
  ];
  expect(devicesOf({ tracks })).toEqual({ microphone: "muted", camera: "on", screen: true, picture: "1280 × 720" });
  expect(devicesOf({})).toEqual({ microphone: "none", camera: "off", screen: false, picture: "" });
});

test("contrast is WCAG's", () => {
  expect(contrastOf("#ffffff", "#000000")).toBeCloseTo(21, 1);
  expect(contrastOf("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
  expect(["#0f6b63", "#fff", "red", "#12345g"].map(isColour)).toEqual([true, false, false, false]);
});

test("sites are one a line, and what is none is named", () => {
  expect(originsOf("https://a.example/\n\n http://b:8080 ")).toEqual(["https://a.example", "http://b:8080"]);
  expect(badOriginIn("https://a.example\n*")).toBeNull();
  for (const bad of ["a.example", "https://a.example/page", "ftp://a"]) expect(badOriginIn(bad)).toBe(bad);
});

test("a chart has a gap where the server was away", () => {
  const point = (atS: number, rooms: number, bandwidth = {}) => ({
    at: atS * 1000,
    rooms,
    participants: 0,
    recordings: 0,
    ...bandwidth,
  });
  const points = { stepS: 60, points: [point(0, 1), point(60, 2), point(600, 3)] };
  expect(seriesOf(points, "rooms")).toEqual({ times: [0, 60, 120, 600], values: [1, 2, null, 3] });
  expect(seriesOf(points, "bandwidth")).toBeNull();
  const measured = { stepS: 60, points: [point(0, 1, { receivedBps: 1e6, sentBps: 3_500_000 })] };
  expect(seriesOf(measured, "bandwidth")).toEqual({ times: [0], values: [4.5] });
});

test("a connection is told in words, and only what is known of it", () => {
  const one = {
    participantName: "Ana",
    joinedAt: 0,
    connected: true,
    keyframeRequests: 0,
    publishedVideos: [],
    receivedVideos: [],
  };
  expect(qualityOf(one)).toEqual({ isPoor: false, facts: [] });
  const measured = {
    ...one,
    family: "IPv4",
    protocol: "udp",
    address: "192.0.x.x",
    rttMs: 23,
    lossDown: 0.081,
    receivedVideos: [
      { sid: "1", layer: "low", best: "high" },
      { sid: "2", layer: "high", best: "high" },
      { sid: "3", best: "high" },
    ],
  };
  expect(qualityOf(measured)).toEqual({
    isPoor: true,
    facts: [
      "UDP over IPv4 (192.0.x.x)",
      "round trip 23 ms",
      "loss – up, 8.1 % down",
      "1 of 3 pictures at full quality, 1 missing",
    ],
  });
});

test("a QR code has its three finder patterns", () => {
  const { size, drawn } = qrPath("https://meet.example/meet/a/?secret=b");
  expect(size).toBeGreaterThanOrEqual(21);
  for (const [x, y] of [
    [0, 0],
    [size - 7, 0],
    [0, size - 7],
  ])
    expect(drawn).toContain(`M${x} ${y}h1`);
});

test("sizes and days are short", () => {
  expect(bytesOf(0)).toBe("0 byte");
  expect(bytesOf(1_234_567_890)).toBe("1.23 GB");
  expect(dayOf(NOW + 40 * DAY_MS, NOW)).toBe("Jan 7, 2027");
  expect(dayOf(NOW + 10 * DAY_MS, NOW)).toBe("Dec 8");
});

const ALL: readonly Check[] = ["signal", "udp", "tcp", "turn"];

async function tested(works: Partial<Record<Check, "works" | "skipped">>) {
  const asked: Check[] = [];
  let closed = false;
  const run = async (check: Check) => {
    asked.push(check);
    return works[check] ?? "fails";
  };
  const test = new ConnectionTest(async () => ({
    run,
    close: async () => {
      closed = true;
    },
  }));
  await test.run();
  const results = ALL.map((check): Result => test.results.value[check]);
  return { asked, closed, verdict: verdictOf(test.results), results };
}

test("the test of the connection says in words what works", async () => {
  const good = await tested({ signal: "works", udp: "works", tcp: "works", turn: "skipped" });
  expect([good.verdict, good.closed, good.asked]).toEqual(["good", true, ALL]);
  expect((await tested({ signal: "works", tcp: "works" })).verdict).toBe("noUdp");
  expect((await tested({ signal: "works" })).verdict).toBe("none");
  const cutOff = await tested({});
  expect([cutOff.verdict, cutOff.asked]).toEqual(["noSignal", ["signal"]]);
  expect(cutOff.results).toEqual(["fails", "waiting", "waiting", "waiting"]);
});

test("every result and every state has words", () => {
  for (const check of ALL) expect(text.health.checks[check] && text.health.advice[check]).toBeTruthy();
  for (const result of ["waiting", "running", "works", "fails", "skipped"])
    expect(text.health.results[result]).toBeTruthy();
});
