// Against a real server, which tests/integration/test_typescript_client.py starts: URL, KEY and RECORDING say which.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ApiError,
  Client,
  ConnectionFailed,
  InvalidRequest,
  NotFound,
  TertuliaError,
  TimedOut,
  TooManyRequests,
  Unauthenticated,
} from "../dist/index.js";

const { URL: url, KEY: apiKey, RECORDING: recording } = process.env;
const client = new Client({ url, apiKey });
const FAR = 4_000_000_000_000;
const newPrefix = () => `p${Math.random().toString(36).slice(2)}`;

async function namesOf(prefix, pageSize = 2) {
  const names = [];
  for await (const room of client.rooms.list({ pageSize }))
    if (room.roomNamePrefix === prefix) names.push(room.roomName);
  return names;
}

/** A fetch that loses the first answers: the server has done what was asked. */
function losing(lost = 1) {
  const sent = [];
  const send = async (address, options) => {
    sent.push(options);
    const answer = await fetch(address, options);
    if (sent.length > lost) return answer;
    throw new TypeError("the connection broke");
  };
  return { sent, client: new Client({ url, apiKey, fetch: send }) };
}

/** A fetch whose first answer is this one. */
function answering(first) {
  const answers = [first];
  return new Client({ url, apiKey, fetch: async (...request) => answers.pop() ?? fetch(...request) });
}

test("rooms", async () => {
  const inAnHour = new Date(Date.now() + 3_600_000);
  const preferences = { chatPreferences: { enabled: false } };
  const room = await client.rooms.create(inAnHour, { roomNamePrefix: "standup", preferences });
  assert.match(room.roomName, /^standup-/);
  assert.equal(room.expirationDate, inAnHour.getTime());
  assert.deepEqual(await client.rooms.get(room.roomName), room);
  const changed = await client.rooms.update(room.roomName, { chatPreferences: { enabled: true } });
  assert.equal(changed.preferences.chatPreferences?.enabled, true);
  assert.deepEqual(await client.participants.list(room.roomName), []);
  const { token } = await client.participants.token(
    room.roomName,
    "Ana",
    new URL(room.publisherURL).searchParams.get("secret"),
  );
  assert.equal(token.split(".").length, 3);
  assert.equal(await client.rooms.delete(room.roomName), undefined);
  await assert.rejects(client.rooms.get(room.roomName), (error) => {
    assert.ok(error instanceof NotFound && error instanceof ApiError && error instanceof TertuliaError);
    assert.deepEqual([error.status, error.code, error.name], [404, "room_not_found", "NotFound"]);
    return Boolean(error.requestId);
  });
});

test("a list comes in pages", async () => {
  const prefix = newPrefix();
  const made = [];
  for (let n = 0; n < 5; n++) made.push((await client.rooms.create(FAR, { roomNamePrefix: prefix })).roomName);
  assert.deepEqual(await namesOf(prefix), made.reverse());
});

test("a repetition creates nothing twice", async () => {
  const prefix = newPrefix();
  const { sent, client: unlucky } = losing();
  const room = await unlucky.rooms.create(FAR, { roomNamePrefix: prefix });
  const keys = sent.map(({ headers }) => headers["idempotency-key"]);
  assert.equal(keys.length, 2);
  assert.equal(keys[0], keys[1]);
  assert.deepEqual(await namesOf(prefix, 100), [room.roomName]);
});

test("a repeated deletion has deleted", async () => {
  const { roomName } = await client.rooms.create(FAR);
  await losing().client.rooms.delete(roomName);
  await assert.rejects(client.rooms.delete(roomName), NotFound);
});

test("what may not be repeated is not", async () => {
  const { roomName } = await client.rooms.create(FAR);
  const { sent, client: unlucky } = losing();
  await assert.rejects(unlucky.rooms.rotateLinks(roomName), ConnectionFailed);
  assert.equal(sent.length, 1);
});

test("Retry-After is respected", async () => {
  const { roomName } = await client.rooms.create(FAR);
  const busy = (seconds) =>
    Response.json({ code: "x", message: "Later" }, { status: 429, headers: { "retry-after": seconds } });
  await answering(busy("0")).rooms.end(roomName);
  await assert.rejects(answering(busy("3600")).rooms.end(roomName), (error) => {
    assert.ok(error instanceof TooManyRequests);
    return error.retryAfterS === 3600;
  });
});

test("errors", async () => {
  await assert.rejects(client.rooms.create(1), (error) => {
    assert.ok(error instanceof InvalidRequest);
    return error.details[0].field === "expirationDate";
  });
  await assert.rejects(client.rooms.get("a/b?c#d%2e"), NotFound);
  assert.throws(() => client.rooms.get(".."), /cannot be part of an address/);
  await assert.rejects(new Client({ url, apiKey: "wrong-key-0123456789" }).rooms.get("a"), Unauthenticated);
  await assert.rejects(
    new Client({ url: "http://127.0.0.1:9", apiKey, retries: 1 }).rooms.rotateLinks("a"),
    ConnectionFailed,
  );
  assert.throws(() => new Client({ url: "meet.example.com", apiKey }), /server's address/);
});

test("time out, and a signal", async () => {
  const never = (_address, { signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  const silent = new Client({ url, apiKey, fetch: never, timeoutS: 0.1, retries: 0 });
  await assert.rejects(silent.rooms.get("a"), TimedOut);
  const patient = new Client({ url, apiKey, fetch: never });
  await assert.rejects(patient.rooms.get("a", { signal: AbortSignal.timeout(50) }), { name: "TimeoutError" });
});

test("the stream of a recording", async () => {
  const whole = await client.recordings.stream(recording);
  assert.equal(await whole.text(), "0123456789".repeat(1000));
  const part = await client.recordings.stream(recording, { range: "bytes=5-6" });
  assert.deepEqual([part.status, await part.text()], [206, "56"]);
});

test("the key is not shown", async () => {
  const { inspect } = await import("node:util");
  assert.ok(!inspect(client, { depth: 9, showHidden: true }).includes(apiKey));
  assert.ok(!JSON.stringify(client).includes(apiKey));
});
