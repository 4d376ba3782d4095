import { expect, test } from "vitest";
import { Chat } from "../src/session/chat.ts";

const message = (id: number) => ({ id: String(id), from: "Ana", mine: false, text: "hi", sentAt: new Date(0) });

test("counts unread messages while the panel is closed", () => {
  const chat = new Chat();
  chat.add(message(1));
  chat.add(message(2));
  expect(chat.unread.value).toBe(2);
  chat.show(true);
  expect(chat.unread.value).toBe(0);
  chat.add(message(3));
  chat.show(false);
  expect(chat.unread.value).toBe(0);
});

test("a long chat is bounded", () => {
  const chat = new Chat();
  for (let id = 0; id < 700; id += 1) chat.add(message(id));
  expect(chat.messages.value).toHaveLength(500);
  expect(chat.messages.value.at(-1)?.id).toBe("699");
  expect(chat.unread.value).toBe(500);
});
