import { expect, test } from "vitest";
import { type ConsoleEvent, EventParser, Events } from "../../src/console/session/events.ts";

test("events are read from pieces of any size", () => {
  const parser = new EventParser();
  const stream = ': hello\n\nid: 7\nevent: roomCreated\ndata: {"roomName":"a"}\n\ndata: {"x":1}\r\n\r\n';
  for (const size of [1, 3, 1000]) {
    const found: ConsoleEvent[] = [];
    for (let at = 0; at < stream.length; at += size) found.push(...parser.parse(stream.slice(at, at + size)));
    expect(found).toEqual([
      { name: "roomCreated", data: { roomName: "a" } },
      { name: "message", data: { x: 1 } },
    ]);
  }
  expect(parser.lastEventId).toBe("7");
});

test("what is no JSON is no event", () => {
  expect(new EventParser().parse("data: nonsense\n\n")).toEqual([]);
});

/** A stream that the test writes to. */
function channel() {
  let end!: ReadableStreamDefaultController<string>;
  const stream = new ReadableStream<string>({
    start(controller) {
      end = controller;
    },
  });
  return { stream, write: (text: string) => end.enqueue(text), close: () => end.close() };
}

test("after a break the stream is opened again from the last event on", async () => {
  const opened: string[] = [];
  const streams = [channel(), channel()];
  const heard: string[] = [];
  const events = new Events(async (after) => {
    opened.push(after);
    const next = streams[opened.length - 1];
    if (!next) throw new Error("no more");
    return next.stream;
  });
  events.listen(({ name }) => void heard.push(name));
  void events.run();
  await expect.poll(() => events.connected.value).toBe(true);
  streams[0]?.write("id: 41\nevent: roomCreated\ndata: {}\n\nid: 42\nevent: roomDeleted\ndata: {}\n\n");
  await expect.poll(() => heard).toEqual(["roomCreated", "roomDeleted"]);
  streams[0]?.close();
  await expect.poll(() => events.connected.value).toBe(false);
  await expect.poll(() => opened).toEqual(["", "42"]);
  await expect.poll(() => events.connected.value).toBe(true);
  events.stop();
  expect(events.connected.value).toBeNull();
});

test("a user who does not want to wait makes it try at once", async () => {
  let tries = 0;
  const events = new Events(async () => {
    tries += 1;
    throw new Error("away");
  });
  void events.run();
  await expect.poll(() => tries).toBe(1);
  await expect.poll(() => events.connected.value).toBe(false);
  events.retry();
  await expect.poll(() => tries, { timeout: 300 }).toBe(2);
  events.stop();
});
