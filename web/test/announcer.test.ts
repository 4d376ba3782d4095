import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Announcer } from "../src/session/announcer.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function listening() {
  const announcer = new Announcer();
  const said: string[] = [];
  announcer.announcements.subscribe((all) => {
    const newest = all.at(-1);
    if (newest && said.length <= newest.id) said.push(newest.message);
  });
  const join = (name: string) => announcer.announceInGroups("joined", name, (names) => names.join(" "));
  return { said, join };
}

test("twenty who join in a second are announced twice", () => {
  const { said, join } = listening();
  for (let i = 0; i < 20; i += 1) {
    join(`P${i}`);
    vi.advanceTimersByTime(50);
  }
  vi.advanceTimersByTime(10_000);
  expect(said).toHaveLength(2);
  expect(said[0]).toBe("P0");
  expect(said[1]?.split(" ")).toHaveLength(19);
});

test("a crowd that goes on joining is announced every few seconds", () => {
  const { said, join } = listening();
  for (let i = 0; i < 100; i += 1) {
    join(`P${i}`);
    vi.advanceTimersByTime(100);
  }
  vi.advanceTimersByTime(10_000);
  expect(said.length).toBeGreaterThan(2);
  expect(said.length).toBeLessThanOrEqual(6);
  expect(said.flatMap((message) => message.split(" "))).toHaveLength(100);
});

test("one now and then is announced at once", () => {
  const { said, join } = listening();
  join("Ana");
  vi.advanceTimersByTime(5000);
  join("Ben");
  expect(said).toEqual(["Ana", "Ben"]);
});
