import { ConnectionError, DisconnectReason } from "livekit-client";
import { expect, test } from "vitest";
import type { Cause } from "../src/app_error.ts";
import { text } from "../src/i18n/index.ts";
import { levelOf } from "../src/session/level.ts";
import { causeOfConnectError, causeOfDisconnect } from "../src/session/media_errors.ts";

test("every cause has a title and says what to do", () => {
  for (const { title, advice } of Object.values(text.errors)) {
    expect(title).not.toBe("");
    expect(advice).toMatch(/\.$/);
  }
});

test.each([
  [DisconnectReason.CLIENT_INITIATED, null],
  [DisconnectReason.DUPLICATE_IDENTITY, "joined_elsewhere"],
  [DisconnectReason.PARTICIPANT_REMOVED, "removed"],
  [DisconnectReason.ROOM_DELETED, "meeting_over"],
  [DisconnectReason.SERVER_SHUTDOWN, "server_stopping"],
  [DisconnectReason.SIGNAL_CLOSE, "connection_lost"],
  [undefined, "connection_lost"],
])("the disconnect reason %s means %s", (reason, cause) => {
  expect(causeOfDisconnect(reason)).toBe(cause);
});

test.each<[ConnectionError, Cause]>([
  [ConnectionError.leaveRequest("leave", DisconnectReason.JOIN_FAILURE), "full"],
  [ConnectionError.notAllowed("no", 401), "not_admitted"],
  [ConnectionError.notAllowed("requested room does not exist", 404), "meeting_over"],
  [ConnectionError.websocket("closed"), "server_unreachable"],
  [ConnectionError.internal("could not establish pc connection"), "media_blocked"],
])("connecting fails with %o", (error, cause) => {
  expect(causeOfConnectError(error)).toBe(cause);
});

test("an unknown failure is unexpected", () => {
  expect(causeOfConnectError(new Error("?"))).toBe("unexpected");
});

test("silence has no level and noise has one", () => {
  expect(levelOf(new Float32Array(512))).toBe(0);
  expect(levelOf(new Float32Array(512).fill(0.1))).toBeGreaterThan(0.4);
  expect(levelOf(new Float32Array(512).fill(1))).toBe(1);
});
