import { expect, test } from "vitest";
import { Chat } from "../src/session/chat.ts";
import { ChatFiles, safeName } from "../src/session/chat_files.ts";
import { FakeRoom } from "./fake_room.ts";

function reader(name: string, chunks: readonly Uint8Array[], size?: number) {
  return {
    info: { name, size },
    async *[Symbol.asyncIterator]() {
      yield* chunks;
    },
  };
}

const bytes = (length: number) => new Uint8Array(length).fill(7);

function receiving() {
  const [chat, room] = [new Chat(), new FakeRoom()];
  const files = new ChatFiles(chat, room.asRoom);
  return { chat, room, files, shown: () => chat.messages.value.map(({ file }) => file) };
}

test("a file is shown when it is whole", async () => {
  const { files, shown } = receiving();
  expect(await files.receive(reader("notes.txt", [bytes(10), bytes(5)], 15), "ben", "Ben")).toBe("notes.txt");
  expect(shown()).toMatchObject([{ name: "notes.txt", sizeBytes: 15, isPicture: false }]);
  const url = shown()[0]?.url ?? "";
  const kept = await (await fetch(url)).blob();
  expect([kept.size, kept.type]).toEqual([15, "application/octet-stream"]);
});

test("one that is longer than it says, or than files may be, is dropped", async () => {
  const { files, shown } = receiving();
  expect(await files.receive(reader("a", [bytes(10)], 5), "ben", "Ben")).toBeNull();
  expect(await files.receive(reader("b", [bytes(10)], 10_000_001), "ben", "Ben")).toBeNull();
  const piece = bytes(1_000_000);
  expect(await files.receive(reader("c", new Array(11).fill(piece)), "ben", "Ben")).toBeNull();
  expect(shown()).toEqual([]);
});

test("a flood is bounded: at once, in number and in bytes", async () => {
  const { files, shown } = receiving();
  const all = Array.from({ length: 10 }, (_, i) => files.receive(reader(`${i}`, [bytes(1)]), "mallory", "Mallory"));
  expect((await Promise.all(all)).filter(Boolean)).toHaveLength(2);
  for (let i = 0; i < 30; i += 1) await files.receive(reader(`${i}`, [bytes(1)]), "mallory", "Mallory");
  expect(shown().filter((file) => file?.url)).toHaveLength(20);
  for (let i = 0; i < 8; i += 1) await files.receive(reader(`${i}`, [bytes(9_000_000)]), "mallory", "Mallory");
  expect(shown().filter((file) => file?.url)).toHaveLength(6);
});

test("what no message shows any more is not kept", async () => {
  const { chat, files, shown } = receiving();
  await files.receive(reader("a", [bytes(1)]), "ben", "Ben");
  const url = shown()[0]?.url ?? "";
  expect((await fetch(url)).ok).toBe(true);
  for (let i = 0; i < 500; i += 1) chat.add({ from: "Ben", mine: false, text: `${i}` });
  expect(shown().filter(Boolean)).toEqual([]);
  await expect(fetch(url)).rejects.toThrow();
});

test("a file is sent piece by piece, can be cancelled, and sent again when it failed", async () => {
  const { chat, files, room } = receiving();
  const file = new File([bytes(150_000)], "film.mp4");
  await files.send(file);
  expect(room.streams).toEqual([{ name: "film.mp4", size: 150_000, received: 150_000, closed: true }]);
  expect(chat.messages.value).toMatchObject([{ mine: true, state: "sent" }]);

  room.onWrite = () => files.cancel(chat.messages.value[1]?.id ?? -1);
  await files.send(file);
  expect(room.streams[1]).toMatchObject({ received: 60_000, closed: true });
  expect(chat.messages.value).toHaveLength(1);

  room.onWrite = () => room.emit("reconnecting");
  await files.send(file);
  const failed = chat.messages.value[1];
  expect(failed).toMatchObject({ state: "failed" });
  room.onWrite = () => {};
  if (failed) await files.sendAgain(failed);
  expect(room.streams[3]).toMatchObject({ received: 150_000, closed: true });
  expect(chat.messages.value[1]).toMatchObject({ state: "sent" });
});

test.each([
  ["notes.txt", "notes.txt"],
  ["../../etc/passwd", "_.._etc_passwd"],
  ["C:\\Windows\\run.exe", "C__Windows_run.exe"],
  ["gnp.\u202eexe.txt", "gnp.exe.txt"],
  ["a\nb\0c", "abc"],
  [" .hidden. ", "hidden"],
  ["", "file"],
  ["…/…", "…_…"],
  ["日本語 📄.pdf", "日本語 📄.pdf"],
])("%s is called %s", (name, safe) => {
  expect(safeName(name)).toBe(safe);
});

test("a long name keeps its ending", () => {
  const name = safeName(`${"x".repeat(500)}.pdf`);
  expect(name).toHaveLength(100);
  expect(name.endsWith("….pdf")).toBe(true);
});
