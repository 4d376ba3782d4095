import { signal } from "@preact/signals-core";
import { expect, test } from "vitest";
import { PushToTalk } from "../src/session/push_to_talk.ts";

function muted() {
  const on = signal(false);
  const asked: boolean[] = [];
  const microphone = {
    on,
    get wanted() {
      return on.value || asked.at(-1) === true;
    },
  };
  const talk = new PushToTalk(microphone, async (wanted) => {
    asked.push(wanted);
  });
  return { talk, on, asked };
}

test("a muted microphone is on for as long as it is held", () => {
  const { talk, asked } = muted();
  expect(talk.press()).toBe(true);
  expect(talk.press()).toBe(true);
  expect(asked).toEqual([true]);
  talk.release();
  talk.release();
  expect(asked).toEqual([true, false]);
});

test("it is muted again although the browser is still opening it", () => {
  const { talk, on, asked } = muted();
  talk.press();
  talk.release();
  on.value = true;
  talk.release();
  expect(asked).toEqual([true, false]);
});

test("a microphone that is on is not muted by letting go", () => {
  const { talk, on, asked } = muted();
  on.value = true;
  expect(talk.press()).toBe(false);
  talk.release();
  expect(asked).toEqual([]);
});
