import { expect, test } from "vitest";
import { IncomingMessages, MESSAGE_LENGTH_MAX } from "../src/session/incoming_messages.ts";

async function* chunks(...all: readonly string[]): AsyncGenerator<string> {
  yield* all;
}

test("a message is its chunks", async () => {
  expect(await new IncomingMessages().read(chunks("Hello ", "Ana"), "ben")).toBe("Hello Ana");
});

test("a stream without bound is cut, and read on so that nothing waits in memory", async () => {
  const taken = { count: 0 };
  async function* endless(): AsyncGenerator<string> {
    for (; taken.count < 1000; taken.count += 1) yield "x".repeat(1000);
  }
  const text = await new IncomingMessages().read(endless(), "mallory");
  expect(text).toHaveLength(MESSAGE_LENGTH_MAX);
  expect(taken.count).toBe(1000);
});

test("a stream that breaks is no message", async () => {
  async function* broken(): AsyncGenerator<string> {
    yield "Hel";
    throw new Error("the sender has left");
  }
  expect(await new IncomingMessages().read(broken(), "ben")).toBeNull();
});

test("a participant who sends more than a hand types is left out, the others are not", async () => {
  let now = 0;
  const incoming = new IncomingMessages(() => now);
  const flood = await Promise.all(Array.from({ length: 200 }, () => incoming.read(chunks("spam"), "mallory")));
  expect(flood.filter((text) => text !== null).length).toBeLessThanOrEqual(20);
  expect(await incoming.read(chunks("hi"), "ben")).toBe("hi");
  now += 2000;
  expect(await incoming.read(chunks("sorry"), "mallory")).toBe("sorry");
});

test("few streams of one participant can be open at once", async () => {
  const incoming = new IncomingMessages();
  let finish = () => {};
  const end = new Promise<void>((resolve) => {
    finish = resolve;
  });
  async function* slow(): AsyncGenerator<string> {
    yield "slow";
    await end;
  }
  const reading = Array.from({ length: 12 }, () => incoming.read(slow(), "mallory"));
  finish();
  expect((await Promise.all(reading)).filter((text) => text !== null)).toHaveLength(8);
});
