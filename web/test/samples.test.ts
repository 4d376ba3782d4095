import { expect, test } from "vitest";
import { codeOf, documentedRequest, LANGUAGES } from "../src/reference/samples.ts";

const SERVER = "https://meet.example.org/meet/api/v1";

test("a documented request carries what is required, and the preferred credential", () => {
  const operation = {
    parameters: [
      { name: "participantName", in: "path", required: true },
      { name: "roomName", in: "query", required: true },
      { name: "fields", in: "query" },
    ],
    security: [{ accessTokenCookie: [] }, { bearer: [] }, { apiKeyInHeader: [] }],
  };
  expect(documentedRequest(SERVER, "/participants/{participantName}", "delete", operation)).toEqual({
    method: "delete",
    url: `${SERVER}/participants/{participantName}?roomName={roomName}`,
    headers: { "X-API-KEY": "YOUR_API_KEY" },
  });
});

test("an operation that is open to all needs no credential", () => {
  expect(documentedRequest(SERVER, "/participants/token", "post", {}, "{}")).toEqual({
    method: "post",
    url: `${SERVER}/participants/token`,
    headers: { "Content-Type": "application/json" },
    body: "{}",
  });
});

test.each(LANGUAGES)("the sample in %s names method, address, header and body", (language) => {
  const request = {
    method: "post",
    url: `${SERVER}/rooms`,
    headers: { "X-API-KEY": "k" },
    body: '{"roomNamePrefix":"x1"}',
  };
  const code = codeOf(language, request);
  for (const part of ["POST", `${SERVER}/rooms`, "X-API-KEY", "roomNamePrefix", "x1"]) {
    expect(code.toUpperCase()).toContain(part.toUpperCase());
  }
});

test("what a user typed cannot leave the quotes of the shell", () => {
  const request = { method: "post", url: SERVER, headers: {}, body: '{"roomNamePrefix":"\'; rm -rf ~ #"}' };
  expect(codeOf("curl", request)).toContain(`"'\\''; rm -rf ~ #"`);
});
