import { expect, test } from "vitest";
import { denialCause, type Surroundings, shareCause } from "../src/session/refusals.ts";

function refusal(message: string, name = "NotAllowedError"): Error {
  return Object.assign(new Error(message), { name });
}

const alone: Surroundings = { isFramed: false, allows: () => true };
const framedWithout: Surroundings = { isFramed: true, allows: () => false };
const framedInFirefox: Surroundings = { isFramed: true, allows: () => undefined };

test.each([
  ["the user closed the prompt", refusal("Permission denied by user"), 20, alone, null],
  ["the user closed an older browser's prompt", refusal("Permission denied"), 2000, alone, null],
  ["a policy of the computer", refusal("Permission denied"), 5, alone, "share_refused"],
  ["a Mac without screen recording", refusal("Permission denied by system"), 900, alone, "share_denied_by_system"],
  [
    "an iframe without the attribute",
    refusal("disallowed by permissions policy"),
    5,
    framedWithout,
    "share_blocked_by_page",
  ],
  ["the same in Firefox", refusal("The request is not allowed"), 5, framedInFirefox, "share_blocked_by_page"],
  [
    "a prompt that was closed in an iframe of Firefox",
    refusal("The request is not allowed"),
    900,
    framedInFirefox,
    null,
  ],
  ["a capture that did not start", refusal("Could not start", "NotReadableError"), 900, alone, "share_failed"],
])("sharing: %s", (_what, error, elapsedMs, around, cause) => {
  expect(shareCause(error, elapsedMs, around)).toBe(cause);
});

test("a device: by whom it was refused", () => {
  expect(denialCause(refusal("Permission denied"), "camera", alone)).toBe("device_denied");
  expect(denialCause(refusal("Permission denied by system"), "camera", alone)).toBe("device_denied_by_system");
  expect(denialCause(refusal("Permission denied"), "microphone", framedWithout)).toBe("device_blocked_by_page");
});
