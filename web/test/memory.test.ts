import { expect, test } from "vitest";
import { Memory, storeOrNull } from "../src/session/memory.ts";

function storeWith(text: string) {
  return { getItem: () => text, setItem: () => {}, removeItem: () => {} };
}

test.each(["", "{", "null", "7", '{"name": 3, "cameraOn": "yes"}'])("what is kept is not believed: %j", (text) => {
  const { name, cameraOn } = new Memory(storeWith(text), null).preferences();
  expect({ name, cameraOn }).toEqual({ name: "", cameraOn: true });
});

test("in a browser that keeps nothing the token is known as long as the page is open", () => {
  const forbidden = storeOrNull(() => {
    throw new Error("denied");
  });
  const memory = new Memory(forbidden, forbidden);
  memory.remember({ name: "Ana" });
  memory.keepToken("room", "token");
  expect(memory.token("room")).toBe("token");
  expect(memory.token("another")).toBeNull();
});

test("a full store is no obstacle", () => {
  const full = {
    ...storeWith("{}"),
    setItem: () => {
      throw new Error("quota");
    },
  };
  new Memory(full, full).keepToken("room", "token");
});
