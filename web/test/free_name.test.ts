import { expect, test } from "vitest";
import { nextName } from "../src/session/free_name.ts";

test.each([
  ["Ana", "Ana (2)"],
  ["Ana (2)", "Ana (3)"],
  ["Ana (9)", "Ana (10)"],
  ["Ana (2) (2)", "Ana (2) (3)"],
  ["(2)", "(2) (2)"],
  ["آنا", "آنا (2)"],
  ["a".repeat(128), `${"a".repeat(124)} (2)`],
  [`${"a".repeat(123)}👩‍🚀b`, `${"a".repeat(123)}👩 (2)`],
])("after %s comes %s", (taken, next) => {
  expect(nextName(taken)).toBe(next);
  expect([...next].length).toBeLessThanOrEqual(128);
});
