import { expect, test } from "vitest";
import { Chat } from "../src/session/chat.ts";

const message = (text = "hi") => ({ from: "Ana", mine: false, text });

test("counts unread messages while the panel is closed", () => {
  const chat = new Chat();
  chat.add(message());
  chat.add(message());
  expect(chat.unread.value).toBe(2);
  chat.show(true);
  expect(chat.unread.value).toBe(0);
  chat.add(message());
  chat.show(false);
  expect(chat.unread.value).toBe(0);
});

test("a long chat is bounded", () => {
  const chat = new Chat();
  for (let number = 0; number < 700; number += 1) chat.add(message(String(number)));
  expect(chat.messages.value).toHaveLength(500);
  expect(chat.messages.value.at(-1)?.text).toBe("699");
  expect(chat.unread.value).toBe(500);
});

test("few very long messages are bounded as well", () => {
  const chat = new Chat();
  for (let number = 0; number < 50; number += 1) chat.add(message("x".repeat(100_000)));
  expect(chat.messages.value).toHaveLength(10);
});

test("every message has an id of its own", () => {
  const chat = new Chat();
  const ids = Array.from({ length: 600 }, () => chat.add(message()));
  expect(new Set(ids).size).toBe(600);
});

test("the draft is taken once: a second Enter sends nothing, and what is typed meanwhile stays", () => {
  const chat = new Chat();
  chat.draft.value = " hello ";
  expect(chat.takeDraft()).toBe("hello");
  expect(chat.takeDraft()).toBe("");
  chat.draft.value = "next";
  const id = chat.add({ from: "Ana", mine: true, text: "hello", state: "sending" });
  chat.mark(id ?? -1, "failed");
  expect(chat.messages.value[0]).toMatchObject({ text: "hello", state: "failed" });
  expect(chat.draft.value).toBe("next");
});
