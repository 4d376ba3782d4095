import { expect, test } from "vitest";
import { readClaims } from "../src/api/claims.ts";

function tokenWith(payload: unknown): string {
  return `e30.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.signature`;
}

test("reads where to connect and the role, in any script", () => {
  const metadata = JSON.stringify({ livekitUrl: "ws://localhost:6080", role: "viewer", note: "ñ漢🎉" });
  expect(readClaims(tokenWith({ sub: "Ana", metadata }))).toEqual({
    livekitUrl: "ws://localhost:6080",
    role: "viewer",
  });
});

test.each([
  ["no token", ""],
  ["no JSON", "a.b.c"],
  ["no metadata", tokenWith({ sub: "Ana" })],
  ["metadata that is no JSON", tokenWith({ metadata: "hello" })],
  ["metadata that is no object", tokenWith({ metadata: "3" })],
  ["an unknown role", tokenWith({ metadata: '{"livekitUrl":"ws://x","role":"god"}' })],
  ["no address", tokenWith({ metadata: '{"role":"viewer"}' })],
])("refuses %s", (_what, token) => {
  expect(() => readClaims(token)).toThrow(TypeError);
});
